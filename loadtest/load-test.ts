// A load test, whole: its steps one after the other, or a search, put into a result. Knows the order of steps; neither
// transports nor how results are shown.

import { availableParallelism } from 'node:os';
import { VggError } from '../vgg/errors.ts';
import { steady } from './arrivals/curve.ts';
import { steadyClock } from './clock.ts';
import { photoFacts } from './photos.ts';
import type { LoadTestResult, SearchVerdict, Step, Transport } from './result.ts';
import { leastRequestsFor, searchRate } from './search.ts';
import { runStep, type RunningStep, type StepLoad, type StepOptions } from './step.ts';
import { mixOf } from './workload.ts';

/** What is to be found out. */
export type Question =
  /** How each load goes. */
  | { loads: readonly StepLoad[] }
  /** The largest rate that keeps the bound. */
  | {
      search: {
        /** Requests a second that are tried first; found out from what one request takes, unless given. */
        firstRate?: number | undefined;
        leastSeconds: number;
        leastRequests?: number | undefined;
        precision: number;
        mostSteps: number;
      };
    };

/** What a load test is told. */
export interface LoadTestOptions extends Omit<StepOptions, 'load' | 'number' | 'endEarly' | 'onStart'> {
  question: Question;
  /** As the result has it. */
  command: string;
  address: string;
  transport: Transport;
  /** ISO 8601. */
  startedAt: string;
  /** Told of each step when it begins. */
  onStart?: ((start: StepStart) => void) | undefined;
  /** Told of each step when it is over. */
  onStep?: ((step: Step) => void) | undefined;
}

/** A step that begins. */
export interface StepStart {
  load: StepLoad;
  running: RunningStep;
  /** From 1. */
  number: number;
  /** How many there will be; 1 of a search, which does not know. */
  of: number;
}

/**
 * Runs a load test. If the signal is aborted the result is of what was measured until then.
 *
 * @throws VggError what one request of a kind met before the test, unless that is a sign of load; the signal's reason if
 *   that was aborted so early
 */
export async function runLoadTest(options: LoadTestOptions): Promise<LoadTestResult> {
  const { question, command, address, transport, startedAt, seed, workload, onStart, onStep } = options;
  const steps: Step[] = [];
  const next = async (load: StepLoad, of: number, endEarly: boolean): Promise<Step> => {
    const number = steps.length;
    const step = await runStep({
      ...options,
      ...{ load, number, endEarly },
      onStart: (running) => onStart?.({ load, running, number: number + 1, of }),
    });
    steps.push(step);
    onStep?.(step);
    return step;
  };
  const oneMs = await oneOfEach(options, 'search' in question ? TIMES_BEFORE_SEARCH : 1);
  const search =
    'search' in question
      ? await searched(question.search, options, oneMs, (load, of) => next(load, of, true))
      : undefined;
  if ('loads' in question) {
    for (const load of question.loads) {
      if (options.signal?.aborted === true) break;
      await next(load, question.loads.length, false);
    }
  }
  return {
    version: 1,
    ...{ command, startedAt },
    target: { address, transport },
    seed,
    machine: {
      cores: availableParallelism(),
      node: process.version,
      platform: `${process.platform} ${process.arch}`,
    },
    mix: mixOf(workload.kinds),
    photos: photoFacts(workload.photos),
    steps,
    ...(search && { search }),
  };
}

async function searched(
  {
    firstRate,
    leastSeconds,
    leastRequests,
    precision,
    mostSteps,
  }: Extract<Question, { search: unknown }>['search'],
  { bound, signal }: LoadTestOptions,
  oneMs: number,
  run: (load: StepLoad, of: number) => Promise<Step>,
): Promise<SearchVerdict> {
  if (!bound) throw new VggError('INVALID_ARGUMENT', 'Expected a bound to search with (bound)');
  const { verdict } = await searchRate({
    ...{ bound, leastSeconds, precision, mostSteps, signal },
    // Half of what one client alone would get.
    firstRate: firstRate ?? Number((500 / Math.max(1, oneMs)).toPrecision(2)),
    leastRequests: leastRequests ?? leastRequestsFor(bound.percentile),
    run: (rate, seconds) => run({ loop: 'open', spread: 'poisson', curve: steady(rate, seconds) }, 1),
  });
  return verdict;
}

// Errors that say how the server is, not that the test is wrong.
const OF_LOAD = [
  'RESOURCE_EXHAUSTED',
  'DEADLINE_EXCEEDED',
  'CANCELLED',
  'INTERNAL',
  'UNSUPPORTED_FORMAT',
  'TOO_LARGE',
];

// A server's first answer takes much longer than those to come: a search that set out from it would begin far below
// the rate that it looks for, with a step of many minutes.
const TIMES_BEFORE_SEARCH = 3;

// One request of each kind, so that a wrong address or option is told at once rather than counted. Returns what they
// take, in milliseconds, by their weights; of several times the shortest.
async function oneOfEach(options: LoadTestOptions, times: number): Promise<number> {
  const { target, signal, clock = steadyClock } = options;
  const { kinds, photos } = options.workload;
  const [photo] = photos;
  let [sum, weights] = [0, 0];
  for (const { what: kind, weight } of kinds) {
    if (!photo) break;
    let shortest = Infinity;
    for (let time = 0; time < times; time++) {
      const began = clock.now();
      try {
        await target.send({ photo, kind }, signal ?? new AbortController().signal);
      } catch (error) {
        // Nothing was measured yet: there is no result to end with.
        signal?.throwIfAborted();
        const { code } = error as { code?: unknown };
        if (!OF_LOAD.includes(String(code))) throw error;
      }
      shortest = Math.min(shortest, clock.now() - began);
    }
    sum += weight * shortest;
    weights += weight;
  }
  return weights > 0 ? sum / weights : 1000;
}
