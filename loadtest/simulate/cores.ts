// The cores of a machine, shared by what runs on them. Knows threads and work; not what is computed.
//
// Threads that all want to run get equal parts of the cores, none more than one.

import type { Appointment, VirtualTime } from './virtual-time.ts';

interface Task {
  /** Milliseconds of pace 1 that are left, as of `since`. */
  left: number;
  readonly threads: number;
  readonly done: () => void;
}

/** Cores of one machine. */
export class Cores {
  readonly #time: VirtualTime;
  readonly #count: number;
  readonly #slowness: (now: number) => number;
  readonly #tasks = new Set<Task>();
  #threads = 0;
  #pace = 1;
  #since = 0;
  #next: Appointment | undefined;
  #usedMs = 0;

  /** @param slowness how much longer work takes that begins at a moment, where a machine is not always as fast */
  constructor(time: VirtualTime, count: number, slowness: (now: number) => number = () => 1) {
    this.#time = time;
    this.#count = count;
    this.#slowness = slowness;
  }

  /** Core-milliseconds used until now. */
  get usedMs(): number {
    return this.#usedMs + (this.#time.now() - this.#since) * this.#inUse();
  }

  /**
   * Runs work that takes `ms` where it has the machine for itself.
   *
   * @param threads that do it together, also a fraction: an engine's that now and then waits
   */
  run(ms: number, threads: number, done: () => void): void {
    this.#advance();
    this.#tasks.add({ left: Math.max(0, ms * this.#slowness(this.#time.now())), threads, done });
    this.#threads += threads;
    this.#arrange();
  }

  #advance(): void {
    const now = this.#time.now();
    const passed = now - this.#since;
    if (passed > 0) {
      for (const task of this.#tasks) task.left -= passed * this.#pace;
      this.#usedMs += passed * this.#inUse();
    }
    this.#since = now;
  }

  #inUse(): number {
    return Math.min(this.#count, this.#threads);
  }

  // A new pace, and who is ready first.
  #arrange(): void {
    this.#pace = Math.min(1, this.#count / this.#threads);
    let wait = Infinity;
    for (const { left } of this.#tasks) wait = Math.min(wait, left / this.#pace);
    this.#next?.cancel();
    this.#next = wait === Infinity ? undefined : this.#time.after(Math.max(0, wait), this.#finish);
  }

  readonly #finish = (): void => {
    this.#advance();
    const done: (() => void)[] = [];
    for (const task of this.#tasks) {
      // What is left of rounding is less than a nanosecond.
      if (task.left > 1e-6) continue;
      this.#tasks.delete(task);
      this.#threads -= task.threads;
      done.push(task.done);
    }
    if (this.#tasks.size === 0) this.#threads = 0;
    this.#arrange();
    for (const each of done) each();
  };
}
