// Whether one row has fewer errors than another on the same photos, and how sure that is. Knows right and wrong;
// neither networks nor claims.

import { generator } from '../../cli/chance.ts';
import { mean } from '../median.ts';

/** Place of the truth by photo, 1 for a right answer. */
export type Ranks = ReadonlyMap<string, number>;

/** Percentage points that the first row's top-1 error is below the second's. */
export interface Comparison {
  difference: number;
  /** 95 %. */
  interval: [low: number, high: number];
  /** The difference in each seed. */
  seeds: number[];
  /** Photos of all seeds that both rows have an answer to. */
  photos: number;
}

const RESAMPLES = 10_000;

/**
 * Compares two rows, photo by photo. The interval is a bootstrap (percentile method) that draws photos within
 * each seed, after drawing seeds where there are several; of one seed it says nothing of other seeds.
 *
 * @param rows of each seed: ranks of the first row and of the second; photos that one of them lacks are left out
 */
export function compare(rows: readonly (readonly [Ranks, Ranks])[], seed = 1): Comparison {
  const gains = rows.map(([first, second]) => {
    const gain: number[] = [];
    for (const [photo, rank] of first) {
      const other = second.get(photo);
      if (other !== undefined) gain.push(wrong(other) - wrong(rank));
    }
    if (gain.length === 0)
      throw new Error('Expected photos that both rows have answers to but there are none');
    return Int8Array.from(gain);
  });
  const random = generator(seed);
  const drawn = Float64Array.from({ length: RESAMPLES }, () => {
    const seeds = gains.map(() => gains[Math.floor(random() * gains.length)] ?? new Int8Array());
    return mean(seeds.map((gain) => resampledMean(gain, random)));
  }).sort();
  const seeds = gains.map((gain) => points(mean([...gain])));
  const at = (share: number) => points(drawn[Math.round(share * (RESAMPLES - 1))] ?? NaN);
  const photos = gains.reduce((sum, { length }) => sum + length, 0);
  return { difference: points(mean(seeds) / 100), interval: [at(0.025), at(0.975)], seeds, photos };
}

function resampledMean(gain: Int8Array, random: () => number): number {
  let sum = 0;
  for (let i = 0; i < gain.length; i++) sum += gain[Math.floor(random() * gain.length)] ?? 0;
  return sum / gain.length;
}

function wrong(rank: number): number {
  return rank > 1 ? 1 : 0;
}

function points(share: number): number {
  return Number((100 * share).toFixed(2));
}
