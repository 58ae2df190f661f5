// Answers to photos: a kept one, one that is being computed for somebody else, or a new one. Knows the SDK and
// who waits; no HTTP.

import { answerJson, type Answer, type AnswerJson, type CallOptions, type VggClient } from '../../../sdk/index.ts';
import { asVggError } from '../../../vgg/errors.ts';
import { scope, timeLeft } from '../../host/deadline.ts';
import type { AnswerMetrics } from '../metrics.ts';
import { fromBehind, outside } from '../refusals.ts';
import type { Outcome } from './cache-status.ts';
import { Catalogue } from './catalogue.ts';
import { Flights } from './flights.ts';
import { answerKey, photoDigest, type Wish } from './key.ts';
import { AnswerStore } from './store.ts';

/** How answers are kept. */
export interface KeepingOptions {
  /** Most bytes of all of them together; 0: each request is computed by itself. */
  bytes: number;
  ttlMs: number;
  /** Time for an answer. */
  deadlineMs: number;
}

/** A photo, what is wanted of it, and who may be given whose answer. */
export interface Question {
  photo: Uint8Array;
  wish: Wish;
  /** Whose answers these are: none is ever given to another. */
  space: string;
  /** Whether it must be computed in any case. */
  anew: boolean;
}

/** Who asks. */
export interface Asker {
  requestId: string;
  /** Aborted when nobody waits any more. */
  signal: AbortSignal;
  /** When it waits no longer, on the host's clock. */
  deadline: number;
}

/** What a call of the SDK is told for an asker. */
export function callOf({ requestId, signal, deadline }: Asker): CallOptions {
  return { requestId, signal, deadlineMs: timeLeft(deadline) };
}

/** An answer without the photo's name, and where it came from. */
export interface Given {
  answer: AnswerJson;
  outcome: Outcome;
}

/** What is known of a question before anything is computed. */
export interface Looked {
  /** Under which its answer may be kept; undefined: it may not. */
  key: string | undefined;
  kept: AnswerJson | undefined;
}

// To list models is quick, or there is something wrong that the answer itself will tell.
const LIST_MS = 1000;

/** The answers of one gateway. */
export class Answers {
  readonly #client: VggClient;
  readonly #metrics: AnswerMetrics;
  readonly #store: AnswerStore | undefined;
  readonly #flights: Flights<{ answer: AnswerJson; stored: boolean }>;
  readonly #catalogue: Catalogue;

  /** @param now monotonic milliseconds */
  constructor(client: VggClient, keeping: KeepingOptions, metrics: AnswerMetrics, now: () => number) {
    const { bytes, ttlMs, deadlineMs } = keeping;
    this.#client = client;
    this.#metrics = metrics;
    if (bytes > 0)
      this.#store = new AnswerStore({
        bytes,
        ttlMs,
        now,
        onEviction: () => {
          metrics.evicted();
        },
      });
    this.#flights = new Flights(deadlineMs);
    this.#catalogue = new Catalogue(() => client.models({ deadlineMs: LIST_MS }), now);
  }

  /** Whether there is an answer already; counted as a hit, a miss or a bypass. For who streams. */
  async look(question: Question): Promise<Looked> {
    const key = await this.#keyOf(question);
    const kept = key === undefined ? undefined : this.#store?.find(key);
    if (key === undefined) this.#metrics.given('bypass');
    else this.#metrics.given(kept ? 'hit' : 'miss');
    return { key, kept };
  }

  /** Keeps an answer under the key that {@link look} gave. */
  keep(key: string | undefined, answer: Answer): void {
    if (key !== undefined) this.#keep(key, answerJson('', answer));
  }

  /**
   * The answer. It is computed once for all who ask the same at a time, and until the last of them has left.
   *
   * @throws VggError what the services behind said; the asker's own DEADLINE_EXCEEDED or CANCELLED
   */
  async answer(question: Question, asker: Asker): Promise<Given> {
    const key = await this.#keyOf(question);
    if (key === undefined) {
      this.#metrics.given('bypass');
      const answer = await this.#compute(question, asker);
      return { answer, outcome: { source: 'bypass', stored: false } };
    }
    const kept = this.#store?.find(key);
    if (kept) {
      this.#metrics.given('hit');
      return { answer: kept, outcome: { source: 'hit', stored: false } };
    }
    const patience = scope(asker.deadline, [asker.signal]);
    try {
      const waiter = { signal: patience.signal, deadline: asker.deadline };
      const { value, joined } = this.#flights.join(key, waiter, async (signal, deadline) => {
        const answer = await this.#compute(question, { requestId: asker.requestId, signal, deadline });
        // Before the flight is over, so that who comes next finds it.
        return { answer, stored: this.#keep(key, answer) };
      });
      this.#metrics.given(joined ? 'coalesced' : 'miss');
      const { answer, stored } = await value;
      const outcome: Outcome = joined ? { source: 'coalesced', stored: false } : { source: 'miss', stored };
      return { answer, outcome };
    } catch (thrown) {
      throw outside(asVggError(thrown));
    } finally {
      patience.dispose();
    }
  }

  async #keyOf({ photo, wish, space, anew }: Question): Promise<string | undefined> {
    if (anew || !this.#store) return undefined;
    const models = await this.#catalogue.identify(wish.models);
    return models && answerKey(space, models, wish, await photoDigest(photo));
  }

  async #compute({ photo, wish }: Question, asker: Asker): Promise<AnswerJson> {
    return answerJson('', await fromBehind(() => this.#client.classify(photo, { ...wish, ...callOf(asker) })));
  }

  #keep(key: string, answer: AnswerJson): boolean {
    const stored = this.#store?.keep(key, answer) ?? false;
    this.#metrics.kept(this.#store?.bytes ?? 0);
    return stored;
  }
}
