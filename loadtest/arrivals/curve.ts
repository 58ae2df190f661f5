// A rate that changes over time: pieces along which it is constant or a straight line. Knows no chance and no clock.

import { expected } from '../../vgg/errors.ts';

/** A stretch of time along which the rate goes straight from one value to another. */
export interface Piece {
  /** > 0 */
  seconds: number;
  /** Requests a second at its start and at its end, ≥ 0. */
  from: number;
  to: number;
}

/** Pieces one after the other. */
export type Curve = readonly Piece[];

/** A rate that does not change. */
export function steady(rate: number, seconds: number): Curve {
  return [{ seconds, from: rate, to: rate }];
}

/** How long it is, in seconds. */
export function length(curve: Curve): number {
  return curve.reduce((sum, { seconds }) => sum + seconds, 0);
}

/** Requests in all: the area below it. */
export function area(curve: Curve): number {
  return curve.reduce((sum, piece) => sum + areaOf(piece), 0);
}

/** The curve, again and again or cut short, so that it is exactly so long. */
export function fitted(curve: Curve, seconds: number): Curve {
  const whole = length(curve);
  if (!(whole > 0)) throw expected('a curve longer than 0 seconds', whole, 'trace');
  const pieces: Piece[] = [];
  let left = seconds;
  // Sums of fractions leave a rest that is none.
  const least = 1e-9 * seconds;
  while (left > least) {
    for (const piece of curve) {
      if (left <= least) break;
      const taken = Math.min(left, piece.seconds);
      const to = piece.from + ((piece.to - piece.from) * taken) / piece.seconds;
      pieces.push({ seconds: taken, from: piece.from, to });
      left -= taken;
    }
  }
  return pieces;
}

/**
 * The moments at which the area below a curve reaches each of a row of values: arrivals whose rate is the curve.
 * With values 1 apart they are evenly spaced, with exponential gaps of mean 1 a Poisson process.
 *
 * @param gaps differences of the values, each ≥ 0; endless
 * @returns seconds since the curve's start, ascending
 */
export function* momentsOf(curve: Curve, gaps: () => number): Generator<number, void> {
  let start = 0;
  let before = 0;
  let value = gaps();
  for (const piece of curve) {
    const area = areaOf(piece);
    while (value < before + area) {
      yield start + timeOf(piece, value - before);
      value += gaps();
    }
    before += area;
    start += piece.seconds;
  }
}

function areaOf({ seconds, from, to }: Piece): number {
  return (seconds * (from + to)) / 2;
}

// Seconds into a piece at which the area is so large: from·t + slope·t²/2 = area, in the form that loses no digits.
function timeOf({ seconds, from, to }: Piece, area: number): number {
  const slope = (to - from) / seconds;
  const root = Math.sqrt(Math.max(0, from * from + 2 * slope * area));
  return Math.min(seconds, (2 * area) / (from + root));
}
