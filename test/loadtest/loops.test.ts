// When requests are sent and what becomes of them, in virtual time.

import { describe, expect, test } from 'vitest';
import { steady } from '../../loadtest/arrivals/curve.ts';
import { runOpenLoop } from '../../loadtest/open-loop.ts';
import type { LoadPhoto, Outcome, Target } from '../../loadtest/request.ts';
import { runStep, type StepOptions } from '../../loadtest/step.ts';
import { queueTarget, refusing, taking } from './queue.ts';
import { VirtualClock, idle } from './virtual-clock.ts';

const kind = { protocol: 'CENTER_CROP' as const, model: '' };

// A target whose every answer takes so long, however many are under way.
function slow(clock: VirtualClock, ms: number): Target {
  return {
    send: (_request, signal) =>
      new Promise((resolve, reject) => {
        clock.at(clock.now() + ms, () => {
          resolve({} as never);
        });
        signal.addEventListener('abort', () => {
          reject(signal.reason as Error);
        });
      }),
    close: () => Promise.resolve(),
  };
}

async function open(
  clock: VirtualClock,
  target: Target,
  arrivals: readonly number[],
  more: {
    maxInFlight?: number;
    patienceMs?: number;
    signal?: AbortSignal;
    photo?: LoadPhoto;
    cancelAfterMs?: number;
  } = {},
): Promise<Outcome[]> {
  const { maxInFlight = 1000, patienceMs = 60_000, signal, photo = taking(1), cancelAfterMs } = more;
  const outcomes: Outcome[] = [];
  await clock.run(
    runOpenLoop({
      ...{ clock, target, arrivals, maxInFlight, patienceMs, signal, origin: 0 },
      next: () => ({ photo, kind, ...(cancelAfterMs !== undefined && { cancelAfterMs }) }),
      onOutcome: (outcome) => outcomes.push(outcome),
    }),
  );
  return outcomes.sort((a, b) => a.index - b.index);
}

const stepOf = (clock: VirtualClock, more: Partial<StepOptions> & Pick<StepOptions, 'load' | 'target'>) =>
  clock.run(
    runStep({
      ...{ warmUpSeconds: 0, seed: 1, clock, watch: idle },
      workload: { kinds: [{ what: kind, weight: 1 }], photos: [taking(10)] },
      ...more,
    }),
  );

describe('an open loop', () => {
  test('sends when it was meant to, whether earlier requests are answered or not', async () => {
    const clock = new VirtualClock();
    const outcomes = await open(clock, slow(clock, 5000), [0, 10, 20, 30.5]);
    expect(
      outcomes.map((each) => each.end === 'answered' && [each.intendedMs, each.sentMs, each.endedMs]),
    ).toEqual([
      [0, 0, 5000],
      [10, 10, 5010],
      [20, 20, 5020],
      [30.5, 30.5, 5030.5],
    ]);
  });

  test('abandons what would be too many under way, and says so', async () => {
    const clock = new VirtualClock();
    const outcomes = await open(clock, slow(clock, 100), [0, 1, 2, 150], { maxInFlight: 2 });
    expect(outcomes.map(({ end }) => end)).toEqual(['answered', 'answered', 'abandoned', 'answered']);
  });

  test('a step with abandoned requests is the generator’s, and they count as late', async () => {
    const clock = new VirtualClock();
    const step = await stepOf(clock, {
      load: { loop: 'open', spread: 'constant', curve: steady(100, 10) },
      target: slow(clock, 1000),
      maxInFlight: 50,
      bound: { percentile: 90, ms: 5000 },
    });
    const { intended, sent, answered, abandoned } = step.requests;
    expect(intended).toBe(1000);
    expect(sent).toBe(answered);
    expect(abandoned).toBe(intended - sent);
    expect(abandoned).toBeGreaterThan(400);
    expect(step.generator.saturated).toContain('were not sent');
    expect(step.bound).toMatchObject({ kept: false, late: abandoned, requests: 1000 });
  });

  test('requests without an answer when patience ends have failed', async () => {
    const clock = new VirtualClock();
    const [outcome] = await open(clock, slow(clock, 5000), [0], { patienceMs: 300 });
    expect(outcome).toMatchObject({ end: 'failed', code: 'DEADLINE_EXCEEDED', endedMs: 300 });
  });

  test('cancels as planned, unless the answer comes before', async () => {
    const clock = new VirtualClock();
    const [cancelled] = await open(clock, slow(clock, 100), [0], { cancelAfterMs: 40 });
    expect(cancelled).toMatchObject({ end: 'cancelled', endedMs: 40 });
    const later = new VirtualClock();
    const [answered] = await open(later, slow(later, 100), [0], { cancelAfterMs: 400 });
    expect(answered).toMatchObject({ end: 'answered', endedMs: 100 });
  });

  test('the signal ends it: what is under way is cancelled, and the step is of the time it had', async () => {
    const clock = new VirtualClock();
    const interrupt = new AbortController();
    clock.at(2000, () => {
      interrupt.abort();
    });
    const step = await stepOf(clock, {
      load: { loop: 'open', spread: 'constant', curve: steady(10, 60) },
      target: slow(clock, 500),
      signal: interrupt.signal,
    });
    expect(step).toMatchObject({ seconds: 2, ended: 'interrupted' });
    expect(step.requests).toMatchObject({ intended: 20, answered: 15, cancelled: 5, failed: 0 });
  });
});

