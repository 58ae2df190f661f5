// Axes: from numbers to positions, and where the ticks are. Knows numbers alone.

/** A straight axis. */
export interface Scale {
  /** Position of a value. */
  at: (value: number) => number;
  /** Round values inside the axis. */
  ticks: number[];
}

/**
 * An axis from 0 or `least` to at least `most`.
 *
 * @param from position of the least value
 * @param to position of the most
 * @param count ticks that are wished for
 */
export function linearScale(least: number, most: number, from: number, to: number, count: number): Scale {
  const step = roundStep((most - least) / count);
  const end = Math.max(least + step, Math.ceil(most / step - 1e-9) * step);
  const ticks: number[] = [];
  for (let i = Math.ceil(least / step - 1e-9); i * step <= end * (1 + 1e-9); i++) {
    ticks.push(Number((i * step).toPrecision(12)));
  }
  return { at: (value) => from + ((value - least) / (end - least)) * (to - from), ticks };
}

// The least of 1, 2, 5 times a power of ten that is not below.
function roundStep(step: number): number {
  if (!(step > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(step));
  return ([1, 2, 5, 10].find((factor) => factor * power >= step * (1 - 1e-9)) ?? 10) * power;
}
