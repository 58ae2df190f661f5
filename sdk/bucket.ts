// A token bucket: a burst at once, then so many a second. Knows nothing of what is counted.

import type { Clock } from './clock.ts';

/** Tokens that come back with time. */
export class Bucket {
  readonly #size: number;
  readonly #perSecond: number;
  readonly #clock: Pick<Clock, 'now'>;
  #tokens: number;
  #at: number;

  /**
   * @param size tokens when it is full, as it is at first
   * @param perSecond tokens that come back each second; 0: only by {@link give}
   */
  constructor(size: number, perSecond: number, clock: Pick<Clock, 'now'>) {
    this.#size = size;
    this.#perSecond = perSecond;
    this.#clock = clock;
    this.#tokens = size;
    this.#at = clock.now();
  }

  /** Tokens that are there. */
  get tokens(): number {
    const now = this.#clock.now();
    const elapsed = Math.max(0, now - this.#at);
    this.#at = now;
    this.#tokens = Math.min(this.#size, this.#tokens + (elapsed * this.#perSecond) / 1000);
    return this.#tokens;
  }

  /** Takes a token, if a whole one is there. */
  take(): boolean {
    if (this.tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  /** Takes a token, whether it is there or not. */
  spend(): void {
    this.#tokens = this.tokens - 1;
  }

  /** Puts tokens back. */
  give(amount: number): void {
    this.#tokens = Math.min(this.#size, this.tokens + amount);
  }
}