describe('a closed loop', () => {
  test('sends the next request when the last one is answered', async () => {
    const clock = new VirtualClock();
    const step = await stepOf(clock, {
      load: { loop: 'closed', concurrency: 3, seconds: 10 },
      target: queueTarget(clock),
    });
    // One server, 10 ms each: three clients wait for each other.
    expect(step.answersPerSecond).toBeCloseTo(100, 0);
    expect(step.latency.p50).toBeCloseTo(30, 1);
    expect(step.stability.stable, step.stability.reason).toBe(true);
  });

  test('a client that was refused waits a moment: a server that refuses at once is not asked without end', async () => {
    const clock = new VirtualClock();
    const step = await stepOf(clock, {
      load: { loop: 'closed', concurrency: 2, seconds: 1 },
      target: refusing,
    });
    expect(step.requests).toMatchObject({ answered: 0, failed: 20 });
    expect(step.errors).toMatchObject([{ code: 'RESOURCE_EXHAUSTED', count: 20, example: 'Full' }]);
  });
});

describe('warm-up', () => {
  test('is in no figure but the timeline', async () => {
    const clock = new VirtualClock();
    // The first second of the server's life is slow.
    const target: Target = {
      send: (_request, signal) => slow(clock, clock.now() < 1000 ? 900 : 10).send(_request, signal),
      close: () => Promise.resolve(),
    };
    const step = await stepOf(clock, {
      load: { loop: 'open', spread: 'constant', curve: steady(10, 5) },
      warmUpSeconds: 2,
      target,
    });
    expect(step.requests.intended).toBe(50);
    expect(step.latency.max).toBeCloseTo(10, 6);
    expect(step.timeline.map(({ second, intended }) => [second, intended])).toEqual(
      [-2, -1, 0, 1, 2, 3, 4].map((second) => [second, 10]),
    );
    expect(step.timeline[0]?.p50).toBeCloseTo(900, 6);
  });
});

describe('a server that stalls for two seconds', () => {
  // Every answer takes 5 ms; the one at 3 s takes 2 s, and everybody waits for it.
  const stalling = (clock: VirtualClock) => {
    const queue = queueTarget(clock);
    let stalled = false;
    const target: Target = {
      send(request, signal) {
        const stalls = !stalled && clock.now() >= 3000;
        stalled ||= stalls;
        return queue.send(stalls ? { ...request, photo: taking(2000) } : request, signal);
      },
      close: () => Promise.resolve(),
    };
    return target;
  };
  const run = async (load: StepOptions['load']) => {
    const clock = new VirtualClock();
    const workload = { kinds: [{ what: kind, weight: 1 }], photos: [taking(5)] };
    return await stepOf(clock, { load, target: stalling(clock), workload });
  };

  test('an open loop tells: a fifth of the requests met the stall', async () => {
    const step = await run({ loop: 'open', spread: 'constant', curve: steady(50, 10) });
    expect(step.latency.p50).toBeLessThan(10);
    expect(step.latency.p90).toBeGreaterThan(900);
    expect(step.latency.p99).toBeGreaterThan(1800);
    // What it would be if time counted from sending is the same here, since sending never waits.
    expect(step.serviceTime.p99).toBeCloseTo(step.latency.p99, 6);
  });

  test('a closed loop hides it: one request of more than a thousand met it', async () => {
    const step = await run({ loop: 'closed', concurrency: 1, seconds: 10 });
    expect(step.requests.answered).toBeGreaterThan(1000);
    expect(step.latency.p99).toBeCloseTo(5, 1);
    expect(step.latency.max).toBeCloseTo(2000, 6);
  });
});

test('a generator that stalls shows as well: latency counts from the moment a request was due', async () => {
  const clock = new VirtualClock();
  // Timers between 3 s and 5 s fire at 5 s, as if the generator's process had been stopped.
  const stopped = {
    now: () => clock.now(),
    at: (time: number, task: () => void) => clock.at(time > 3000 && time < 5000 ? 5000 : time, task),
  };
  const step = await clock.run(
    runStep({
      load: { loop: 'open', spread: 'constant', curve: steady(50, 10) },
      workload: { kinds: [{ what: kind, weight: 1 }], photos: [taking(5)] },
      ...{ warmUpSeconds: 0, seed: 1, clock: stopped, watch: idle, target: slow(clock, 5) },
    }),
  );
  expect(step.latency.p99).toBeGreaterThan(1800);
  expect(step.serviceTime.p99).toBeCloseTo(5, 1);
  expect(step.generator.late.p99).toBeGreaterThan(1800);
  expect(step.generator.saturated).toMatch(/sent more than \d+\.\d ms late/);
});
