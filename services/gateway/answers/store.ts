// Answers that were given, as the bytes of their JSON: bounded in bytes, the least recently used first to go,
// none older than its time. Knows keys and bytes; not what is asked, nor by whom.

import { LRUCache } from 'lru-cache';
import type { AnswerJson } from '../../../sdk/index.ts';

// Of an entry beside key and JSON: the list's and the map's own places, measured at about 200 bytes.
const ENTRY_BYTES = 256;

/** How much is kept, and for how long. */
export interface StoreOptions {
  /** Most bytes of all answers together, > 0. */
  bytes: number;
  ttlMs: number;
  /** An answer had to go to make room. */
  onEviction?: () => void;
  /** Monotonic milliseconds. */
  now: () => number;
}

/** The answers of one server. */
export class AnswerStore {
  readonly #answers: LRUCache<string, Buffer>;

  constructor({ bytes, ttlMs, onEviction, now }: StoreOptions) {
    this.#answers = new LRUCache({
      maxSize: bytes,
      sizeCalculation: (json, key) => json.length + key.length + ENTRY_BYTES,
      ttl: ttlMs,
      // By default the clock is looked at once a millisecond: the given one may be a test's.
      ttlResolution: 0,
      perf: { now },
      dispose: (_json, _key, reason) => {
        if (reason === 'evict') onEviction?.();
      },
    });
  }

  /** Bytes of all answers, never more than the bound; of those whose time is over too, until they are asked for. */
  get bytes(): number {
    return this.#answers.calculatedSize;
  }

  get size(): number {
    return this.#answers.size;
  }

  /** The answer, or nothing. */
  find(key: string): AnswerJson | undefined {
    const json = this.#answers.get(key);
    return json && (JSON.parse(json.toString()) as AnswerJson);
  }

  /** Keeps an answer. Returns whether there is room for it: an answer over the bound is not kept, and evicts nothing. */
  keep(key: string, answer: AnswerJson): boolean {
    this.#answers.set(key, Buffer.from(JSON.stringify(answer)));
    return this.#answers.has(key);
  }
}
