// A load test that is predicted: the same arrivals and the same requests as a test with that seed would send, put
// through a simulated system, and the same figures made of them. Knows systems and plans; nothing is started or asked.

import type { AnswerJson } from '../../sdk/index.ts';
import { DEFAULT_RETRY, Retrier } from '../../sdk/retry.ts';
import type { VggError } from '../../vgg/errors.ts';
import { randomAt } from '../../vgg/random.ts';
import { arrivalTimes, type Spread } from '../arrivals/arrivals.ts';
import { area, length, type Curve } from '../arrivals/curve.ts';
import { NOTHING, Times } from '../distribution.ts';
import { Measure } from '../measure.ts';
import type { Kind, LoadPhoto, LoadRequest, Outcome } from '../request.ts';
import type { LoadTestResult, MixEntry, Step } from '../result.ts';
import { stabilityOf } from '../stability.ts';
import { mixOf, workload, type Weighted } from '../workload.ts';
import type { RoadTimes } from './call.ts';
import { EventLoop } from './event-loop.ts';
import type { PlannedPhoto } from './plans.ts';
import { Road } from './road.ts';
import { countersOf, mostQueued, serverSide } from './server-side.ts';
import type { SystemSettings } from './settings.ts';
import { System } from './system.ts';
import { VirtualTime } from './virtual-time.ts';

/** What is simulated. */
export interface SimulationOptions {
  settings: SystemSettings;
  kinds: readonly Weighted<Kind>[];
  /** By name; each is as likely as another. */
  photos: readonly string[];
  /** What a photo becomes. */
  plan: (kind: Kind, photo: string) => PlannedPhoto;
  /** Arrivals at a system, or clients of which each asks again when it is answered. */
  load:
    | { loop: 'open'; spread: Spread; curve: Curve; trace?: boolean }
    | { loop: 'closed'; concurrency: number; seconds: number };
  warmUpSeconds: number;
  /** Clients, one a photo, that ask again as the SDK's do; absent: each photo is sent once. */
  clients?: { attempts: number; deadlineMs: number };
  seed: number;
  /** Of the step, from 0: as in a load test, all chance is of seed and number. */
  number?: number;
  /** What is not of the requests: engines, starts, interruptions. The seed's own unless given. */
  engineSeed?: number;
  /** Told of every request when it is over, warm-up included. */
  onOutcome?: ((outcome: Outcome) => void) | undefined;
}

/** What came of it. */
export interface Simulation {
  step: Step;
  mix: MixEntry[];
  /** As it stands at the end: fleets with their starts, and the minutes. */
  system: System;
  /** The generator's own event loop, where it has cores of the system. */
  client: EventLoop | undefined;
  /** Requests that were sent, warm-up included, and how many of them ended in each way. */
  ends: { sent: number; answered: number; failed: number };
}

const NO_ANSWER = {} as AnswerJson;
const MINUTE_MS = 60_000;

