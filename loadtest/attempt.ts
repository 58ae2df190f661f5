// Requests under way: each is sent, ended as planned or when the step is, and told of once it is over.
// Knows when; neither what is measured nor what is sent next.

import { setMaxListeners } from 'node:events';
import { VggError } from '../vgg/errors.ts';
import { until, type Clock } from './clock.ts';
import type { LoadRequest, Outcome, Target } from './request.ts';

/** What both kinds of loop are told. */
export interface LoopOptions {
  target: Target;
  /** The next request. */
  next: () => LoadRequest;
  clock: Clock;
  /** The moment on the clock at which the warm-up is over; times of outcomes are since it. */
  origin: number;
  /** Ends the loop: what is under way is cancelled. */
  signal?: AbortSignal | undefined;
  /** After the last request was sent, answers are waited for so long, in milliseconds; those without one have failed. */
  patienceMs: number;
  /** Told of each request that is sent. */
  onSent?: (() => void) | undefined;
  /** Told of each request when it is over. */
  onOutcome: (outcome: Outcome) => void;
}

interface UnderWay {
  readonly controller: AbortController;
  /** Why this side ended it, if it did. */
  ended?: 'by plan' | 'with the step' | 'out of patience';
}

/** The requests of one loop that are under way. */
export class Attempts {
  readonly #options: LoopOptions;
  readonly #underWay = new Set<UnderWay>();
  #index = 0;
  #onEmpty: (() => void) | undefined;

  constructor(options: LoopOptions) {
    this.#options = options;
    // Any number of clients wait for one signal; that is no leak.
    if (options.signal) setMaxListeners(0, options.signal);
    options.signal?.addEventListener('abort', this.#endAll, { once: true });
  }

  /** How many are under way. */
  get size(): number {
    return this.#underWay.size;
  }

  /** Sends a request; resolves when it is over, with what became of it. @param intendedMs when it was meant to start */
  async start(intendedMs: number): Promise<Outcome> {
    const { target, next, clock, origin, onSent, onOutcome } = this.#options;
    const request = next();
    const attempt: UnderWay = { controller: new AbortController() };
    const came = { index: this.#index++, request, intendedMs };
    this.#underWay.add(attempt);
    const sentMs = clock.now() - origin;
    const { cancelAfterMs } = request;
    const keep =
      cancelAfterMs === undefined
        ? undefined
        : clock.at(clock.now() + cancelAfterMs, () => {
            end(attempt, 'by plan');
          });
    onSent?.();
    let outcome: Outcome;
    try {
      const answer = await target.send(request, attempt.controller.signal);
      outcome = { ...came, sentMs, endedMs: clock.now() - origin, end: 'answered', answer };
    } catch (error) {
      const times = { ...came, sentMs, endedMs: clock.now() - origin };
      outcome =
        attempt.ended === 'by plan' || attempt.ended === 'with the step'
          ? { ...times, end: 'cancelled' }
          : { ...times, end: 'failed', ...failureOf(error) };
    }
    keep?.();
    this.#underWay.delete(attempt);
    onOutcome(outcome);
    if (this.#underWay.size === 0) this.#onEmpty?.();
    return outcome;
  }

  /** Does not send a request that was meant to start. */
  abandon(intendedMs: number): void {
    const { next, onOutcome } = this.#options;
    onOutcome({ index: this.#index++, request: next(), intendedMs, end: 'abandoned' });
  }

  /** Resolves when all are over; those that outlast the patience have failed. */
  async over(): Promise<void> {
    const { clock, signal, patienceMs } = this.#options;
    if (this.#underWay.size > 0) {
      const patience = new AbortController();
      const empty = new Promise<void>((resolve) => {
        this.#onEmpty = resolve;
      });
      void until(clock.now() + patienceMs, clock, patience.signal).then(() => {
        for (const attempt of this.#underWay) end(attempt, 'out of patience');
      });
      await empty;
      patience.abort();
    }
    signal?.removeEventListener('abort', this.#endAll);
  }

  readonly #endAll = () => {
    for (const attempt of this.#underWay) end(attempt, 'with the step');
  };
}

function end(attempt: UnderWay, why: NonNullable<UnderWay['ended']>): void {
  attempt.ended = why;
  attempt.controller.abort(
    why === 'out of patience'
      ? new VggError('DEADLINE_EXCEEDED', 'No answer before the test had waited long enough')
      : new VggError('CANCELLED', 'Cancelled by the load test'),
  );
}

function failureOf(error: unknown): { code: string; message: string } {
  if (!(error instanceof Error)) return { code: 'INTERNAL', message: String(error) };
  const { code } = error as { code?: unknown };
  return { code: typeof code === 'string' ? code : error.name, message: error.message };
}
