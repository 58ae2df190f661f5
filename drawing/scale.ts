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

/**
 * A logarithmic axis from at most `least` to at least `most`, both > 0; its ends are ticks.
 *
 * @param from position of the least value
 * @param to position of the most
 */
export function logScale(least: number, most: number, from: number, to: number): Scale {
  const wide = most / least > 1000;
  const factors = wide ? [1] : [1, 2, 5];
  const all: number[] = [];
  for (let power = Math.floor(Math.log10(least)); all.length < 2 || (all.at(-1) ?? 0) < most; power++) {
    all.push(...factors.map((factor) => Number((factor * 10 ** power).toPrecision(12))));
  }
  // The last tick at or below the least, and the first at or above the most.
  const first = Math.max(
    0,
    all.findLastIndex((tick) => tick <= least),
  );
  const last = Math.max(
    first + 1,
    all.findIndex((tick) => tick >= most),
  );
  const ticks = all.slice(first, last + 1);
  const [low, high] = [Math.log(ticks[0] ?? least), Math.log(ticks.at(-1) ?? most)];
  return { at: (value) => from + ((Math.log(value) - low) / (high - low)) * (to - from), ticks };
}

// The least of 1, 2, 5 times a power of ten that is not below.
function roundStep(step: number): number {
  if (!(step > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(step));
  return ([1, 2, 5, 10].find((factor) => factor * power >= step * (1 - 1e-9)) ?? 10) * power;
}
