// The calls that a server has not ended yet: how many, whether more may come, and their forced end.

import { setMaxListeners } from 'node:events';
import { VggError } from '../../vgg/errors.ts';

/** Counts calls in and out. */
export class CallsInFlight {
  readonly #controller = new AbortController();
  #count = 0;
  #refusing = false;
  #waiting: (() => void)[] = [];

  constructor() {
    // Every call listens; that is no leak.
    setMaxListeners(0, this.#controller.signal);
  }

  /** Calls that have not ended. */
  get count(): number {
    return this.#count;
  }

  /** Aborted, with UNAVAILABLE, when calls are forced to end. */
  get forced(): AbortSignal {
    return this.#controller.signal;
  }

  /**
   * Counts a call in; the function that it returns counts it out, once.
   *
   * @throws VggError UNAVAILABLE while calls are refused
   */
  admit(): () => void {
    if (this.#refusing) throw new VggError('UNAVAILABLE', 'The server is shutting down');
    this.#count++;
    let inside = true;
    return () => {
      if (!inside) return;
      inside = false;
      this.#count--;
      if (this.#count === 0) for (const wake of this.#waiting.splice(0)) wake();
    };
  }

  /** From now on no call comes in. */
  refuse(): void {
    this.#refusing = true;
  }

  /** Resolves when no call is left. */
  async idle(): Promise<void> {
    if (this.#count > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Ends all calls with UNAVAILABLE. */
  force(): void {
    this.#controller.abort(new VggError('UNAVAILABLE', 'The server was shut down before the call was done'));
  }
}
