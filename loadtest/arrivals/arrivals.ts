// When requests are meant to start: a curve of rates, and how chance spreads arrivals along it.

import type { Random } from '../../vgg/random.ts';
import { constantGaps } from './constant.ts';
import { momentsOf, type Curve, type Piece } from './curve.ts';
import { poissonGaps } from './poisson.ts';

/** How arrivals are spread. */
export type Spread = 'poisson' | 'constant';

/** Arrivals to come. */
export interface Arrivals {
  spread: Spread;
  /** Rates once the warm-up is over. */
  curve: Curve;
  /** Before it the curve's first rate holds for so long. */
  warmUpSeconds: number;
}

/**
 * Milliseconds since the end of the warm-up at which requests are meant to start, ascending; negative in the warm-up.
 * The same stream gives the same ones.
 */
export function* arrivalTimes(
  { spread, curve, warmUpSeconds }: Arrivals,
  random: Random,
): Generator<number, void> {
  const gaps = spread === 'poisson' ? poissonGaps(random) : constantGaps();
  const [first] = curve;
  const warmUp: Piece[] =
    first && warmUpSeconds > 0 ? [{ seconds: warmUpSeconds, from: first.from, to: first.from }] : [];
  for (const moment of momentsOf([...warmUp, ...curve], gaps)) yield (moment - warmUpSeconds) * 1000;
}