/** Simulates one step. */
export async function simulate(options: SimulationOptions): Promise<Simulation> {
  const { settings, kinds, photos, plan, load, warmUpSeconds, seed, number = 0 } = options;
  const time = new VirtualTime();
  const { engineSeed = seed, clients } = options;
  const system = new System(time, settings, engineSeed);
  const pauses = randomAt(engineSeed, 'pauses', 'client');
  const client = system.shared && new EventLoop(system.shared, settings.costs.client, pauses);
  const retryClock = time.clock(randomAt(engineSeed, 'retries', 'client'));
  const road = new Road(
    system,
    client,
    clients && {
      retrier: () => new Retrier({ ...DEFAULT_RETRY, attempts: clients.attempts }, retryClock),
      deadlineMs: clients.deadlineMs,
    },
  );
  const warmUpMs = warmUpSeconds * 1000;
  const mix = mixOf(kinds);
  const measure = new Measure({ warmUpMs, kinds: mix });
  const files: LoadPhoto[] = photos.map((name) => ({ name, bytes: new Uint8Array() }));
  const next = workload({ kinds, photos: files }, seed, number);
  const ends = { sent: 0, answered: 0, failed: 0 };
  const stages = stageTimes();
  let index = 0;
  const send = (intendedMs: number, over?: () => void) => {
    const request: LoadRequest = next();
    const came = { index: index++, request, intendedMs, sentMs: time.now() - warmUpMs };
    measure.sent();
    ends.sent++;
    road.send(plan(request.kind, request.photo.name), (error: VggError | undefined, times: RoadTimes) => {
      const sent = { ...came, endedMs: time.now() - warmUpMs };
      ends[error ? 'failed' : 'answered']++;
      const outcome: Outcome = error
        ? { ...sent, end: 'failed', code: error.code, message: error.message }
        : { ...sent, end: 'answered', answer: NO_ANSWER };
      measure.add(outcome);
      options.onOutcome?.(outcome);
      if (!error && intendedMs >= 0) stages.add(times);
      over?.();
    });
  };
  const seconds = load.loop === 'open' ? length(load.curve) : load.seconds;
  const stepMs = seconds * 1000;
  let sending = true;
  if (load.loop === 'open') {
    const arrivals = arrivalTimes({ ...load, warmUpSeconds }, randomAt(seed, 'arrivals', number));
    const following = () => {
      const arrival = arrivals.next();
      if (arrival.done === true) sending = false;
      else {
        time.at(arrival.value + warmUpMs, () => {
          send(arrival.value);
          following();
        });
      }
    };
    following();
  } else {
    const again = () => {
      if (time.now() < warmUpMs + stepMs) send(time.now() - warmUpMs, again);
      else sending = false;
    };
    for (let i = 0; i < load.concurrency; i++) time.soon(again);
  }
  await time.run(warmUpMs);
  const queued = mostQueued(system, warmUpMs + stepMs);
  const before = countersOf(system);
  await time.run(warmUpMs + stepMs);
  const after = countersOf(system);
  const unfinished = () => sending || ends.sent > ends.answered + ends.failed;
  while (unfinished()) await time.run(time.now() + MINUTE_MS);
  // What was given up is still in hand for a moment.
  await time.run(time.now() + MINUTE_MS);
  const step: Step = {
    load:
      load.loop === 'open'
        ? {
            loop: 'open',
            arrivals: load.trace === true ? 'trace' : load.spread,
            ratePerSecond: area(load.curve) / seconds,
          }
        : { loop: 'closed', concurrency: load.concurrency },
    warmUpSeconds,
    seconds,
    requests: measure.requests,
    answersPerSecond: measure.answersPerSecond(stepMs),
    latency: measure.latency.distribution(),
    serviceTime: measure.serviceTime.distribution(),
    errors: measure.errors(),
    kinds: measure.kinds(seconds),
    timeline: measure.timeline(stepMs),
    server: serverSide(before, after, seconds, { stages: stages.means(), mostQueuedViews: queued() }),
    generator: { late: NOTHING, eventLoopDelay: NOTHING, cpuCores: 0 },
    stability: stabilityOf(
      measure.quarters(stepMs),
      load.loop === 'open' && load.trace === true ? 'trace' : load.loop,
    ),
  };
  return { step, mix, system, client, ends };
}

/** Simulated steps as a load test's result. @param facts `system`: what was simulated, for people; `photos`: bytes are a plan's */
export function predictedResult(
  simulations: readonly Simulation[],
  facts: Pick<LoadTestResult, 'command' | 'startedAt' | 'seed' | 'photos'> & { system: string },
): LoadTestResult {
  const { command, startedAt, seed, photos, system } = facts;
  return {
    version: 1,
    command,
    startedAt,
    target: {
      address: system,
      transport: simulations[0]?.system.settings.gateway === true ? 'http' : 'grpc',
    },
    seed,
    photos,
    mix: simulations[0]?.mix ?? [],
    steps: simulations.map(({ step }) => step),
  };
}

function stageTimes() {
  const stages = { prepare: new Times(), queue: new Times(), compute: new Times(), total: new Times() };
  return {
    add: ({ prepareMs, queueMs, computeMs, totalMs }: RoadTimes) => {
      stages.prepare.add(prepareMs);
      stages.queue.add(queueMs);
      stages.compute.add(computeMs);
      stages.total.add(totalMs);
    },
    means: () =>
      Object.entries(stages).map(([stage, times]) => {
        const { count, mean } = times.distribution();
        return { stage, meanMs: mean, count };
      }),
  };
}
