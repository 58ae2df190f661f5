// When a call that failed is tried again, and when not. Knows errors and time, not calls.

import { VggError } from '../vgg/errors.ts';
import { Bucket } from './bucket.ts';
import { sleep, type Clock } from './clock.ts';

/** How often and how soon a call is tried again. */
export interface RetryPolicy {
  /** Attempts in all, the first one included: 1 to 10. */
  attempts: number;
  /** Longest wait before the second attempt, in milliseconds; it doubles with each further one. */
  firstBackoffMs: number;
  /** Longest wait before any attempt, in milliseconds. */
  maxBackoffMs: number;
  /** Whether a call that a server has no room for, and told when to come again, waits for that. */
  waitsWhenTold: boolean;
}

/** The policy unless another is given. */
export const DEFAULT_RETRY: RetryPolicy = {
  attempts: 5,
  firstBackoffMs: 100,
  maxBackoffMs: 2000,
  waitsWhenTold: true,
};

/** Retries are at most this many at once, and in the long run one for every four calls that
 * succeed: a service that is overloaded must not be asked many times for each call. */
export const RETRY_BUDGET = { burst: 200, perSuccess: 0.25 };
// Calls that were told to wait equally long must not all come back at once.
const PUSHBACK_JITTER = 0.25;

/** Tries calls again; one for each service, so that its budget is shared by all calls. */
export class Retrier {
  readonly #policy: RetryPolicy;
  readonly #clock: Clock;
  readonly #budget: Bucket;

  constructor(policy: RetryPolicy, clock: Clock) {
    this.#policy = policy;
    this.#clock = clock;
    this.#budget = new Bucket(RETRY_BUDGET.burst, 0, clock);
  }

  /**
   * Runs `attempt` until it succeeds, fails for good, or time is over; the last error is thrown.
   *
   * @param deadline on the clock; no attempt begins after it
   * @param onRetry told of each failure after which there will be another attempt
   */
  async run<Result>(
    attempt: () => Promise<Result>,
    deadline: number,
    signal?: AbortSignal,
    onRetry?: (error: VggError) => void,
  ): Promise<Result> {
    for (let tried = 1; ; tried++) {
      try {
        const result = await attempt();
        this.succeeded();
        return result;
      } catch (error) {
        if (signal?.aborted === true) throw error;
        const waitMs = this.waitMs(error, tried, deadline);
        if (waitMs === undefined) throw error;
        onRetry?.(error as VggError);
        await sleep(waitMs, this.#clock, signal);
      }
    }
  }

  /** A call has succeeded: it earns a part of a retry. */
  succeeded(): void {
    this.#budget.give(RETRY_BUDGET.perSuccess);
  }

  /**
   * Milliseconds to wait before the next attempt; undefined if there must be none: the error is
   * not one that passes, attempts, budget or time are used up.
   */
  waitMs(error: unknown, tried: number, deadline: number): number | undefined {
    if (!(error instanceof VggError) || tried >= this.#policy.attempts) return undefined;
    const { code, retryAfterMs } = error;
    const { firstBackoffMs, maxBackoffMs, waitsWhenTold } = this.#policy;
    const told = waitsWhenTold && code === 'RESOURCE_EXHAUSTED' && retryAfterMs !== undefined;
    if (code !== 'UNAVAILABLE' && !told) return undefined;
    const chance = this.#clock.random();
    const waitMs =
      retryAfterMs === undefined
        ? chance * Math.min(maxBackoffMs, firstBackoffMs * 2 ** (tried - 1))
        : retryAfterMs * (1 + PUSHBACK_JITTER * chance);
    if (this.#clock.now() + waitMs >= deadline) return undefined;
    return this.#budget.take() ? waitMs : undefined;
  }
}
