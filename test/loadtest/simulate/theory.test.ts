// The simulation against what queueing theory knows exactly: waiting behind one server, and shared cores.

import { describe, expect, test } from 'vitest';
import { Cores, pacesOf, FAIR } from '../../../loadtest/simulate/cores.ts';
import { simulate } from '../../../loadtest/simulate/simulate.ts';
import { VirtualTime } from '../../../loadtest/simulate/virtual-time.ts';
import { exponential, fixed, photoOf, poisson, systemOf } from './systems.ts';

const MS = 10;

describe('one engine, Poisson arrivals', () => {
  test.each([0.3, 0.6, 0.8])('M/D/1 at %f: Pollaczek and Khinchine', async (load) => {
    const { step } = await simulate(
      poisson(systemOf(fixed(MS)), photoOf(1), { rate: (1000 * load) / MS, seconds: 600 }),
    );
    const mean = MS + (MS * load) / (2 * (1 - load));
    expect(step.latency.mean / mean).toBeCloseTo(1, 1);
    expect(step.server?.batches.busy).toBeCloseTo(load, 1);
  });

  test.each([0.3, 0.6])('M/M/1 at %f: mean and percentiles of an exponential', async (load) => {
    const { step } = await simulate(
      poisson(systemOf(exponential(MS)), photoOf(1), { rate: (1000 * load) / MS, seconds: 900 }),
    );
    const mean = MS / (1 - load);
    expect(step.latency.mean / mean).toBeCloseTo(1, 1);
    expect(step.latency.p50 / (mean * Math.log(2))).toBeCloseTo(1, 1);
    expect(step.latency.p99 / (mean * Math.log(100))).toBeCloseTo(1, 0);
  });

  test("Little's law: requests under way are rate times latency", async () => {
    const { step } = await simulate(
      poisson(systemOf(exponential(MS)), photoOf(1), { rate: 60, seconds: 600 }),
    );
    const seconds = step.timeline.filter(({ second }) => second >= 0);
    const underWay = seconds.reduce((sum, { inFlight }) => sum + inFlight, 0) / seconds.length;
    const expected = (step.answersPerSecond * step.latency.mean) / 1000;
    expect(underWay).toBeGreaterThan(0.7 * expected);
    expect(underWay).toBeLessThan(1.3 * expected);
  });

  test('an engine that takes whole batches in the time of one is never behind', async () => {
    const { step } = await simulate(
      poisson(systemOf(fixed(MS)), photoOf(1, 1, 1000), { rate: 1000, seconds: 30 }),
    );
    expect(step.latency.max).toBeLessThanOrEqual(2 * MS + 1e-3);
    expect(step.server?.batches.meanViews).toBeGreaterThan(8);
  });
});

describe('shared cores', () => {
  async function ends(tasks: readonly { ms: number; threads: number }[], count = 2) {
    const time = new VirtualTime();
    const cores = new Cores(time, count);
    const times: number[] = [];
    for (const [i, { ms, threads }] of tasks.entries())
      cores.run(ms, threads, () => {
        times[i] = time.now();
      });
    await time.run();
    return { times, usedMs: cores.usedMs };
  }

  test('threads that fit are not slowed', async () => {
    expect(
      (
        await ends([
          { ms: 10, threads: 1 },
          { ms: 20, threads: 1 },
        ])
      ).times,
    ).toEqual([10, 20]);
  });

  test('three equal threads on two cores take half as long again, and use both cores', async () => {
    const { times, usedMs } = await ends([10, 10, 10].map((ms) => ({ ms, threads: 1 })));
    for (const time of times) expect(time).toBeCloseTo(15, 9);
    expect(usedMs).toBeCloseTo(30, 9);
  });

  test('a short one leaves, and the others go on at full pace', async () => {
    // Until 6 at pace 2/3: 4 are done of each; then two threads, two cores.
    const { times } = await ends([4, 10, 10].map((ms) => ({ ms, threads: 1 })));
    expect(times[0]).toBeCloseTo(6, 9);
    expect(times[1]).toBeCloseTo(12, 9);
  });

  test('an engine of two threads beside one other, fairly', async () => {
    const { times } = await ends([
      { ms: 20, threads: 2 },
      { ms: 10, threads: 1 },
    ]);
    expect(times[1]).toBeCloseTo(15, 9);
    expect(times[0]).toBeCloseTo(25, 9);
  });

  test('preference and barrier: nobody gets more cores than there are', () => {
    for (const preference of [0, 0.3, 1])
      for (const barrier of [1, 1.7])
        for (const alone of [0, 1, 2, 5])
          for (const together of [0, 1.5, 2, 4]) {
            const paces = pacesOf(2, alone, together, { preference, barrier });
            expect(paces.alone).toBeLessThanOrEqual(1);
            expect(paces.together).toBeLessThanOrEqual(1);
            expect(paces.alone).toBeGreaterThan(0);
            expect(paces.together).toBeGreaterThan(0);
          }
    const fair = pacesOf(2, 1, 2, FAIR);
    expect(fair.alone).toBeCloseTo(2 / 3, 12);
    expect(fair.together).toBeCloseTo(2 / 3, 12);
    expect(pacesOf(2, 1, 2, { preference: 1, barrier: 1 })).toEqual({ alone: 1, together: 0.5 });
  });
});
