// The cores of a machine, shared by what runs on them. Knows threads and work; not what is computed.
//
// Threads that all want to run get equal parts of the cores, none more than one; but those that have hardly run since
// they rested go first, as schedulers that are fair in the long run have it (Linux: EEVDF).

import type { Appointment, VirtualTime } from './virtual-time.ts';

/** What a scheduler remembers of a thread. */
export interface Thread {
  /** Milliseconds that it ran more than it rested; never less than 0. */
  ran: number;
  /** When its last work was done. */
  restedAt: number;
}

/** A thread that never ran. */
export const freshThread = (): Thread => ({ ran: 0, restedAt: 0 });

interface Task {
  /** Milliseconds of pace 1 that are left, as of `since`. */
  left: number;
  readonly threads: number;
  readonly thread: Thread;
  readonly done: () => void;
}

/** The pace of a machine that is not always as fast. */
export interface Pace {
  /** How much more CPU time work takes that begins at a moment. */
  slowness(now: number): number;
  /** The part of its cores that the machine's host has for others at a moment, less than 1, and until when. */
  stolen(now: number): { part: number; until: number };
}

// How long a thread goes first: a slice of Linux's scheduler on two cores (base_slice, kernel/sched/fair.c).
const FIRST_MS = 1.4;
// What is left of rounding is less than a nanosecond.
const NOTHING_MS = 1e-6;

const STEADY: Pace = { slowness: () => 1, stolen: () => ({ part: 0, until: Infinity }) };

/** Cores of one machine. */
export class Cores {
  readonly #time: VirtualTime;
  readonly #count: number;
  readonly #pace: Pace;
  readonly #tasks = new Set<Task>();
  // Parts of a core that each thread has that goes first, or does not; and cores that all have together: as of `since`.
  #firstSpeed = 0;
  #otherSpeed = 0;
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
   * @param thread each of them; a new one unless given
   */
  run(ms: number, threads: number, done: () => void, thread = freshThread()): void {
    this.#advance();
    const now = this.#time.now();
    thread.ran = Math.max(0, thread.ran - (now - thread.restedAt));
    this.#tasks.add({ left: Math.max(0, ms * this.#pace.slowness(now)), threads, thread, done });
    this.#arrange();
  }

  #advance(): void {
    const now = this.#time.now();
    const passed = now - this.#since;
    if (passed > 0) {
      for (const task of this.#tasks) {
        const ran = passed * (goesFirst(task) ? this.#firstSpeed : this.#otherSpeed);
        task.left -= ran;
        task.thread.ran += ran;
      }
      this.#usedMs += passed * this.#used;
    }
    this.#since = now;
  }

  // Who runs, how fast, and when that changes.
  #arrange(): void {
    this.#next?.cancel();
    if (this.#tasks.size === 0) {
      this.#used = 0;
      this.#next = undefined;
      return;
    }
    let first = 0;
    let others = 0;
    for (const task of this.#tasks) {
      if (goesFirst(task)) first += task.threads;
      else others += task.threads;
    }
    const now = this.#time.now();
    const { part, until } = this.#pace.stolen(now);
    const cores = (1 - part) * this.#count;
    const firstCores = Math.min(cores, (1 - part) * first);
    const otherCores = Math.min(cores - firstCores, (1 - part) * others);
    this.#firstSpeed = first > 0 ? firstCores / first : 0;
    this.#otherSpeed = others > 0 ? otherCores / others : 0;
    this.#used = firstCores + otherCores;
    let wait = until - now;
    for (const task of this.#tasks) {
      const { left, thread } = task;
      if (left <= 0) wait = 0;
      else if (goesFirst(task))
        wait = Math.min(wait, Math.min(left, FIRST_MS - thread.ran) / this.#firstSpeed);
      else wait = Math.min(wait, left / this.#otherSpeed);
    }
    this.#next = this.#time.after(Math.max(0, wait), this.#finish);
  }

  readonly #finish = (): void => {
    this.#advance();
    const done: (() => void)[] = [];
    for (const task of this.#tasks) {
      if (task.left > NOTHING_MS) continue;
      this.#tasks.delete(task);
      task.thread.restedAt = this.#since;
      done.push(task.done);
    }
    this.#arrange();
    for (const each of done) each();
  };
}

function goesFirst({ thread }: Task): boolean {
  return thread.ran < FIRST_MS - NOTHING_MS;
}
