// One load, held for a while: from a load's description to a step of the result. Puts loop, workload, measuring and
// self-observation together; knows neither transports nor what is done with the result.

import { randomAt } from '../vgg/random.ts';
import { aftermathOf } from './aftermath.ts';
import { arrivalTimes, type Spread } from './arrivals/arrivals.ts';
import { area, length, type Curve } from './arrivals/curve.ts';
import { until, steadyClock, type Clock } from './clock.ts';
import { runClosedLoop } from './closed-loop.ts';
import { mostLate } from './confidence.ts';
import { Measure, type Bound } from './measure.ts';
import { runOpenLoop } from './open-loop.ts';
import type { LoopOptions } from './attempt.ts';
import { NOTHING, rounded } from './distribution.ts';
import type { Outcome, Target } from './request.ts';
import type { Load, ServerSide, Step } from './result.ts';
import { generatorOf, watchSelf, type Self } from './saturation.ts';
import type { Snapshot } from './server-side/snapshot.ts';
import { stabilityOf } from './stability.ts';
import { mixOf, workload, type WorkloadOptions } from './workload.ts';

/** How a step is to be loaded. */
export type StepLoad =
  | { loop: 'open'; spread: Spread; curve: Curve; trace?: boolean }
  | { loop: 'closed'; concurrency: number; seconds: number };

/** Observes the services; what they do not tell is left out of the result. */
export interface ServerObserver {
  /** The warm-up is over. */
  begin: () => void;
  /** The step is over; undefined if nothing could be read. */
  end: () => Promise<ServerSide | undefined>;
  /** What the services have in hand now; undefined if that cannot be told. */
  snapshot: () => Promise<Snapshot | undefined>;
}

/** What a step is told. */
export interface StepOptions {
  load: StepLoad;
  warmUpSeconds: number;
  workload: WorkloadOptions;
  target: Target;
  /** Of the whole test. */
  seed: number;
  /** From 0; all chance is of seed and number. */
  number?: number;
  /** Of an open loop, ≥ 1. */
  maxInFlight?: number;
  /** Answers are waited for so long after the last request was sent, in milliseconds. */
  patienceMs?: number;
  bound?: Bound | undefined;
  /** The step ends as soon as its bound cannot be kept any more. */
  endEarly?: boolean;
  /** Ends the step: what is under way is cancelled, and the result is of the time it had. */
  signal?: AbortSignal | undefined;
  server?: ServerObserver | undefined;
  /** Told of every request when it is over, warm-up included. */
  onOutcome?: ((outcome: Outcome) => void) | undefined;
  /** Given the running figures when the step begins. */
  onStart?: ((running: RunningStep) => void) | undefined;
  clock?: Clock;
  watch?: () => () => Self;
}

/** A step that runs, for whoever shows how far it is. */
export interface RunningStep {
  measure: Measure;
  warmUpSeconds: number;
  seconds: number;
  /** Seconds since the warm-up ended; negative before. */
  elapsed: () => number;
}

/** Requests of an open loop that may be under way unless told otherwise. */
export const MAX_IN_FLIGHT = 10_000;
const PATIENCE_MS = 60_000;

