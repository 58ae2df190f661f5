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

/** The pace of a machine that is not always as fast. */
export interface Pace {
  /** How much more CPU time work takes that begins at a moment. */
  slowness(now: number): number;
  /** The part of its cores that the machine's host has for others at a moment, less than 1, and until when. */
  stolen(now: number): { part: number; until: number };
}

const STEADY: Pace = { slowness: () => 1, stolen: () => ({ part: 0, until: Infinity }) };

/** Cores of one machine. */
export class Cores {
  readonly #time: VirtualTime;
  readonly #count: number;
  readonly #pace: Pace;
  readonly #tasks = new Set<Task>();
  #threads = 0;
  // Of each thread, and of all of them together, as of `since`.
  #speed = 1;
  #used = 0;
  #since = 0;
  #next: Appointment | undefined;
  #usedMs = 0;

  constructor(time: VirtualTime, count: number, pace: Pace = STEADY) {
    this.#time = time;
    this.#count = count;
    this.#pace = pace;
  }

  /** Core-milliseconds used until now. */
  get usedMs(): number {
    return this.#usedMs + (this.#time.now() - this.#since) * this.#used;
  }

  /**
   * Runs work that takes `ms` where it has the machine for itself.
   *
   * @param threads that do it together, also a fraction: an engine's that now and then waits
   */
  run(ms: number, threads: number, done: () => void): void {
    this.#advance();
    this.#tasks.add({ left: Math.max(0, ms * this.#pace.slowness(this.#time.now())), threads, done });
    this.#threads += threads;
    this.#arrange();
  }

  #advance(): void {
    const now = this.#time.now();
    const passed = now - this.#since;
    if (passed > 0) {
      for (const task of this.#tasks) task.left -= passed * this.#speed;
      this.#usedMs += passed * this.#used;
    }
    this.#since = now;
  }

  // A new speed, and who is ready first.
  #arrange(): void {
    this.#next?.cancel();
    if (this.#tasks.size === 0) {
      this.#used = 0;
      this.#next = undefined;
      return;
    }
    const now = this.#time.now();
    const { part, until } = this.#pace.stolen(now);
    this.#speed = (1 - part) * Math.min(1, this.#count / this.#threads);
    this.#used = (1 - part) * Math.min(this.#count, this.#threads);
    let wait = until - now;
    for (const { left } of this.#tasks) wait = Math.min(wait, left / this.#speed);
    this.#next = this.#time.after(Math.max(0, wait), this.#finish);
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
