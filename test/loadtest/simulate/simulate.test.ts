// The simulation's own laws: every request ends once, the same seed is the same run, more load is never quicker, and
// bounds, deadlines, lost replicas and scaling do what the services do.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SCALING } from '../../../infra/scaling.ts';
import { steady } from '../../../loadtest/arrivals/curve.ts';
import type { SystemSettings } from '../../../loadtest/simulate/settings.ts';
import { simulate } from '../../../loadtest/simulate/simulate.ts';
import { exponential, fixed, photoOf, poisson, systemOf } from './systems.ts';

const COST = { call: 1, plane: 0.2, megabyte: 0, view: 0.05, helpers: 0.2 };

/** A system in which everything takes time, on two cores. */
function busySystem(some: Partial<SystemSettings> = {}): SystemSettings {
  const base = systemOf({ threads: 2, batchMs: (batch) => 2 + batch.length }, some);
  return {
    ...base,
    costs: {
      ...{ client: COST, gateway: COST, aggregator: COST, preprocess: COST, inference: COST },
      pixels: { decode: { call: 2, megapixel: 0 }, resize: { call: 1, megapixel: 0 } },
    },
    sharedCores: 2,
    networkMs: 0.1,
    ...some,
  };
}

test('every request ends exactly once, whatever fails', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        rate: fc.integer({ min: 1, max: 150 }),
        seed: fc.integer({ min: 0, max: 1e6 }),
        queueViews: fc.integer({ min: 1, max: 200 }),
        waitingPhotos: fc.integer({ min: 0, max: 20 }),
        deadlineMs: fc.integer({ min: 5, max: 2000 }),
        streams: fc.integer({ min: 1, max: 20 }),
        views: fc.integer({ min: 1, max: 30 }),
        gateway: fc.boolean(),
        interruptionsPerHour: fc.constantFrom(0, 600),
        tasks: fc.constantFrom(0, 1, 2),
        replicaStartMs: fc.constantFrom(0, 20, 2000),
        attempts: fc.integer({ min: 1, max: 4 }),
      }),
      async ({ rate, seed, views, gateway, interruptionsPerHour, tasks, attempts, ...some }) => {
        const base = busySystem({ gateway, interruptionsPerHour });
        const start = [{ name: 'start', seconds: 1, spread: 1 }];
        const settings = {
          ...base,
          limits: { ...base.limits, ...some, decodes: 2 },
          fleets: { ...base.fleets, inference: { ...base.fleets.inference, tasks, start } },
        };
        const { ends, step, system } = await simulate({
          ...poisson(settings, photoOf(views, Math.min(3, views), 8), { rate, seconds: 5, seed }),
          clients: { attempts, deadlineMs: 2 * some.deadlineMs },
        });
        expect(ends.answered + ends.failed).toBe(ends.sent);
        expect(step.requests.answered + step.requests.failed).toBe(step.requests.sent);
        expect(system.roads.roads).toBe(0);
        for (const { views, backlog } of system.aggregator.tasks) expect([views, backlog]).toEqual([0, 0]);
        for (const fleet of [system.gateway, system.aggregator, system.preprocess, system.inference])
          for (const { calls } of fleet.tasks) expect(calls).toBe(0);
        for (const { batcher } of system.inference.tasks) expect(batcher.queuedViews).toBe(0);
      },
    ),
    { numRuns: 25 },
  );
});

test('a seed is a run, to the last bit; another is another', async () => {
  const run = async (seed: number) =>
    (await simulate(poisson(busySystem(), photoOf(9, 3, 4), { rate: 40, seconds: 20, seed }))).step;
  const [first, again, other] = [await run(5), await run(5), await run(6)];
  expect(again).toEqual(first);
  expect(other.latency).not.toEqual(first.latency);
});

test('a slower engine answers no photo sooner, for the same arrivals', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 80 }),
      fc.integer({ min: 0, max: 1e6 }),
      async (rate, seed) => {
        const at = async (ms: number) =>
          (await simulate(poisson(systemOf(fixed(ms)), photoOf(1), { rate, seconds: 10, seed }))).step
            .latency;
        const [quick, slow] = [await at(5), await at(8)];
        expect(slow.mean).toBeGreaterThanOrEqual(quick.mean);
        expect(slow.p50).toBeGreaterThanOrEqual(quick.p50);
        expect(slow.max).toBeGreaterThanOrEqual(quick.max);
      },
    ),
    { numRuns: 15 },
  );
});

