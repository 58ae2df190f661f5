// Ends an attempt that brings no byte for too long. Knows a body, not where it goes.

import { Transient, shownUrl, type Answer } from './request.ts';
import type { Clock } from './clock.ts';

/** Watches one attempt; waiting for the disk does not count. */
export class StallWatch {
  /** Aborted by the caller's signal, or by a stall with a Transient. */
  readonly signal: AbortSignal;
  readonly #controller = new AbortController();
  readonly #clock: Clock;
  readonly #ms: number;
  #cancel: () => void = () => undefined;

  constructor(clock: Clock, ms: number, signal: AbortSignal | undefined) {
    this.#clock = clock;
    this.#ms = ms;
    this.signal = signal ? AbortSignal.any([signal, this.#controller.signal]) : this.#controller.signal;
  }

  /** A byte may come from now on. */
  begin(): void {
    this.#cancel();
    this.#cancel = this.#clock.after(this.#ms, () => {
      this.#controller.abort(new Transient(`no byte came for ${String(this.#ms / 1000)} s`));
    });
  }

  /** None is waited for. */
  end(): void {
    this.#cancel();
  }

  /** The body, piece by piece. @throws Transient if it is cut off or stalls; the signal's reason */
  async *chunks({ body }: Answer, url: URL): AsyncGenerator<Uint8Array> {
    try {
      this.begin();
      for await (const chunk of body) {
        this.end();
        yield chunk as Uint8Array;
        this.begin();
      }
    } catch (cause) {
      this.signal.throwIfAborted();
      throw new Transient(`${shownUrl(url)} was cut off: ${(cause as Error).message}`, { cause });
    } finally {
      this.end();
    }
  }
}

