// Time that passes only when everything that could happen now has happened: hours of load in seconds, and exactly the
// same each time.

import type { Clock } from '../../loadtest/clock.ts';
import type { Self } from '../../loadtest/saturation.ts';
import { NOTHING } from '../../loadtest/distribution.ts';

interface Event {
  time: number;
  order: number;
  task: (() => void) | undefined;
}

/** A clock that starts at 0. */
export class VirtualClock implements Clock {
  #time = 0;
  #order = 0;
  // A binary heap, the earliest first.
  readonly #heap: Event[] = [];

  now(): number {
    return this.#time;
  }

  at(time: number, task: () => void): () => void {
    const event: Event = { time: Math.max(time, this.#time), order: this.#order++, task };
    this.#push(event);
    return () => {
      event.task = undefined;
    };
  }

  /** Lets time pass until the work is done. */
  async run<Result>(work: Promise<Result>): Promise<Result> {
    const state = { over: false };
    const over = () => {
      state.over = true;
    };
    work.then(over, over);
    for (;;) {
      // Promises that wait for nothing but each other.
      await new Promise((resolve) => setImmediate(resolve));
      if (state.over) return await work;
      let event = this.#pop();
      while (event && !event.task) event = this.#pop();
      if (!event) throw new Error('Nothing is left to happen, and the work is not done');
      this.#time = event.time;
      event.task?.();
    }
  }

  /** Lets so much time pass, in milliseconds, for work that sockets do in their own. */
  async pass(ms: number): Promise<void> {
    const end = this.#time + ms;
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      const event = this.#pop();
      if (!event || event.time > end) {
        if (event) this.#push(event);
        break;
      }
      this.#time = event.time;
      event.task?.();
    }
    this.#time = end;
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let place = heap.push(event) - 1;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = heap[parent];
      if (!above || before(above, event)) break;
      heap[place] = above;
      place = parent;
    }
    heap[place] = event;
  }

  #pop(): Event | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (!first || !last || heap.length === 0) return first;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      const [left, right] = [heap[child], heap[child + 1]];
      if (!left) break;
      if (right && before(right, left)) child++;
      const least = heap[child];
      if (!least || before(last, least)) break;
      heap[place] = least;
      place = child;
    }
    heap[place] = last;
    return first;
  }
}

function before(a: Event, b: Event): boolean {
  return a.time < b.time || (a.time === b.time && a.order < b.order);
}

/** A generator that is never busy: in virtual time it takes none. */
export const idle = () => (): Self => ({ eventLoopDelay: NOTHING, cpuCores: 0, busy: 0 });