test("a photo's stages are what the aggregator says of them", async () => {
  const alone = async (limit: number) => {
    const { step } = await simulate({
      ...poisson(systemOf(fixed(20)), photoOf(10, 2, limit), { rate: 1, seconds: 1 }),
      load: { loop: 'closed', concurrency: 1, seconds: 20 },
    });
    return Object.fromEntries(step.server?.stages.map(({ stage, meanMs }) => [stage, meanMs]) ?? []);
  };
  // Ten batches, one after the other: views wait 90 ms on average.
  const single = await alone(1);
  expect(single['compute']).toBeCloseTo(200, 6);
  expect(single['queue']).toBeCloseTo(90, 6);
  expect(single['total']).toBeCloseTo(200, 6);
  const together = await alone(10);
  expect(together['compute']).toBeCloseTo(20, 6);
  expect(together['queue']).toBeCloseTo(0, 6);
});

describe('bounds', () => {
  test('a full queue refuses, and what was taken is answered', async () => {
    const limits = { ...systemOf(fixed(1)).limits, queueViews: 30 };
    const { step } = await simulate(
      poisson(systemOf(fixed(20), { limits }), photoOf(10), { rate: 20, seconds: 20 }),
    );
    expect(step.errors.map(({ code }) => code)).toEqual(['RESOURCE_EXHAUSTED']);
    // A photo takes 200 ms: five a second at most.
    expect(step.answersPerSecond).toBeCloseTo(5, 0);
  });

  test('a deadline drops what waits before it is computed', async () => {
    const limits = { ...systemOf(fixed(1)).limits, deadlineMs: 100 };
    const { step, system } = await simulate(
      poisson(systemOf(fixed(20), { limits }), photoOf(1), { rate: 80, seconds: 20 }),
    );
    expect(step.errors.map(({ code }) => code)).toEqual(['DEADLINE_EXCEEDED']);
    expect(step.latency.max).toBeLessThan(100 + 1e-3);
    expect(system.counts.droppedViews.get('DEADLINE_EXCEEDED')).toBeGreaterThan(0);
  });

  test('a small request is not starved by large ones', async () => {
    const options = poisson(systemOf(fixed(1)), photoOf(1), { rate: 6, seconds: 60 });
    const kinds = [
      { what: { protocol: 'MULTI_CROP' as const, model: '' }, weight: 1 },
      { what: { protocol: 'CENTER_CROP' as const, model: '' }, weight: 1 },
    ];
    const large = photoOf(150);
    const small = photoOf(1);
    const { step } = await simulate({
      ...options,
      kinds,
      plan: ({ protocol }) => (protocol === 'MULTI_CROP' ? large : small),
    });
    const [many, one] = step.kinds;
    expect(one?.latency.p99).toBeLessThan((many?.latency.p50 ?? 0) / 5);
  });
});

describe('replicas', () => {
  test('two engines halve the load of each', async () => {
    const base = systemOf(exponential(10));
    const fleets = { ...base.fleets, inference: { ...base.fleets.inference, tasks: 2 } };
    const { step } = await simulate(poisson({ ...base, fleets }, photoOf(1), { rate: 100, seconds: 120 }));
    expect(step.server?.batches.busy).toBeCloseTo(0.5, 1);
  });

  test('a lost replica costs no answer where another is there', async () => {
    const base = systemOf(fixed(10), { interruptionsPerHour: 120 });
    const start = [{ name: 'start', seconds: 5, spread: 1 }];
    const fleets = { ...base.fleets, inference: { ...base.fleets.inference, tasks: 3, start } };
    const { step, system } = await simulate(
      poisson({ ...base, fleets }, photoOf(5), { rate: 20, seconds: 120 }),
    );
    expect(system.inference.starts.length).toBeGreaterThan(2);
    expect(system.roads.retries.score).toBeGreaterThan(0);
    expect(step.requests.failed).toBe(0);
  });
});

