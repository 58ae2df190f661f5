// How many photos are worked on at once, and how many may wait for that.
// Knows nothing of photos. Time is a parameter.

import { VggError } from '../../vgg/errors.ts';

/** Bounds of {@link Slots}. */
export interface SlotOptions {
  /** Photos worked on at once, ≥ 1. */
  running: number;
  /** Photos that may wait, ≥ 0. */
  waiting: number;
  /** Monotonic milliseconds. */
  now: () => number;
}

interface Waiter {
  start: () => void;
}

/** A bounded number of slots with a bounded queue before them, first come, first served. */
export class Slots {
  readonly #options: SlotOptions;
  readonly #queue: Waiter[] = [];
  #running = 0;
  // What a photo takes, in ms: a running mean for the advice when to come back.
  #usualMs = 100;

  constructor(options: SlotOptions) {
    this.#options = options;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  /**
   * Runs `work` when a slot is free. A caller that aborts while it waits leaves the queue at once;
   * running work must look at its signal itself, and keeps its slot until it has ended.
   *
   * @throws VggError RESOURCE_EXHAUSTED if the queue is full; the signal's reason if it aborts
   */
  async run<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    if (this.#running < this.#options.running) this.#running += 1;
    else await this.#turn(signal);
    const started = this.#options.now();
    try {
      return await work();
    } finally {
      this.#usualMs += (this.#options.now() - started - this.#usualMs) / 8;
      const next = this.#queue.shift();
      // A slot is handed on rather than freed, so that nobody can come between.
      if (next) next.start();
      else this.#running -= 1;
    }
  }

  async #turn(signal: AbortSignal): Promise<void> {
    const { running, waiting } = this.#options;
    if (this.#queue.length >= waiting) {
      const message = `Expected at most ${String(waiting)} photos waiting to be decoded, come back later`;
      const retryAfterMs = Math.ceil(((this.#queue.length + 1) * this.#usualMs) / running);
      throw new VggError('RESOURCE_EXHAUSTED', message, { retryAfterMs });
    }
    await new Promise<void>((resolve, reject) => {
      const waiter: Waiter = {
        start: () => {
          signal.removeEventListener('abort', leave);
          resolve();
        },
      };
      const leave = () => {
        this.#queue.splice(this.#queue.indexOf(waiter), 1);
        reject(signal.reason as Error);
      };
      this.#queue.push(waiter);
      signal.addEventListener('abort', leave, { once: true });
    });
  }
}
