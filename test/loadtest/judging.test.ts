// The rules by which a step is judged: confidence, stability, saturation; and how times are summed up.

import { describe, expect, test } from 'vitest';
import { isKept, mostLate, requestsFor } from '../../loadtest/confidence.ts';
import { NOTHING, Times } from '../../loadtest/distribution.ts';
import { generatorOf, watchSelf } from '../../loadtest/saturation.ts';
import { stabilityOf, type Quarter } from '../../loadtest/stability.ts';
import { randomAt } from '../../vgg/random.ts';

describe('confidence', () => {
  // What MLPerf's LoadGen demands: 64 queries for the 90th percentile and 662 for the 99th are with one late.
  test.each([
    [0, 90, 44],
    [1, 90, 64],
    [0, 99, 459],
    [1, 99, 662],
  ])('%i late ones of the percentile %i take %i requests', (late, percentile, requests) => {
    expect(requestsFor(late, percentile)).toBe(requests);
    expect(isKept(requests, late, percentile)).toBe(true);
    expect(isKept(requests - 1, late, percentile)).toBe(false);
    expect(mostLate(requests, percentile)).toBe(late);
    expect(mostLate(requests - 1, percentile)).toBe(late - 1);
  });

  test('of a million requests nearly one in a hundred may be late, but not quite', () => {
    const most = mostLate(1_000_000, 99);
    // Mean 10,000, deviation 99.5: 2.33 deviations below.
    expect(most).toBeGreaterThan(9750);
    expect(most).toBeLessThan(9780);
  });

  test('nothing is shown by nothing', () => {
    expect(isKept(0, 0, 99)).toBe(false);
    expect(mostLate(0, 99)).toBe(-1);
  });
});

describe('distribution', () => {
  test('percentiles are those of the sorted times, to a thousandth', () => {
    const random = randomAt(3, 'times');
    const values = Array.from({ length: 20_000 }, () => -100 * Math.log(1 - random.next()));
    const times = new Times();
    for (const value of values) times.add(value);
    const sorted = Float64Array.from(values).sort();
    const { mean, min, max, p50, p99, p999, percentiles } = times.distribution();
    const at = (part: number) => sorted[Math.ceil(part * sorted.length) - 1] ?? NaN;
    for (const [value, part] of [
      [p50, 0.5],
      [p99, 0.99],
      [p999, 0.999],
    ] as const) {
      expect(Math.abs(value / at(part) - 1)).toBeLessThan(0.0015);
    }
    expect(mean).toBeCloseTo(values.reduce((sum, value) => sum + value, 0) / values.length, 3);
    expect([min, max]).toEqual(
      [sorted[0] ?? NaN, sorted.at(-1) ?? NaN].map((ms) => Math.round(ms * 1000) / 1000),
    );
    expect(percentiles.at(-1)).toEqual({ value: max, part: 1 });
    for (const [i, { value, part }] of percentiles.entries()) {
      expect(value).toBeGreaterThanOrEqual(percentiles[i - 1]?.value ?? 0);
      expect(part).toBeGreaterThan(percentiles[i - 1]?.part ?? -1);
    }
  });

  test('without times all figures are 0', () => {
    expect(new Times().distribution()).toEqual(NOTHING);
  });

  test('an hour and a microsecond are both kept', () => {
    const times = new Times();
    times.add(0.001);
    times.add(5 * 3_600_000);
    expect(times.distribution()).toMatchObject({ min: 0.001, max: 18_000_000, count: 2 });
  });
});

