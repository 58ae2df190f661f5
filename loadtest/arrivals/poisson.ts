// Arrivals of many people who know nothing of each other: a Poisson process, its chance seeded.

import type { Random } from '../../vgg/random.ts';

/** Gaps of a Poisson process of rate 1: exponential, mean 1. */
export function poissonGaps(random: Random): () => number {
  // 1 − next() is never 0.
  return () => -Math.log(1 - random.next());
}
