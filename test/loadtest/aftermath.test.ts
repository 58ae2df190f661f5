// What the services have in hand after a storm of cancelled requests: of real services, held against what they and their
// engine saw themselves; and of servers that go on working for nobody, which must be told apart.

import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { steady } from '../../loadtest/arrivals/curve.ts';
import { aftermathOf } from '../../loadtest/aftermath.ts';
import { steadyClock } from '../../loadtest/clock.ts';
import { metricsObserver } from '../../loadtest/observer.ts';
import { judgementsOf } from '../../loadtest/report/judgements.ts';
import type { Outcome, Target } from '../../loadtest/request.ts';
import type { Aftermath, Step } from '../../loadtest/result.ts';
import { metricsUrl } from '../../loadtest/server-side/scrape.ts';
import type { Snapshot } from '../../loadtest/server-side/snapshot.ts';
import { runStep } from '../../loadtest/step.ts';
import { grpcTarget } from '../../loadtest/targets/grpc.ts';
import { httpTarget } from '../../loadtest/targets/http.ts';
import { readConfig as aggregatorConfig } from '../../services/aggregator/config.ts';
import { startAggregator } from '../../services/aggregator/main.ts';
import type { RunningGateway } from '../../services/gateway/main.ts';
import type { RunningServer } from '../../services/host/serve.ts';
import { DROPPED, QUEUED } from '../../services/inference/metrics.ts';
import { startOnnxEngine } from '../../services/inference/onnx/engine.ts';
import { readConfig as preprocessConfig } from '../../services/preprocess/config.ts';
import { startPreprocess } from '../../services/preprocess/main.ts';
import { VggError } from '../../vgg/errors.ts';
import { gatewayOf, PHOTO } from '../gateway/running-gateway.ts';
import { heldEngine, metric, modelFolder, startService, type HeldEngine } from '../inference/serving.ts';
import { ANSWER, taking } from './queue.ts';
import { idle, VirtualClock } from './virtual-clock.ts';

// Ten crops of a photo: all of them reach inference in one message.
const kind = { protocol: 'TEN_CROP' as const, model: '' };
const VIEWS = 10;

