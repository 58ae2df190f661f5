// The search against a queue whose largest rate is known: latency of M/M/1 is exponential with rate μ − λ, so that
// its percentile p is at a bound where λ = μ − ln(1 / (1 − p)) / bound.

import { describe, expect, test } from 'vitest';
import { steady } from '../../loadtest/arrivals/curve.ts';
import { runLoadTest } from '../../loadtest/load-test.ts';
import type { Target } from '../../loadtest/request.ts';
import type { Step } from '../../loadtest/result.ts';
import { searchRate } from '../../loadtest/search.ts';
import { runStep } from '../../loadtest/step.ts';
import { exponential, queueTarget, refusing, taking } from './queue.ts';
import { VirtualClock, idle } from './virtual-clock.ts';

const kinds = [{ what: { protocol: 'CENTER_CROP' as const, model: '' }, weight: 1 }];

function search(
  clock: VirtualClock,
  target: Target,
  more: { ms: number; percentile?: number; leastRequests?: number; seed?: number; signal?: AbortSignal },
) {
  const { ms, percentile = 99, leastRequests = 662, seed = 1, signal } = more;
  return clock.run(
    runLoadTest({
      question: { search: { firstRate: 5, leastSeconds: 10, leastRequests, precision: 1.05, mostSteps: 20 } },
      bound: { percentile, ms },
      workload: { kinds, photos: exponential(20, 1000) },
      ...{ target, seed, clock, watch: idle, warmUpSeconds: 5, signal },
      ...{ command: '', address: 'queue', transport: 'http' as const, startedAt: '' },
    }),
  );
}

describe('against M/M/1 with 50 answers a second', () => {
  test('with many requests it finds the rate that theory has', async () => {
    const clock = new VirtualClock();
    const result = await search(clock, queueTarget(clock), {
      ms: 230.26,
      percentile: 99,
      leastRequests: 20_000,
    });
    // 50 − ln(100) / 0.23026 s = 30 a second.
    expect(result.search).toMatchObject({ verdict: 'VALID', bound: { percentile: 99, ms: 230.26 } });
    expect(result.search?.ratePerSecond).toBeGreaterThan(27);
    expect(result.search?.ratePerSecond).toBeLessThan(30.5);
    expect(result.search?.failedRatePerSecond).toBeLessThan(32);
  });

  test('with few requests it says less than theory, never more', async () => {
    for (const seed of [1, 2, 3]) {
      const clock = new VirtualClock();
      const result = await search(clock, queueTarget(clock), {
        ms: 115.13,
        percentile: 90,
        leastRequests: 200,
        seed,
      });
      expect(result.search?.verdict, result.search?.reason).toBe('VALID');
      // 50 − ln(10) / 0.11513 s = 30 a second.
      expect(result.search?.ratePerSecond).toBeLessThan(30);
      expect(result.search?.ratePerSecond).toBeGreaterThan(12);
    }
  });

  test('every step has enough requests, unless it was ended because it could not keep the bound', async () => {
    const clock = new VirtualClock();
    const { steps } = await search(clock, queueTarget(clock), { ms: 230 });
    for (const { requests, ended, bound } of steps) {
      if (ended === undefined) expect(requests.intended).toBeGreaterThanOrEqual(500);
      else expect([ended, bound?.kept]).toEqual(['the bound could not be kept any more', false]);
    }
    expect(steps.some(({ ended }) => ended !== undefined)).toBe(true);
  });
});

test('a bound that a request alone does not keep is given up before steps are endless', async () => {
  const clock = new VirtualClock();
  const { search: found, steps } = await search(clock, queueTarget(clock), { ms: 5 });
  expect(found?.verdict).toBe('INVALID');
  expect(found?.reason).toContain('no rate kept the bound');
  expect(steps.length).toBeLessThanOrEqual(3);
});

