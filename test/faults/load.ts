// Open-loop load that lasts as long as a fault does: requests come by chance at a steady rate, and each is judged as it is
// over. Knows what a right answer is; not what is done to the services meanwhile.

import { poissonGaps } from '../../loadtest/arrivals/poisson.ts';
import { steadyClock } from '../../loadtest/clock.ts';
import { runOpenLoop } from '../../loadtest/open-loop.ts';
import type { LoadPhoto, Outcome, Target } from '../../loadtest/request.ts';
import { kindsOf, workload } from '../../loadtest/workload.ts';
import { randomAt } from '../../vgg/random.ts';
import { PROTOCOLS, type Truth } from './truth.ts';

/** What a load is drawn from. */
export interface LoadOptions {
  target: Target;
  photos: readonly LoadPhoto[];
  truth: Truth;
  seed: number;
  /** Requests a second. */
  rate: number;
}

/** A request that is over. Milliseconds since the load began. */
export interface Sample {
  intendedMs: number;
  endedMs: number;
  /** `right`, `wrong`, or the code that it failed with. */
  what: string;
  /** Of a failure. */
  message?: string;
}

// Requests that nobody answers end by their deadline; so long after it something hangs.
const PATIENCE_MS = 20_000;

/** Load that goes on until it is stopped. */
export class Load {
  readonly samples: Sample[] = [];
  readonly #origin = steadyClock.now();
  readonly #done: Promise<void>;
  #going = true;

  constructor({ target, photos, truth, seed, rate }: LoadOptions) {
    const kinds = kindsOf(
      PROTOCOLS.map((what) => ({ what, weight: 1 })),
      [{ what: '', weight: 1 }],
    );
    const gaps = poissonGaps(randomAt(seed, 'arrivals'));
    const going = () => this.#going;
    this.#done = runOpenLoop({
      target,
      clock: steadyClock,
      origin: this.#origin,
      next: workload({ kinds, photos }, seed, 0),
      arrivals: (function* () {
        for (let at = 0; going(); at += (1000 * gaps()) / rate) yield at;
      })(),
      maxInFlight: Infinity,
      patienceMs: PATIENCE_MS,
      onOutcome: (outcome) => this.samples.push(sampleOf(outcome, truth)),
    });
  }

  /** Milliseconds since it began. */
  get now(): number {
    return steadyClock.now() - this.#origin;
  }

  /** No more requests; resolves when all are over. */
  async stop(): Promise<readonly Sample[]> {
    this.#going = false;
    await this.#done;
    return this.samples;
  }
}

function sampleOf(outcome: Outcome, truth: Truth): Sample {
  const { intendedMs } = outcome;
  switch (outcome.end) {
    case 'answered': {
      const what = truth.holds(outcome.request, outcome.answer) ? 'right' : 'wrong';
      return { intendedMs, endedMs: outcome.endedMs, what };
    }
    case 'failed':
      return { intendedMs, endedMs: outcome.endedMs, what: outcome.code, message: outcome.message };
    default:
      throw new Error(`Expected no request that is ${outcome.end}`);
  }
}
