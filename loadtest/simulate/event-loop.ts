// One process's JavaScript thread: pieces of work one after the other. Knows time and chance; not what is worked on.

import type { Random } from '../../vgg/random.ts';
import { freshThread, type Cores } from './cores.ts';
import type { LoopOverhead } from './costs.ts';
import { chance } from './timings.ts';

// What the thread has to do, or helpers have, whenever it has worked about so much.
interface Interruption {
  readonly everyMs: number;
  /** Work until the next one. */
  left: number;
  readonly main: number;
  readonly helpers: number;
}

// Pauses are measured on one core, which the thread shares with those who help it: half of each is theirs.
const HELPED = 0.5;
// What helpers do by themselves (sweeping, compiling) comes in bursts: measured, of 10 to 30 ms.
const BURST_MS = 15;
// Coefficient of variation of how far pauses are apart, and of how long they are: of V8's (--trace-gc) under load both
// are 0.4 to 0.7.
const VARIATION = 0.5;

/** An event loop on the cores of a machine. */
export class EventLoop {
  readonly #cores: Cores;
  readonly #overhead: LoopOverhead;
  readonly #random: Random | undefined;
  readonly #thread = freshThread();
  readonly #queue: { ms: number; done: () => void }[] = [];
  #head = 0;
  #running = false;
  #mainMs = 0;
  #wakes = 0;
  readonly #interruptions: Interruption[];

  /** @param random when pauses come and how long they are; without it like clockwork */
  constructor(cores: Cores, overhead: LoopOverhead = { helpers: 0 }, random?: Random) {
    this.#cores = cores;
    this.#overhead = overhead;
    this.#random = random;
    this.#interruptions = interruptionsOf(overhead);
    if (random) for (const each of this.#interruptions) each.left *= random.next();
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
    const { main, helpers } = this.#interrupted(ms);
    const helped = helpers + this.#overhead.helpers * wake;
    if (helped > 0) this.#cores.run(helped, 1, nothing);
    const ended = () => {
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
    };
    this.#cores.run(main + wake, 1, ended, this.#thread);
  }

  // Work comes to the same in the end; a part of it comes with the interruptions.
  #interrupted(ms: number): { main: number; helpers: number } {
    let main = ms;
    let helpers = 0;
    for (const each of this.#interruptions) {
      main -= (ms * each.main) / each.everyMs;
      each.left -= ms;
      for (; each.left <= 0; each.left += this.#about(each.everyMs)) {
        const size = this.#about(1);
        main += size * each.main;
        helpers += size * each.helpers;
      }
    }
    return { main, helpers };
  }

  #about(mean: number): number {
    return this.#random ? mean * chance(VARIATION, this.#random) : mean;
  }
}

// Pauses, and what helpers do apart from them.
function interruptionsOf({ helpers, pauses = [] }: LoopOverhead): Interruption[] {
  const paused = pauses.reduce((sum, { ms, everyMs }) => sum + ms / everyMs, 0);
  const part = paused === 0 ? 0 : Math.min(HELPED, helpers / paused);
  const interruptions = pauses.map(({ everyMs, ms }) => ({
    everyMs,
    left: everyMs,
    main: (1 - part) * ms,
    helpers: part * ms,
  }));
  const apart = helpers - part * paused;
  if (apart <= 0) return interruptions;
  const everyMs = BURST_MS / apart;
  return [...interruptions, { everyMs, left: everyMs, main: 0, helpers: BURST_MS }];
}

function nothing(): void {
  // Nobody waits for a helper.
}