/** Runs a step; it takes its warm-up, its time, and until the last answer has come. */
export async function runStep(options: StepOptions): Promise<Step> {
  const { load, warmUpSeconds, clock = steadyClock, bound, server, onOutcome } = options;
  const seconds = load.loop === 'open' ? length(load.curve) : load.seconds;
  const measure = new Measure({
    warmUpMs: warmUpSeconds * 1000,
    kinds: mixOf(options.workload.kinds),
    bound,
  });
  const stop = new AbortController();
  let ended: string | undefined;
  const end = (why: string) => {
    ended ??= why;
    stop.abort();
  };
  const interrupted = () => {
    end('interrupted');
  };
  if (options.signal?.aborted === true) interrupted();
  else options.signal?.addEventListener('abort', interrupted, { once: true });
  const mostOverBound = bound && options.endEarly === true ? mostLateOf(load, bound) : Infinity;
  const origin = clock.now() + warmUpSeconds * 1000;
  const elapsed = () => (clock.now() - origin) / 1000;
  options.onStart?.({ measure, warmUpSeconds, seconds, elapsed });
  const before = server?.snapshot();
  const observed = observe(options, origin, clock, stop.signal);
  const loop = startLoop(options, origin, {
    clock,
    signal: stop.signal,
    onSent: () => {
      measure.sent();
    },
    onOutcome: (outcome) => {
      measure.add(outcome);
      onOutcome?.(outcome);
      if (measure.overBound > mostOverBound) end('the bound could not be kept any more');
    },
  });
  // The step is over when its time is, not when its last request was sent.
  await until(origin + seconds * 1000, clock, stop.signal);
  const stepMs = Math.max(0, Math.min(seconds, elapsed())) * 1000;
  const seen = await (await observed).end();
  await loop;
  const { cancelled } = measure.requests;
  const aftermath =
    server && cancelled > 0
      ? await aftermathOf(cancelled, await before, server.snapshot, clock, options.signal)
      : undefined;
  options.signal?.removeEventListener('abort', interrupted);
  return { ...stepOf(options, measure, stepMs, seen, ended), ...(aftermath && { aftermath }) };
}

interface Seen {
  self: Self;
  server: ServerSide | undefined;
}

// Watches both sides from the end of the warm-up until told to end.
async function observe(
  { server, watch = watchSelf }: StepOptions,
  origin: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<{ end: () => Promise<Seen> }> {
  await until(origin, clock, signal);
  const endWatch = watch();
  server?.begin();
  return {
    end: async () => ({ self: endWatch(), server: await server?.end() }),
  };
}

type LoopParts = Pick<LoopOptions, 'clock' | 'signal' | 'onSent' | 'onOutcome'>;

function startLoop(options: StepOptions, origin: number, parts: LoopParts): Promise<void> {
  const { load, warmUpSeconds, target, seed, number = 0 } = options;
  const { patienceMs = PATIENCE_MS, maxInFlight = MAX_IN_FLIGHT } = options;
  const all = { ...parts, target, origin, patienceMs, next: workload(options.workload, seed, number) };
  if (load.loop === 'closed') {
    return runClosedLoop({ ...all, concurrency: load.concurrency, untilMs: load.seconds * 1000 });
  }
  const arrivals = arrivalTimes({ ...load, warmUpSeconds }, randomAt(seed, 'arrivals', number));
  return runOpenLoop({ ...all, arrivals, maxInFlight });
}

// Requests that may break the bound of a step that is as long as it was meant to be.
function mostLateOf(load: StepLoad, { percentile }: Bound): number {
  return load.loop === 'open' ? mostLate(Math.ceil(area(load.curve)), percentile) : Infinity;
}

function stepOf(
  { load, warmUpSeconds }: StepOptions,
  measure: Measure,
  stepMs: number,
  { self, server }: Seen,
  ended: string | undefined,
): Step {
  const serviceTime = measure.serviceTime.distribution();
  // Clients of a closed loop have no moment at which they were meant to start.
  const late = load.loop === 'open' ? measure.late.distribution() : NOTHING;
  const bound = measure.verdict();
  return {
    load: loadOf(load),
    warmUpSeconds,
    seconds: stepMs / 1000,
    requests: measure.requests,
    answersPerSecond: measure.answersPerSecond(stepMs),
    latency: measure.latency.distribution(),
    serviceTime,
    errors: measure.errors(),
    kinds: measure.kinds(stepMs),
    timeline: measure.timeline(stepMs),
    ...(server && { server }),
    ...(bound && { bound }),
    generator: generatorOf(self, late, measure.requests.abandoned, serviceTime),
    stability: stabilityOf(
      measure.quarters(stepMs),
      load.loop === 'open' && load.trace === true ? 'trace' : load.loop,
    ),
    ...(ended !== undefined && { ended }),
  };
}

function loadOf(load: StepLoad): Load {
  if (load.loop === 'closed') return { loop: 'closed', concurrency: load.concurrency };
  const { curve, spread, trace = false } = load;
  return {
    loop: 'open',
    arrivals: trace ? 'trace' : spread,
    ratePerSecond: rounded(area(curve) / length(curve)),
  };
}