describe('stability', () => {
  const quarter = (ms: number, count = 100, came = count): Quarter => ({
    intended: count,
    came,
    latencies: Array.from({ length: count }, () => ms),
  });

  test('quarters that agree are stable', () => {
    const quarters = [quarter(100), quarter(120), quarter(90), quarter(110)];
    for (const loop of ['open', 'closed', 'trace'] as const)
      expect(stabilityOf(quarters, loop).stable).toBe(true);
  });

  test('latency that drifts is not; of a trace it may', () => {
    const quarters = [quarter(100), quarter(100), quarter(160), quarter(160)];
    expect(stabilityOf(quarters, 'open')).toMatchObject({
      stable: false,
      reason: expect.stringContaining('from 100.0 ms in the first half to 160.0 ms') as string,
    });
    expect(stabilityOf(quarters, 'trace').stable).toBe(true);
    expect(stabilityOf([...quarters].reverse(), 'open').stable).toBe(false);
    expect(stabilityOf([quarter(1), quarter(1), quarter(5), quarter(5)], 'open').stable).toBe(true);
  });

  test('answers that do not keep up are not', () => {
    const quarters = [quarter(100), quarter(100), quarter(100), quarter(100, 100, 60)];
    expect(stabilityOf(quarters, 'open').reason).toContain('quarter 4 of 4 had 60 for 100 requests');
    expect(stabilityOf(quarters, 'trace').stable).toBe(false);
  });

  test('fewer answers are not, unless chance explains them', () => {
    const few = [quarter(100), quarter(100), quarter(100), quarter(100, 100, 75)];
    expect(stabilityOf(few, 'open').stable).toBe(true);
    const many = [4, 4, 4, 3].map((hundreds) => quarter(100, 10_000, 2500 * hundreds));
    expect(stabilityOf(many, 'open').stable).toBe(false);
  });

  test('a closed loop is measured by its own mean', () => {
    const quarters = [quarter(10, 1000), quarter(10, 1000), quarter(10, 1000), quarter(10, 1400)];
    expect(stabilityOf(quarters, 'closed').reason).toContain(
      'quarter 4 of 4 had 1400 answers, the mean is 1100',
    );
  });

  test('too few answers say nothing', () => {
    const quarters = [quarter(100), quarter(100), quarter(100), quarter(100, 9)];
    expect(stabilityOf(quarters, 'open').reason).toContain('fewer than 10');
  });
});

describe('the generator', () => {
  const self = { eventLoopDelay: NOTHING, cpuCores: 0.2, busy: 0.2 };
  const SERVICE = { p50: 50, p99: 200 };

  test('that keeps up is not said to be saturated', () => {
    expect(generatorOf(self, { ...NOTHING, p99: 2 }, 0, SERVICE).saturated).toBeUndefined();
  });

  test.each([
    ['abandons', self, NOTHING, 3, '3 requests were not sent'],
    [
      'is late now and then',
      self,
      { ...NOTHING, p99: 21 },
      0,
      '1 % of requests were sent more than 21.0 ms late',
    ],
    [
      'is late as a rule',
      self,
      { ...NOTHING, p50: 11, p99: 12 },
      0,
      'half of requests were sent more than 11.0 ms late',
    ],
    [
      'has a late event loop',
      { ...self, eventLoopDelay: { ...NOTHING, p99: 30 } },
      NOTHING,
      0,
      'event loop was more than 30.0 ms late',
    ],
    ['has no time left', { ...self, busy: 0.95 }, NOTHING, 0, 'busy for 95 % of the time'],
  ])('that %s is', (_what, seen, late, abandoned, why) => {
    expect(generatorOf(seen, late, abandoned, SERVICE).saturated).toContain(why);
  });

  test('what is late by little beside the times that are measured does not matter', () => {
    const late = { ...NOTHING, p50: 5, p99: 30 };
    const seen = { ...self, eventLoopDelay: late };
    expect(generatorOf(seen, late, 0, { p50: 50, p99: 1000 }).saturated).toBeUndefined();
    // A slow median excuses nobody whose slowest answers are not much slower.
    expect(generatorOf(seen, late, 0, { p50: 200, p99: 250 }).saturated).toContain('1 % of requests');
  });

  test('that is kept busy sees it itself', async () => {
    const stop = watchSelf();
    await new Promise((resolve) => setTimeout(resolve, 30));
    const end = performance.now() + 300;
    while (performance.now() < end);
    await new Promise((resolve) => setTimeout(resolve, 30));
    const seen = stop();
    expect(seen.eventLoopDelay.max).toBeGreaterThan(250);
    expect(seen.busy).toBeGreaterThan(0.3);
    expect(seen.cpuCores).toBeGreaterThan(0.05);
  });
});
