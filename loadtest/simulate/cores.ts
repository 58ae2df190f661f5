// The cores of a machine, shared by what runs on them. Knows threads and work; not what is computed.
//
// Threads that all want to run get equal parts of the cores, none more than one. An operating system departs from that
// in two ways which matter here, both of them measured rather than fitted (bench/capacity/machine.ts):
// a thread that has slept is preferred to one that computes all the time, so a service's event loop waits less for the
// engine than its fair part says (`preference`); and threads that compute one thing together wait for each other, so
// an engine that loses a part of its cores loses more than that part of its pace (`barrier`).

import type { Appointment, VirtualTime } from './virtual-time.ts';

/** How a machine's cores are shared. */
export interface CoreSharing {
  /** 0: threads that were asleep get a fair part; 1: they get a core before an engine does. */
  preference: number;
  /** An engine whose threads get a part p of their cores has p to the power of this as its pace; ≥ 1. */
  barrier: number;
}

/** Equal parts for all. */
export const FAIR: CoreSharing = { preference: 0, barrier: 1 };

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
  readonly #sharing: CoreSharing;
  // Threads by themselves, and those of engines.
  readonly #alone = new Set<Task>();
  readonly #together = new Set<Task>();
  #togetherThreads = 0;
  #paces = { alone: 1, together: 1 };
  #since = 0;
  #next: Appointment | undefined;
  #usedMs = 0;

  constructor(time: VirtualTime, count: number, sharing: CoreSharing = FAIR) {
    this.#time = time;
    this.#count = count;
    this.#sharing = sharing;
  }

  /** Core-milliseconds used until now. */
  get usedMs(): number {
    return this.#usedMs + (this.#time.now() - this.#since) * this.#inUse();
  }

  /**
   * Runs work that takes `ms` where it has the machine for itself.
   *
   * @param threads 1: a thread by itself; more, also fractions: an engine's threads, which work together
   */
  run(ms: number, threads: number, done: () => void): void {
    this.#advance();
    const task = { left: Math.max(0, ms), threads, done };
    if (threads === 1) this.#alone.add(task);
    else {
      this.#together.add(task);
      this.#togetherThreads += threads;
    }
    this.#arrange();
  }

  #advance(): void {
    const now = this.#time.now();
    const passed = now - this.#since;
    if (passed > 0) {
      for (const task of this.#alone) task.left -= passed * this.#paces.alone;
      for (const task of this.#together) task.left -= passed * this.#paces.together;
      this.#usedMs += passed * this.#inUse();
    }
    this.#since = now;
  }

  #inUse(): number {
    return Math.min(this.#count, this.#alone.size + this.#togetherThreads);
  }

  // New paces, and who is ready first.
  #arrange(): void {
    const alone = this.#alone.size;
    this.#paces = pacesOf(this.#count, alone, this.#togetherThreads, this.#sharing);
    let wait = Infinity;
    for (const { left } of this.#alone) wait = Math.min(wait, left / this.#paces.alone);
    for (const { left } of this.#together) wait = Math.min(wait, left / this.#paces.together);
    this.#next?.cancel();
    this.#next = wait === Infinity ? undefined : this.#time.after(Math.max(0, wait), this.#finish);
  }

  readonly #finish = (): void => {
    this.#advance();
    const done: (() => void)[] = [];
    for (const tasks of [this.#alone, this.#together]) {
      for (const task of tasks) {
        // What is left of rounding is less than a nanosecond.
        if (task.left > 1e-6) continue;
        tasks.delete(task);
        if (tasks === this.#together) this.#togetherThreads -= task.threads;
        done.push(task.done);
      }
    }
    if (this.#together.size === 0) this.#togetherThreads = 0;
    this.#arrange();
    for (const each of done) each();
  };
}

/** Paces of threads by themselves and of an engine's, 0 to 1. */
export function pacesOf(
  cores: number,
  alone: number,
  together: number,
  { preference, barrier }: CoreSharing,
): { alone: number; together: number } {
  if (alone + together <= cores) return { alone: 1, together: 1 };
  const fair = cores / (alone + together);
  if (together === 0) return { alone: Math.min(1, fair), together: 1 };
  if (alone === 0) return { alone: 1, together: Math.min(1, fair) };
  const first = Math.min(1, cores / alone);
  const pace = (1 - preference) * Math.min(1, fair) + preference * first;
  // However much they are preferred, an engine never starves.
  const rest = Math.min(1, Math.max((cores - alone * pace) / together, fair / 4));
  return { alone: pace, together: rest ** barrier };
}
