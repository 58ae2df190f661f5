// From a value to a colour and back to readable ink. The scale is viridis (van der Walt and Smith, 2015): its lightness
// rises evenly, so it reads the same to colour-blind eyes and in grey.

/** Red, green and blue, 0 to 255. */
export type Colour = readonly [number, number, number];

/** What the ends of the scale stand for. */
export interface Range {
  least: number;
  most: number;
}

/** All probabilities. */
export const PROBABILITIES: Range = { least: 0, most: 1 };

const STOPS: readonly Colour[] = [
  [68, 1, 84],
  [71, 45, 123],
  [59, 82, 139],
  [44, 114, 142],
  [33, 145, 140],
  [40, 174, 128],
  [94, 201, 98],
  [173, 220, 48],
  [253, 231, 37],
];

/** Place of a value in a range, 0 to 1; the middle of a range that is a point. */
export function placeInRange(value: number, { least, most }: Range): number {
  return most > least ? Math.min(Math.max((value - least) / (most - least), 0), 1) : 0.5;
}

/** The scale's colour at a place from 0 to 1. */
export function colourAt(place: number): Colour {
  const along = Math.min(Math.max(place, 0), 1) * (STOPS.length - 1);
  const from = STOPS[Math.min(Math.floor(along), STOPS.length - 2)] ?? [0, 0, 0];
  const to = STOPS[Math.min(Math.floor(along), STOPS.length - 2) + 1] ?? from;
  const share = along - Math.min(Math.floor(along), STOPS.length - 2);
  const mix = (channel: 0 | 1 | 2) => Math.round(from[channel] * (1 - share) + to[channel] * share);
  return [mix(0), mix(1), mix(2)];
}

/** The colour as style sheets write it. */
export function css([red, green, blue]: Colour): string {
  return `rgb(${String(red)} ${String(green)} ${String(blue)})`;
}

/** The whole scale from left to right. */
export function gradient(): string {
  return `linear-gradient(to right, ${STOPS.map(css).join(', ')})`;
}

/** Black or white, whichever has more contrast (WCAG 2) on the colour. */
export function inkOn(colour: Colour): '#000' | '#fff' {
  // Where both have a contrast of 4.58.
  return luminance(colour) > 0.179 ? '#000' : '#fff';
}

/** Relative luminance as WCAG 2 defines it, 0 to 1. */
export function luminance([red, green, blue]: Colour): number {
  const linear = (level: number) => {
    const share = level / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
}

/** The range, widened where it is so narrow that colours would tell apart what hardly differs. */
export function wideRange({ least, most }: Range, span = 0.05): Range {
  return { least, most: Math.max(most, least + span) };
}

/** Least and most of what is there; NaN is not. */
export function rangeOf(values: Iterable<number>): Range {
  let [least, most] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return least <= most ? { least, most } : PROBABILITIES;
}
