// The simulation against what queueing theory knows exactly: waiting behind one server, and shared cores.

import { describe, expect, test } from 'vitest';
import { Cores } from '../../../loadtest/simulate/cores.ts';
import type { LoopOverhead } from '../../../loadtest/simulate/costs.ts';
import { EventLoop } from '../../../loadtest/simulate/event-loop.ts';
import { simulate } from '../../../loadtest/simulate/simulate.ts';
import { VirtualTime } from '../../../loadtest/simulate/virtual-time.ts';
import { randomAt, type Random } from '../../../vgg/random.ts';
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

  test('who comes goes first for a moment', async () => {
    const time = new VirtualTime();
    const cores = new Cores(time, 1);
    const times: Record<string, number> = {};
    const run = (name: string, at: number, ms: number) => {
      time.at(at, () => {
        cores.run(ms, 1, () => {
          times[name] = time.now();
        });
      });
    };
    run('long', 0, 20);
    run('short', 10, 1);
    run('middle', 12, 3.4);
    await time.run();
    expect(times['short']).toBeCloseTo(11, 9);
    // 1.4 by itself, then in turns with the long one.
    expect(times['middle']).toBeCloseTo(17.4, 9);
    expect(times['long']).toBeCloseTo(24.4, 9);
  });

  test('a thread that does one piece after the other does not wake', async () => {
    const time = new VirtualTime();
    const cores = new Cores(time, 1);
    const loop = new EventLoop(cores);
    let last = 0;
    for (let i = 0; i < 100; i++) loop.work(1, () => (last = time.now()));
    let other = 0;
    time.at(50, () => {
      cores.run(21.4, 1, () => (other = time.now()));
    });
    await time.run();
    // The other one has 1.4 by itself, then each has half.
    expect(other).toBeCloseTo(91.4, 9);
    expect(last).toBeCloseTo(121.4, 9);
  });

  // When each of three pieces ends, of which each begins as the one before it ends.
  async function thrice(time: VirtualTime, cores: Cores, ms: number): Promise<number[]> {
    const times: number[] = [];
    const next = () => {
      times.push(time.now());
      if (times.length < 3) cores.run(ms, 1, next);
    };
    cores.run(ms, 1, next);
    await time.run();
    return times;
  }

  test('a machine that is half as fast for a while', async () => {
    const time = new VirtualTime();
    const cores = new Cores(time, 1, {
      slowness: (now) => (now < 10 ? 2 : 1),
      stolen: () => ({ part: 0, until: Infinity }),
    });
    // Work takes what it takes when it begins.
    expect(await thrice(time, cores, 6)).toEqual([12, 18, 24]);
  });

  test('a machine whose host has it for others for a while', async () => {
    const time = new VirtualTime();
    const cores = new Cores(time, 2, {
      slowness: () => 1,
      stolen: (now) =>
        now < 10
          ? { part: 0, until: 10 }
          : now < 30
            ? { part: 0.75, until: 30 }
            : { part: 0, until: Infinity },
    });
    // Of the second, 2 are done before, 5 within 20, 1 after.
    expect(await thrice(time, cores, 8)).toEqual([8, 31, 39]);
    // What others had is not used.
    expect(cores.usedMs).toBeCloseTo(24, 9);
  });

  test('who has cores of its own leaves the shared ones alone', async () => {
    const shared = { tasks: 1, vcpu: undefined, start: [] };
    const engine = { ...fixed(MS), threads: 1 };
    const settings = systemOf(engine, {
      sharedCores: 1,
      fleets: {
        ...{ gateway: shared, aggregator: shared, preprocess: shared },
        inference: { ...shared, vcpu: 1 },
      },
    });
    const { system, ends: ended } = await simulate(poisson(settings, photoOf(1), { rate: 50, seconds: 20 }));
    expect(system.shared?.usedMs).toBe(0);
    expect(system.inference.usedMs).toBeCloseTo(MS * ended.answered, 6);
  });
});

