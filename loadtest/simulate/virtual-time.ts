// Virtual time: what is to happen, in order, and a clock that stands still while it happens. Knows no stations.
//
// The batcher that is simulated is the one that serves: its answers are promises. So before time goes on, every promise
// that can settle must have settled, with all that follows from it. Node.js takes a next tick that is asked for by a
// promise's continuation when no continuation is left; whoever touches a promise says so, and time waits for that tick.
// The order of what happens at one time is the order in which it was asked for; so the same seed gives the same run, to
// the last bit.

import type { Clock } from '../../sdk/clock.ts';
import type { Random } from '../../vgg/random.ts';

/** Something that is to happen. */
export interface Appointment {
  readonly time: number;
  /** Calls it off. */
  cancel(): void;
}

class Entry implements Appointment {
  readonly time: number;
  readonly order: number;
  run: (() => void) | undefined;

  constructor(time: number, order: number, run: () => void) {
    this.time = time;
    this.order = order;
    this.run = run;
  }

  cancel(): void {
    this.run = undefined;
  }
}

/** Virtual time in milliseconds, from 0. */
export class VirtualTime {
  #now = 0;
  #orders = 0;
  #unsettled = false;
  #ticks = 0;
  // A binary heap: the first is next.
  readonly #heap: Entry[] = [];

  readonly now = (): number => this.#now;

  /** Runs `run` at a time, or now if that has passed, but never at once. */
  at(time: number, run: () => void): Appointment {
    const entry = new Entry(Math.max(time, this.#now), this.#orders++, run);
    this.#push(entry);
    return entry;
  }

  /** Runs `run` after so many milliseconds. */
  after(ms: number, run: () => void): Appointment {
    return this.at(this.#now + ms, run);
  }

  /** Runs `run` at this very time, after what was asked for before. */
  readonly soon = (run: () => void): void => {
    this.at(this.#now, run);
  };

  /** Says that a promise was settled, or that something was called that may settle one. */
  readonly touched = (): void => {
    this.#unsettled = true;
  };

  /** This time, and a chance, for code that serves: what it is told of may settle promises. */
  clock(random: Random): Clock {
    return {
      now: this.now,
      epoch: this.now,
      after: (ms, task) => {
        const appointment = this.after(ms, () => {
          this.touched();
          task();
        });
        return () => {
          appointment.cancel();
        };
      },
      random: () => random.next(),
    };
  }

  /** Lets happen whatever is to happen until a time, or until nothing is left. */
  async run(until = Infinity): Promise<void> {
    await turn();
    for (let next = this.#heap[0]; next && next.time <= until; next = this.#heap[0]) {
      this.#pop();
      if (!next.run) continue;
      this.#now = next.time;
      next.run();
      if (!this.#unsettled) continue;
      this.#unsettled = false;
      await (++this.#ticks % TICKS_A_TURN === 0 ? turn() : tick());
    }
    if (until < Infinity) this.#now = Math.max(this.#now, until);
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let place = heap.push(entry) - 1;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = heap[parent];
      if (!above || before(above, entry)) break;
      heap[place] = above;
      place = parent;
    }
    heap[place] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      let least = heap[child];
      if (!least) break;
      const other = heap[child + 1];
      if (other && before(other, least)) {
        child++;
        least = other;
      }
      if (before(last, least)) break;
      heap[place] = least;
      place = child;
    }
    heap[place] = last;
  }
}

function before(a: Entry, b: Entry): boolean {
  return a.time < b.time || (a.time === b.time && a.order < b.order);
}

// Signals and timers of the process have their turn now and then.
const TICKS_A_TURN = 10_000;

// All promises that can settle have done so by the next turn of the event loop.
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

// And by the next tick, if it is asked for by the continuation of a promise.
function tick(): Promise<void> {
  return new Promise((resolve) => {
    process.nextTick(resolve);
  });
}
