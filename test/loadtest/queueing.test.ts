// The harness against queues whose figures are known: in virtual time against theory, over sockets against what each
// single request must have met.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { steady } from '../../loadtest/arrivals/curve.ts';
import { steadyClock } from '../../loadtest/clock.ts';
import type { LoadPhoto, Outcome, Target } from '../../loadtest/request.ts';
import type { Step } from '../../loadtest/result.ts';
import { runStep, type StepOptions } from '../../loadtest/step.ts';
import { grpcTarget } from '../../loadtest/targets/grpc.ts';
import { httpTarget } from '../../loadtest/targets/http.ts';
import { exponential, inOrder, lindley, meanLatency, queueTarget, taking, timeOf } from './queue.ts';
import { serveQueue, type ServedQueue } from './serving-queue.ts';
import { VirtualClock, idle } from './virtual-clock.ts';

const kindsOf = (model: string) => [{ what: { protocol: 'CENTER_CROP' as const, model }, weight: 1 }];

function optionsOf(
  photos: LoadPhoto[],
  rate: number,
  seconds: number,
  target: Target,
  kinds = kindsOf(''),
): StepOptions {
  return {
    load: { loop: 'open', spread: 'poisson', curve: steady(rate, seconds) },
    warmUpSeconds: 1,
    workload: { kinds, photos },
    target,
    seed: 11,
  };
}

async function measured(options: StepOptions): Promise<{ step: Step; outcomes: Outcome[] }> {
  const outcomes: Outcome[] = [];
  const step = await runStep({ ...options, onOutcome: (outcome) => outcomes.push(outcome) });
  return { step, outcomes };
}

describe('in virtual time', () => {
  const run = async (photos: LoadPhoto[], rate: number, seconds: number) => {
    const clock = new VirtualClock();
    const options = { ...optionsOf(photos, rate, seconds, queueTarget(clock)), clock, watch: idle };
    return await clock.run(measured(options));
  };

  test.each([
    ['M/D/1', [taking(20)], 35],
    ['M/M/1', exponential(20, 1000), 35],
    ['M/M/1, nearly idle', exponential(20, 1000), 5],
  ] as const)('%s: the mean is that of Pollaczek and Khinchine', async (_name, photos, rate) => {
    const { step } = await run([...photos], rate, 2000);
    const expected = meanLatency(
      rate / 1000,
      photos.map(({ bytes }) => timeOf(bytes)),
    );
    expect(step.latency.mean / expected).toBeCloseTo(1, 1);
    expect(step.requests.answered).toBe(step.requests.intended);
    expect(step.answersPerSecond / rate).toBeCloseTo(1, 1);
    expect(step.stability.stable, step.stability.reason).toBe(true);
    expect(step.generator.saturated).toBeUndefined();
  });

  test('M/M/1: percentiles are those of an exponential distribution', async () => {
    const { step } = await run(exponential(20, 1000), 35, 4000);
    // Latency is exponential with rate μ − λ.
    const mean = 1 / (1 / 20 - 35 / 1000);
    for (const [part, value] of [
      [0.5, step.latency.p50],
      [0.9, step.latency.p90],
      [0.99, step.latency.p99],
    ] as const) {
      expect(value / (-mean * Math.log(1 - part)), `p${String(part * 100)}`).toBeGreaterThan(0.9);
      expect(value / (-mean * Math.log(1 - part)), `p${String(part * 100)}`).toBeLessThan(1.1);
    }
  });

  test('every latency is exactly that of Lindley’s recursion', async () => {
    const { outcomes } = await run(exponential(20, 1000), 45, 60);
    const answered = lindley(
      inOrder(outcomes).map(({ intendedMs, request: { photo } }) => ({
        comesMs: intendedMs,
        takesMs: timeOf(photo.bytes),
      })),
    );
    expect(outcomes.length).toBeGreaterThan(2000);
    for (const outcome of outcomes) {
      expect(outcome.end === 'answered' && outcome.endedMs).toBeCloseTo(answered[outcome.index] ?? NaN, 6);
    }
  });

  test('a server that is asked for more than it can do: answers do not keep up, and the step says so', async () => {
    const { step } = await run([taking(20)], 60, 30);
    expect(step.stability).toEqual({
      stable: false,
      reason: expect.stringContaining('do not keep up') as string,
    });
    expect(step.answersPerSecond).toBeCloseTo(50, 0);
    // The last one waits for all before it.
    expect(step.latency.max).toBeGreaterThan(3000);
  });
});

describe('over sockets, against a server in another process', () => {
  let queue: ServedQueue;
  beforeAll(async () => {
    queue = await serveQueue();
  });
  afterAll(() => {
    queue.close();
  });

  const targets = {
    http: () =>
      httpTarget({ url: new URL(queue.http), deadlineMs: 60_000, cache: false, clock: steadyClock }),
    grpc: () => grpcTarget({ address: queue.grpc, deadlineMs: 60_000, attempts: 1, clock: steadyClock }),
  };

  // A machine that does other things stops both sides now and then. The harness notices (that is its job), and then
  // its figures are not the server's: such a run is made again.
  async function undisturbed(target: Target, photos: LoadPhoto[], model: string) {
    let last;
    for (let tries = 0; tries < 7; tries++) {
      last = await measured({ ...optionsOf(photos, 15, 15, target, kindsOf(model)), seed: 5 });
      if (last.step.generator.saturated === undefined) break;
    }
    return last;
  }

  test.concurrent.each([
    ['http', 'M/D/1', [taking(40)]],
    ['grpc', 'M/M/1', exponential(40, 400)],
    ['http', 'M/M/1', exponential(40, 400)],
    ['grpc', 'M/D/1', [taking(40)]],
  ] as const)(
    '%s, %s: latencies are those of Lindley’s recursion',
    { timeout: 180_000 },
    async (transport, name, photos) => {
      const target = targets[transport]();
      const run = await undisturbed(target, [...photos], name);
      await target.close();
      if (!run) throw new Error('No run');
      const { step, outcomes } = run;
      expect(step.requests.answered, JSON.stringify(step.errors)).toBe(step.requests.intended);
      // In the order in which they came to the server: several connections may overtake each other.
      const sent = outcomes
        .flatMap((each) => (each.end === 'answered' ? [each] : []))
        .sort((a, b) => a.answer.views - b.answer.views);
      const known = lindley(
        sent.map(({ sentMs, request: { photo } }) => ({ comesMs: sentMs, takesMs: timeOf(photo.bytes) })),
      );
      const counted = sent.flatMap(({ intendedMs, endedMs }, i) => {
        const due = known[i] ?? NaN;
        return intendedMs < 0 ? [] : [{ latency: due - intendedMs, beyond: endedMs - due }];
      });
      const sorted = (values: number[]) => Float64Array.from(values).sort();
      const beyond = sorted(counted.map((each) => each.beyond));
      const latency = sorted(counted.map((each) => each.latency));
      const at = (values: Float64Array, part: number) => values[Math.floor(part * values.length)] ?? NaN;
      // Never sooner than can be; hardly later, though the other process and the network take their time.
      expect(at(beyond, 0)).toBeGreaterThan(-1);
      expect(at(beyond, 0.5)).toBeLessThan(20);
      for (const [part, value] of [
        [0.5, step.latency.p50],
        [0.9, step.latency.p90],
      ] as const) {
        expect(value - at(latency, part), `p${String(part * 100)}`).toBeGreaterThan(-2);
        expect(value - at(latency, part), `p${String(part * 100)}`).toBeLessThan(30);
      }
    },
  );
});