test('waking a loop costs more; what comes while it works does not', async () => {
  const time = new VirtualTime();
  const cores = new Cores(time, 1);
  const loop = new EventLoop(cores, { helpers: 0.5, wake: 2 });
  const ends: number[] = [];
  const work = () => {
    loop.work(4, () => ends.push(time.now()));
  };
  time.at(0, work);
  time.at(10, work);
  time.at(11, work);
  await time.run();
  // Alone each would take 6; helpers share the core for what waking gives them, and keep the rest for a burst.
  expect(ends).toEqual([7, 17, 21]);
  expect(loop.wakes).toBe(2);
  expect(loop.mainMs).toBe(16);
  expect(loop.workedMs).toBe(24);
  expect(cores.usedMs).toBeCloseTo(18, 9);
});

describe('pauses', () => {
  // A thousand pieces of 1 ms, one after the other, and how long each takes.
  async function pieces(count: number, overhead: LoopOverhead, random?: Random) {
    const time = new VirtualTime();
    const cores = new Cores(time, count);
    const loop = new EventLoop(cores, overhead, random);
    const took: number[] = [];
    let last = 0;
    for (let i = 0; i < 1000; i++)
      loop.work(1, () => {
        took.push(time.now() - last);
        last = time.now();
      });
    await time.run();
    return { cores, loop, took };
  }

  test('come in one piece, half of it helpers’, and cost no more than before', async () => {
    const { cores, loop, took } = await pieces(1, { helpers: 0.2, pauses: [{ everyMs: 10, ms: 4 }] });
    expect(cores.usedMs).toBeCloseTo(1200, 6);
    expect(loop.workedMs).toBeCloseTo(1200, 6);
    // 2 of the thread and 2 of helpers beside a piece of 1, of which 2 in 10 are the pauses'.
    expect(took.filter((ms) => ms > 4)).toHaveLength(100);
    expect(Math.max(...took)).toBeCloseTo(4.8, 9);
    expect(Math.min(...took)).toBeCloseTo(0.8, 9);
  });

  test('of two kinds are as long as each is', async () => {
    const pauses = [
      { everyMs: 5, ms: 1 },
      { everyMs: 50, ms: 20 },
    ];
    const { cores, took } = await pieces(1, { helpers: 0, pauses });
    expect(cores.usedMs).toBeCloseTo(1000, 6);
    expect(took.filter((ms) => ms > 20)).toHaveLength(20);
    expect(took.filter((ms) => ms > 1 && ms < 20)).toHaveLength(180);
  });

  test('by chance come as often and cost as much on average, and differ', async () => {
    const overhead = { helpers: 0, pauses: [{ everyMs: 10, ms: 4 }] };
    const { cores, took } = await pieces(1, overhead, randomAt(1));
    const paused = took.filter((ms) => ms > 1);
    // A hundred, half as variable as a Poisson process: three deviations of 5; their lengths' are 2 each.
    expect(Math.abs(paused.length - 100)).toBeLessThan(15);
    const mean = paused.reduce((sum, ms) => sum + ms, 0) / paused.length;
    expect(Math.abs(mean - 4.6)).toBeLessThan(0.6);
    expect(Math.max(...paused) - Math.min(...paused)).toBeGreaterThan(4);
    expect(Math.abs(cores.usedMs - 1000)).toBeLessThan(100);
    expect(await pieces(1, overhead, randomAt(1))).toMatchObject({ took });
    expect((await pieces(1, overhead, randomAt(2))).took).not.toEqual(took);
  });

  test('helpers have more to do than pauses are long: the rest comes in bursts', async () => {
    const { cores, took } = await pieces(3, { helpers: 0.5, pauses: [{ everyMs: 10, ms: 4 }] });
    expect(cores.usedMs).toBeCloseTo(1500, 6);
    // On a core of their own nobody waits for them.
    expect(took.filter((ms) => ms > 1)).toHaveLength(100);
    expect(Math.max(...took)).toBeCloseTo(2.8, 9);
  });
});
