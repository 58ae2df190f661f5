// Whether a service can answer, asked of the service itself, and told to whoever watches.

import type { Clock } from './deadline.ts';
import type { Logger } from './log.ts';

const INTERVAL_MS = 1000;

/** Asks a service, now and then, whether it is ready. */
export class Readiness {
  readonly #ask: () => boolean | Promise<boolean>;
  readonly #tell: (ready: boolean) => void;
  readonly #clock: Clock;
  readonly #log: Logger;
  #ready = false;
  #draining = false;
  #closed = false;
  #cancel = () => {};

  /**
   * @param ask the service's own word; an error means no
   * @param tell called with each change
   */
  constructor(
    ask: () => boolean | Promise<boolean>,
    tell: (ready: boolean) => void,
    clock: Clock,
    log: Logger,
  ) {
    this.#ask = ask;
    this.#tell = tell;
    this.#clock = clock;
    this.#log = log;
  }

  /** The last word. */
  get ready(): boolean {
    return this.#ready;
  }

  /** Asks now, and again every second until closed. */
  async check(): Promise<boolean> {
    this.#cancel();
    let ready = false;
    try {
      ready = !this.#draining && (await this.#ask());
    } catch (error) {
      if (this.#ready) this.#log.warn({ err: error }, 'readiness check failed');
    }
    // Draining may have begun while the service was asked.
    this.#set(ready && !this.#draining);
    if (!this.#closed) {
      this.#cancel();
      this.#cancel = this.#clock.after(INTERVAL_MS, () => void this.check());
    }
    return this.#ready;
  }

  /** Not ready from now on. */
  drain(): void {
    this.#draining = true;
    this.#set(false);
  }

  /** Asks no more. */
  close(): void {
    this.#closed = true;
    this.#cancel();
  }

  #set(ready: boolean): void {
    if (ready === this.#ready) return;
    this.#ready = ready;
    this.#log.info(ready ? 'ready' : 'not ready');
    this.#tell(ready);
  }
}