test('sets out from what an answer takes once the server is warm', async () => {
  const clock = new VirtualClock();
  const queue = queueTarget(clock);
  let asked = 0;
  const target: Target = {
    ...queue,
    send: (request, signal) =>
      queue.send(asked++ === 0 ? { ...request, photo: taking(4000) } : request, signal),
  };
  const { steps } = await clock.run(
    runLoadTest({
      question: { search: { leastSeconds: 10, precision: 1.5, mostSteps: 20 } },
      bound: { percentile: 90, ms: 200 },
      workload: { kinds, photos: [taking(20)] },
      ...{ target, seed: 1, clock, watch: idle, warmUpSeconds: 5 },
      ...{ command: '', address: 'queue', transport: 'http' as const, startedAt: '' },
    }),
  );
  // Half of the 50 a second that one client alone would get.
  expect(steps[0]?.load).toMatchObject({ ratePerSecond: 25 });
});

describe('is INVALID', () => {
  test('if no rate keeps the bound', async () => {
    const clock = new VirtualClock();
    const { search: verdict } = await search(clock, queueTarget(clock), { ms: 1, percentile: 90 });
    expect(verdict).toMatchObject({ verdict: 'INVALID', ratePerSecond: 0 });
    expect(verdict?.reason).toContain('no rate kept the bound');
  });

  test('if requests fail: however quickly they do, they break the bound', async () => {
    const { search: verdict } = await search(new VirtualClock(), refusing, { ms: 1000, percentile: 90 });
    expect(verdict).toMatchObject({ verdict: 'INVALID', ratePerSecond: 0 });
  });

  test('if it is interrupted', async () => {
    const clock = new VirtualClock();
    const interrupt = new AbortController();
    clock.at(100_000, () => {
      interrupt.abort();
    });
    const result = await search(clock, queueTarget(clock), { ms: 230, signal: interrupt.signal });
    expect(result.search).toMatchObject({ verdict: 'INVALID', reason: 'the search was interrupted' });
    expect(result.steps.at(-1)?.ended).toBe('interrupted');
  });

  // A step as the search sees it.
  const stepAt = async (rate: number, more: Partial<Step>): Promise<Step> => {
    const clock = new VirtualClock();
    const step = await clock.run(
      runStep({
        load: { loop: 'open', spread: 'constant', curve: steady(rate, 10) },
        workload: { kinds, photos: [taking(1)] },
        bound: { percentile: 90, ms: 100 },
        ...{ target: queueTarget(clock), seed: 1, clock, watch: idle, warmUpSeconds: 0 },
      }),
    );
    return { ...step, ...more };
  };
  const options = {
    bound: { percentile: 90, ms: 100 },
    ...{ firstRate: 10, leastSeconds: 10, leastRequests: 64, precision: 1.1 },
  };

  test('if the generator does not keep up, though the bound is kept', async () => {
    const rates: number[] = [];
    const { verdict } = await searchRate({
      ...options,
      mostSteps: 20,
      run: (rate) => {
        rates.push(rate);
        const late = rate > 50 ? { saturated: 'it was late' } : {};
        return stepAt(rate, {}).then((step) => ({ ...step, generator: { ...step.generator, ...late } }));
      },
    });
    expect(verdict).toMatchObject({ verdict: 'INVALID', ratePerSecond: 0 });
    expect(verdict.reason).toMatch(/^the generator did not keep up at .*: it was late; .* kept the bound$/);
    // Each such rate is tried again.
    expect(rates.slice(0, 5)).toEqual([10, 20, 40, 80, 80]);
  });

  test('if the step that kept the bound was not stable', async () => {
    const { verdict } = await searchRate({
      ...options,
      mostSteps: 20,
      run: async (rate) => {
        const step = await stepAt(rate, { stability: { stable: false, reason: 'it drifted' } });
        return rate > 30 && step.bound ? { ...step, bound: { ...step.bound, kept: false } } : step;
      },
    });
    expect(verdict.reason).toContain('was not stable: it drifted');
    expect(verdict.verdict).toBe('INVALID');
  });

  test('if the steps do not suffice', async () => {
    const { verdict, steps } = await searchRate({
      ...options,
      mostSteps: 3,
      run: (rate) => stepAt(rate, {}),
    });
    expect(steps).toHaveLength(3);
    expect(verdict.reason).toContain('every rate kept the bound');
  });
});
