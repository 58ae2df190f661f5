// One process's JavaScript thread: pieces of work one after the other. Knows time; not what is worked on.

import type { Cores } from './cores.ts';
import type { LoopOverhead } from './costs.ts';

/** An event loop on the cores of a machine. */
export class EventLoop {
  readonly #cores: Cores;
  readonly #overhead: LoopOverhead;
  readonly #queue: { ms: number; done: () => void }[] = [];
  #head = 0;
  #running = false;
  #mainMs = 0;
  #wakes = 0;
  readonly #untilPauseMs: number[];

  constructor(cores: Cores, overhead: LoopOverhead = { helpers: 0 }) {
    this.#cores = cores;
    this.#overhead = overhead;
    this.#untilPauseMs = (overhead.pauses ?? []).map(({ everyMs }) => everyMs);
  }

  /** Pieces that wait or run. */
  get length(): number {
    return this.#queue.length - this.#head + (this.#running ? 1 : 0);
  }

  /** CPU milliseconds of all pieces that were begun, helpers included. */
  get workedMs(): number {
    return this.#mainMs * (1 + this.#overhead.helpers);
  }

  /** The same without helpers. */
  get mainMs(): number {
    return this.#mainMs;
  }

  /** How often it had nothing to do when a piece came. */
  get wakes(): number {
    return this.#wakes;
  }

  /** Works so many milliseconds of CPU, then calls `done`. */
  work(ms: number, done: () => void): void {
    if (this.#running) {
      this.#queue.push({ ms, done });
      return;
    }
    this.#wakes++;
    this.#start(ms, this.#overhead.wake ?? 0, done);
  }

  #start(ms: number, wake: number, done: () => void): void {
    this.#running = true;
    this.#mainMs += ms + wake;
    const { main, helpers } = this.#collected(ms);
    const helped = helpers + this.#overhead.helpers * wake;
    if (helped > 0) this.#cores.run(helped, 1, nothing);
    this.#cores.run(main + wake, 1, () => {
      const next = this.#queue[this.#head];
      if (next) {
        this.#head++;
        // The front of a long array is given up now and then, not each time.
        if (this.#head > 1024 && this.#head * 2 > this.#queue.length) {
          this.#queue.splice(0, this.#head);
          this.#head = 0;
        }
        this.#start(next.ms, 0, next.done);
      } else {
        this.#queue.length = 0;
        this.#head = 0;
        this.#running = false;
      }
      done();
    });
  }

  // Work comes to the same in the end; a part of it, and all that helpers do, comes with the pauses.
  #collected(ms: number): { main: number; helpers: number } {
    const { helpers, pauses = [] } = this.#overhead;
    const paused = pauses.reduce((sum, { ms: each, everyMs }) => sum + each / everyMs, 0);
    if (paused === 0) return { main: ms, helpers: helpers * ms };
    let main = ms * (1 - paused);
    let helped = 0;
    for (const [kind, { ms: each, everyMs }] of pauses.entries()) {
      let left = (this.#untilPauseMs[kind] ?? everyMs) - ms;
      for (; left <= 0; left += everyMs) {
        main += each;
        // The longer a kind's pauses are, the more helpers do in each.
        helped += (helpers * each) / paused;
      }
      this.#untilPauseMs[kind] = left;
    }
    return { main, helpers: helped };
  }
}

function nothing(): void {
  // Nobody waits for a helper.
}
