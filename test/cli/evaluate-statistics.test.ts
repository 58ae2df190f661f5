// Intervals and tests of vgg evaluate against scipy 1.17, statsmodels 0.15 and numpy 2.4.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { generator } from '../../cli/chance.ts';
import { bootstrapInterval, differenceInterval, mcnemar } from '../../cli/evaluate/statistics.ts';

describe('mcnemar', () => {
  // statsmodels.stats.contingency_tables.mcnemar([[0, b], [c, 0]], exact=True).pvalue
  test.each([
    [0, 0, 1],
    [0, 1, 1],
    [4, 4, 1],
    [3, 7, 0.34375],
    [1, 11, 0.00634765625],
    [5, 15, 0.04138946533203125],
    [40, 60, 0.05688793364098089],
    [480, 520, 0.2174482932041415],
    [121, 59, 4.4344492637551645e-6],
    [2100, 1900, 0.0016492663751357264],
    [150, 850, 3.0424430095273857e-119],
  ])('%i and %i: %f', (onlyFirst, onlySecond, p) => {
    expect(mcnemar(onlyFirst, onlySecond) / p).toBeCloseTo(1, 9);
    expect(mcnemar(onlySecond, onlyFirst)).toBe(mcnemar(onlyFirst, onlySecond));
  });

  test('is a probability, however many photos differ', () => {
    fc.assert(
      fc.property(fc.nat(60_000), fc.nat(60_000), (a, b) => {
        const p = mcnemar(a, b);
        expect(p).toBeGreaterThanOrEqual(0);
        expect(p).toBeLessThanOrEqual(1);
      }),
      { numRuns: 30 },
    );
  });
});

describe('bootstrapInterval', () => {
  // scipy.stats.binom.ppf([0.025, 0.975], n, k / n) / n * 100; numpy.percentile of 10,000 resamples of the 0/1
  // values gives the same but for 15.0–32.0 of 23 in 100: a draw by chance moves an end by a photo.
  test.each([
    [23, 100, 15, 31],
    [248, 1000, 22.1, 27.5],
    [375, 5000, 6.78, 8.24],
    [5, 10, 20, 80],
    [12_400, 50_000, 24.422, 25.18],
    [1, 3, 0, 100],
  ])('%i of %i: %f–%f %%', (count, total, low, high) => {
    const [from, to] = bootstrapInterval(count, total, 1);
    // A photo, or a fortieth of the interval's length: what 10,000 resamples leave to chance.
    const slack = Math.max(100 / total, (high - low) / 40) + 1e-9;
    expect(Math.abs(from * 100 - low)).toBeLessThanOrEqual(slack);
    expect(Math.abs(to * 100 - high)).toBeLessThanOrEqual(slack);
  });

  test('no error, or nothing but errors, leaves nothing to draw', () => {
    expect(bootstrapInterval(0, 50, 1)).toEqual([0, 0]);
    expect(bootstrapInterval(50, 50, 1)).toEqual([1, 1]);
  });

  test('is fixed by its seed, and holds the share', () => {
    expect(bootstrapInterval(248, 1000, 7)).toEqual(bootstrapInterval(248, 1000, 7));
    const seeds = Array.from({ length: 20 }, (_, seed) => bootstrapInterval(12_400, 50_000, seed).join());
    expect(new Set(seeds).size).toBeGreaterThan(1);
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (total, share) => {
          const count = Math.round(share * total);
          const [low, high] = bootstrapInterval(count, total, 1);
          expect(low).toBeLessThanOrEqual(count / total);
          expect(high).toBeGreaterThanOrEqual(count / total);
        },
      ),
      { numRuns: 50 },
    );
  });
});

// 2.5 and 97.5 % of means of resampled photos: what the interval is short for.
function naive(onlyFirst: number, onlySecond: number, total: number): [low: number, high: number] {
  const random = generator(99);
  const means = Float64Array.from({ length: 10_000 }, () => {
    let sum = 0;
    for (let i = 0; i < total; i++) {
      const photo = Math.floor(random() * total);
      if (photo < onlyFirst) sum++;
      else if (photo < onlyFirst + onlySecond) sum--;
    }
    return sum / total;
  }).sort();
  return [means[250] ?? NaN, means[9749] ?? NaN];
}

describe('differenceInterval', () => {
  test.each([
    [12, 9, 749],
    [40, 60, 500],
    [0, 7, 100],
    [3, 0, 50],
    [30, 20, 50],
    [5, 5, 10],
    [50, 0, 100],
  ])('%i and %i of %i are as if photos were drawn one by one', (onlyFirst, onlySecond, total) => {
    const [low, high] = differenceInterval(onlyFirst, onlySecond, total, 1);
    const [from, to] = naive(onlyFirst, onlySecond, total);
    const slack = Math.max(1 / total, (to - from) / 40) + 1e-9;
    expect(Math.abs(low - from)).toBeLessThanOrEqual(slack);
    expect(Math.abs(high - to)).toBeLessThanOrEqual(slack);
    expect(low).toBeLessThanOrEqual((onlyFirst - onlySecond) / total);
    expect(high).toBeGreaterThanOrEqual((onlyFirst - onlySecond) / total);
  });

  test('photos that differ all one way, or not at all, leave nothing to draw', () => {
    expect(differenceInterval(0, 0, 50, 1)).toEqual([0, 0]);
    expect(differenceInterval(50, 0, 50, 1)).toEqual([1, 1]);
    expect(differenceInterval(0, 50, 50, 1)).toEqual([-1, -1]);
  });

  test('of as many photos as ImageNet has is the normal one', () => {
    const [low, high] = differenceInterval(2100, 1900, 50_000, 1);
    const deviation = Math.sqrt(4000 / 50_000 - 0.004 ** 2) / Math.sqrt(50_000);
    expect(low * 1e4).toBeCloseTo((0.004 - 1.96 * deviation) * 1e4, -0.5);
    expect(high * 1e4).toBeCloseTo((0.004 + 1.96 * deviation) * 1e4, -0.5);
  });
});