describe('scaling', () => {
  const start = [{ name: 'start', seconds: 120, spread: 1 }];
  const fromZero = (min: number, ms = 10): SystemSettings => {
    const limits = { ...systemOf(fixed(1)).limits, queueViews: 4096 };
    const base = systemOf(fixed(ms), { limits });
    const { rules } = SCALING.inference;
    const inference = { tasks: min, vcpu: 1, start, scaling: { rules, min, max: 4 } };
    return { ...base, fleets: { ...base.fleets, inference } };
  };

  test('from zero: photos are lost until a task is there, and counted so', async () => {
    const { step, system } = await simulate(poisson(fromZero(0), photoOf(1), { rate: 1, seconds: 600 }));
    const [cold] = system.inference.starts;
    // Seen at the end of the first minute, half a minute later by the alarm; then two minutes of starting.
    expect(cold?.at).toBe(90_000);
    expect(step.errors.map(({ code }) => code)).toEqual(['UNAVAILABLE']);
    expect(step.requests.failed).toBeGreaterThan(150);
    expect(step.requests.failed).toBeLessThan(260);
    expect(system.inference.size).toBe(1);
  });

  test('from zero: photos wait whose time allows it, and are what a task is started for', async () => {
    const base = fromZero(0);
    const settings = {
      ...base,
      gateway: true,
      // A start that takes longer than was expected.
      limits: { ...base.limits, replicaStartMs: 100_000, deadlineMs: 600_000 },
    };
    const { step, system } = await simulate(poisson(settings, photoOf(1), { rate: 1, seconds: 600 }));
    const [cold] = system.inference.starts;
    expect(step.requests.failed).toBe(0);
    // As without waiting: an alarm after a minute and a half, two minutes of starting, half a second until it is noticed.
    expect(cold?.at).toBe(90_000);
    expect(step.latency.max).toBeGreaterThan(195_000);
    expect(step.latency.max).toBeLessThan(201_000);
    const [aggregator] = system.aggregator.tasks;
    expect(aggregator?.absence?.startMs).toBeGreaterThan(200_000);
  });

  test('from zero: whoever cannot wait is told when to come back, and is answered who does', async () => {
    const base = fromZero(0);
    const limits = { ...base.limits, replicaStartMs: 240_000, deadlineMs: 60_000 };
    const options = poisson({ ...base, gateway: true, limits }, photoOf(1), { rate: 1, seconds: 600 });
    const told: number[] = [];
    const once = await simulate({
      ...options,
      onOutcome: (outcome) => {
        if (outcome.end === 'failed') told.push(outcome.endedMs - outcome.intendedMs);
      },
    });
    expect(once.step.errors.map(({ code }) => code)).toEqual(['UNAVAILABLE']);
    // After attempts of milliseconds: nobody is held for nothing, until a start is overdue by so little that waiting pays.
    expect(told.filter((ms) => ms < 1000).length).toBeGreaterThan(0.7 * told.length);
    const back = await simulate({ ...options, clients: { attempts: 5, deadlineMs: 900_000 } });
    expect(back.step.requests.failed).toBe(0);
    // They come back up to a quarter of the time later, so that they do not come all at once.
    expect(back.step.latency.max).toBeLessThan(1000 * (240 * 1.25 + 1));
    expect(back.step.latency.max).toBeGreaterThan(200_000);
  });

  test('to zero after a quarter of an hour, and nothing is paid for then', async () => {
    const options = poisson(fromZero(0), photoOf(1), { rate: 1, seconds: 600 });
    const { system } = await simulate({
      ...options,
      load: { loop: 'open', spread: 'poisson', curve: [...steady(1, 600), ...steady(1e-9, 3000)] },
    });
    expect(system.inference.size).toBe(0);
    expect(system.inference.paidMs).toBeLessThan(1_800_000);
  });

  test('a load of two and a half engines brings four', async () => {
    const { system, step } = await simulate(
      poisson(fromZero(1, 100), photoOf(1), { rate: 25, seconds: 2400 }),
    );
    expect(system.inference.ready.length).toBe(4);
    const last = step.timeline.slice(-300).map(({ p99 }) => p99);
    expect(Math.max(...last)).toBeLessThan(2000);
  });
});