describe('real services', () => {
  let folder: string;
  let held: HeldEngine;
  let inference: RunningServer;
  let others: RunningServer[];
  let aggregator: RunningServer;
  let gateway: RunningGateway;
  let metrics: URL[];
  beforeAll(async () => {
    folder = await modelFolder();
    held = heldEngine(await startOnnxEngine({ threads: 1, bounds: { units: 32 } }));
    inference = await startService(folder, { VGG_INFERENCE_METRICS_PORT: '0' }, held.engine);
    const own = { port: 0, metricsPort: 0, logLevel: 'silent' as const };
    const preprocess = await startPreprocess({ ...preprocessConfig({}), ...own });
    aggregator = await startAggregator({
      ...{ ...aggregatorConfig({}), ...own },
      ...{ preprocess: preprocess.address, inference: inference.address },
    });
    others = [preprocess, aggregator];
    gateway = await gatewayOf({ aggregator, inference });
    metrics = [inference, ...others].map(({ metricsAddress = '' }) => metricsUrl(metricsAddress));
  });
  afterAll(async () => {
    held.release();
    await gateway.close();
    await Promise.all([...others, inference].map((server) => server.close()));
    await rm(folder, { recursive: true });
  });

  const dropped = async () =>
    (await inference.registry.getSingleMetric(DROPPED)?.get())?.values.reduce(
      (sum, { value }) => sum + value,
      0,
    ) ?? NaN;
  const targets = {
    gRPC: () =>
      grpcTarget({
        address: aggregator.address,
        deadlineMs: 30_000,
        attempts: 1,
        ask: { scales: [64], share: 'OFF' },
        clock: steadyClock,
      }),
    HTTP: () =>
      httpTarget({
        url: new URL(gateway.url),
        deadlineMs: 30_000,
        cache: false,
        ask: { scales: [64], share: 'OFF' },
        clock: steadyClock,
      }),
  };

  test.each(['gRPC', 'HTTP'] as const)(
    'a storm over %s: its figures are what the services saw',
    async (transport) => {
      const target = targets[transport]();
      const urls = transport === 'HTTP' ? [...metrics, new URL('/metrics', gateway.url)] : metrics;
      const warned: string[] = [];
      const outcomes: Outcome[] = [];
      const before = { dropped: await dropped(), batches: held.batches.length, planned: held.planned.length };
      // Nothing is answered, so every request is cancelled while its views wait or are in the engine's hands.
      held.hold();
      const step = await runStep({
        load: { loop: 'closed', concurrency: 6, seconds: 3 },
        workload: {
          photos: [{ name: 'photo.png', bytes: PHOTO }],
          kinds: [{ what: kind, weight: 1 }],
          cancel: { part: 1, withinMs: 600 },
        },
        ...{ warmUpSeconds: 0, seed: 3, target },
        server: metricsObserver(urls, (message) => warned.push(message)),
        onOutcome: (outcome) => outcomes.push(outcome),
      });
      await target.close();
      expect(warned).toEqual([]);
      expect(new Set(outcomes.map(({ end }) => end))).toEqual(new Set(['cancelled']));
      const { aftermath } = step;
      expect(aftermath?.cancelled).toBe(outcomes.length);
      // At the end nothing waits, as the services' own counts have it.
      expect(aftermath).toMatchObject({ queuedViews: { last: 0 }, callsInFlight: { last: 0 } });
      expect(aftermath?.clearAfterMs).not.toBeNull();
      expect([inference, ...others].map(({ inFlight }) => inFlight)).toEqual([0, 0, 0]);
      expect(await metric(inference, QUEUED)).toBe(0);
      // Of all views that reached inference, those that the held engine got are computed; the others were dropped.
      const reached = VIEWS * (held.planned.length - before.planned);
      const computed = held.batches.slice(before.batches).flat().length;
      expect(computed).toBeLessThan(reached);
      expect(aftermath?.droppedViews).toBe(reached - computed);
      expect(aftermath?.droppedViews).toBe((await dropped()) - before.dropped);
      expect(judgementsOf({ steps: [step] } as never).find(({ about }) => about === 'aftermath')?.good).toBe(
        true,
      );
      held.release();
    },
  );
});

