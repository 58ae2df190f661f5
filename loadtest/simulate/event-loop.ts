// One process's JavaScript thread: pieces of work one after the other. Knows time; not what is worked on.

import type { Cores } from './cores.ts';

/** An event loop on the cores of a machine. */
export class EventLoop {
  readonly #cores: Cores;
  readonly #helpers: number;
  readonly #queue: { ms: number; done: () => void }[] = [];
  #head = 0;
  #running = false;
  #workedMs = 0;

  /** @param helpers what other threads of the process (garbage collection) run beside each millisecond of it, ≥ 0 */
  constructor(cores: Cores, helpers = 0) {
    this.#cores = cores;
    this.#helpers = helpers;
  }

  /** Pieces that wait or run. */
  get length(): number {
    return this.#queue.length - this.#head + (this.#running ? 1 : 0);
  }

  /** CPU milliseconds of all pieces that were begun, helpers included. */
  get workedMs(): number {
    return this.#workedMs;
  }

  /** Works so many milliseconds of CPU, then calls `done`. */
  work(ms: number, done: () => void): void {
    if (this.#running) this.#queue.push({ ms, done });
    else this.#start(ms, done);
  }

  #start(ms: number, done: () => void): void {
    this.#running = true;
    this.#workedMs += ms * (1 + this.#helpers);
    if (this.#helpers > 0) this.#cores.run(ms * this.#helpers, 1, nothing);
    this.#cores.run(ms, 1, () => {
      const next = this.#queue[this.#head];
      if (next) {
        this.#head++;
        // The front of a long array is given up now and then, not each time.
        if (this.#head > 1024 && this.#head * 2 > this.#queue.length) {
          this.#queue.splice(0, this.#head);
          this.#head = 0;
        }
        this.#start(next.ms, next.done);
      } else {
        this.#queue.length = 0;
        this.#head = 0;
        this.#running = false;
      }
      done();
    });
  }
}

function nothing(): void {
  // Nobody waits for a helper.
}