describe('a server that goes on working for requests that were cancelled', () => {
  const VIEW_MS = 50;

  // One view after the other; the call of a cancelled request ends at once, or when its views are done.
  class Deaf {
    #free = 0;
    readonly #clock: VirtualClock;
    readonly #endsCalls: boolean;
    readonly #ends: number[] = [];

    constructor(clock: VirtualClock, endsCalls: boolean) {
      this.#clock = clock;
      this.#endsCalls = endsCalls;
    }

    readonly target: Target = {
      send: (_request, signal) =>
        new Promise((resolve, reject) => {
          for (let view = 0; view < VIEWS; view++) {
            this.#free = Math.max(this.#free, this.#clock.now()) + VIEW_MS;
            this.#ends.push(this.#free);
          }
          this.#clock.at(this.#free, () => {
            resolve(ANSWER);
          });
          signal.addEventListener('abort', () => {
            reject(new VggError('CANCELLED', 'Cancelled'));
          });
        }),
      close: () => Promise.resolve(),
    };

    /** Views that wait. */
    get waiting(): number {
      return this.#ends.filter((end) => end > this.#clock.now()).length;
    }

    snapshot(): Promise<Snapshot> {
      const queuedViews = this.waiting;
      const callsInFlight = this.#endsCalls ? 0 : Math.ceil(queuedViews / VIEWS);
      return Promise.resolve({ queuedViews, callsInFlight, droppedViews: 0 });
    }
  }

  async function storm(requests: number, endsCalls: boolean): Promise<{ step: Step; left: number }> {
    const clock = new VirtualClock();
    const deaf = new Deaf(clock, endsCalls);
    const step = await clock.run(
      runStep({
        load: { loop: 'open', spread: 'constant', curve: steady(requests, 1) },
        workload: {
          photos: [taking(1)],
          kinds: [{ what: kind, weight: 1 }],
          cancel: { part: 1, withinMs: 10 },
        },
        ...{ warmUpSeconds: 0, seed: 1, target: deaf.target, clock, watch: idle },
        server: {
          begin: () => undefined,
          end: () => Promise.resolve(undefined),
          snapshot: () => deaf.snapshot(),
        },
      }),
    );
    return { step, left: deaf.waiting };
  }
  const said = (step: Step) =>
    judgementsOf({ steps: [step] } as never).filter(({ about }) => about === 'aftermath');

  test('for long is said to have views and calls left', async () => {
    // 100 requests of 10 views of 50 ms are 50 s of work; it is waited for 15 s.
    const { step, left } = await storm(100, false);
    expect(left).toBeGreaterThan(600);
    expect(step.aftermath).toMatchObject({
      ...{ cancelled: 100, droppedViews: 0, clearAfterMs: null },
      queuedViews: { last: left },
      callsInFlight: { last: Math.ceil(left / VIEWS) },
    });
    expect(said(step)).toMatchObject([
      {
        good: false,
        text: `After cancelling, the services dropped 0 views, warm-up included, but ${String(left)} views and ${String(Math.ceil(left / VIEWS))} calls were left`,
      },
    ]);
  });

  test('is found out though it ends the calls and comes to rest', async () => {
    const { step, left } = await storm(20, true);
    expect(left).toBe(0);
    const waited = step.aftermath?.queuedViews.first ?? 0;
    // 200 views of 50 ms, of which a second's worth was done in the step.
    expect(waited).toBeGreaterThan(170);
    expect(step.aftermath?.clearAfterMs).toBeGreaterThan(8000);
    expect(said(step)[0]?.good).toBe(false);
    expect(said(step)[0]?.text).toContain(
      `none of the ${String(waited)} views that waited for nobody was dropped`,
    );
  });
});

describe('the aftermath', () => {
  const at = (queuedViews: number, callsInFlight: number, droppedViews: number): Snapshot => ({
    queuedViews,
    callsInFlight,
    droppedViews,
  });
  // Snapshots in their order, the last one for ever.
  const follow = async (
    snapshots: (Snapshot | undefined)[],
    signal?: AbortSignal,
  ): Promise<Aftermath | undefined> => {
    const clock = new VirtualClock();
    const left = [...snapshots];
    const next = () => Promise.resolve(left.length > 1 ? left.shift() : left[0]);
    return await clock.run(aftermathOf(7, at(3, 2, 100), next, clock, signal));
  };

  test('counts what was dropped since the step began, and waits until nothing is left', async () => {
    expect(await follow([at(50, 4, 110), at(20, 4, 140), at(0, 1, 160), at(0, 0, 161)])).toEqual({
      ...{ cancelled: 7, droppedViews: 61, clearAfterMs: 600 },
      ...{ queuedViews: { first: 50, last: 0 }, callsInFlight: { first: 4, last: 0 } },
    });
  });

  test('a call that never ends is left, though no view is', async () => {
    expect(await follow([at(0, 1, 110)])).toMatchObject({
      clearAfterMs: null,
      callsInFlight: { first: 1, last: 1 },
    });
  });

  test('is unknown where the services cannot be read, and is what was read last if they go', async () => {
    expect(await follow([undefined])).toBeUndefined();
    expect(await follow([at(5, 1, 100), undefined])).toMatchObject({
      clearAfterMs: null,
      queuedViews: { first: 5, last: 5 },
    });
  });

  test('is not waited for by who has no time', async () => {
    expect(await follow([at(5, 1, 100), at(0, 0, 105)], AbortSignal.abort())).toMatchObject({
      clearAfterMs: null,
      queuedViews: { last: 5 },
    });
  });
});
