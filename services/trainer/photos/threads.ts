// Threads that make pieces, and their pieces in order. Knows numbers and threads; not what a piece is made of.

import { Worker } from 'node:worker_threads';
import { VggError } from '../../../vgg/errors.ts';
// Before any thread: the image library is set up for the process, once.
import '../../preprocess/loaders.ts';
import { CONTROL, type ThreadData, type ThreadMessage } from './messages.ts';
import type { Job, Piece } from './pieces.ts';

/** How pieces are made. */
export interface ThreadOptions {
  threads: number;
  /** Pieces that are ready before they are asked for. */
  ahead: number;
  /** Number of the first piece. */
  first?: number;
  /** How many there are; without end if left out. */
  count?: number;
  /** What the threads run: `loader-worker` unless a test says otherwise. */
  entry?: URL;
}

const ENTRY = new URL('./loader-worker.js', import.meta.url);

interface Waiter {
  place: number;
  resolve: (piece: Piece) => void;
  reject: (error: Error) => void;
}

/** Pieces in order, made ahead by threads. Must be closed. */
export class OrderedPieces {
  readonly #control = new Int32Array(new SharedArrayBuffer(4 * Object.keys(CONTROL).length));
  readonly #workers: Worker[];
  readonly #exits: Promise<void>[];
  readonly #count: number;
  readonly #ready = new Map<number, Piece>();
  #waiters: Waiter[] = [];
  #next = 0;
  #failure: VggError | undefined;
  #running: number;
  #closed = false;

  constructor(job: Job, { threads, ahead, first = 0, count, entry = ENTRY }: ThreadOptions) {
    this.#count = count ?? Infinity;
    this.#running = threads;
    const data: ThreadData = { job, control: this.#control.buffer, first, count, ahead };
    this.#workers = Array.from({ length: threads }, (_, i) => {
      const name = `photos-${String(i)}`;
      return new Worker(entry, { name, workerData: data });
    });
    this.#exits = this.#workers.map(
      (worker) =>
        new Promise<void>((resolve) => {
          worker.on('message', (message: ThreadMessage) => {
            this.#receive(message);
          });
          worker.on('error', (cause) => {
            this.#fail(new VggError('INTERNAL', 'A thread that reads photos died', { cause }));
          });
          // Messages come before this one.
          worker.on('exit', (code) => {
            this.#running--;
            const early = this.#count === Infinity || (this.#running === 0 && this.#missing());
            if (code !== 0 || early) {
              const message = `A thread that reads photos ended with status ${String(code)}`;
              this.#fail(new VggError('INTERNAL', message));
            }
            resolve();
          });
        }),
    );
  }

  /** Pieces that were made so far. */
  get made(): number {
    return Atomics.load(this.#control, CONTROL.made);
  }

  /**
   * The next piece. Several calls may wait; they get pieces in the order of the calls.
   *
   * @throws VggError of a thread that failed or died; CANCELLED after `close`
   */
  async next(): Promise<Piece> {
    if (this.#closed) throw closedError();
    if (this.#failure) throw this.#failure;
    const place = this.#next++;
    Atomics.store(this.#control, CONTROL.asked, this.#next);
    Atomics.notify(this.#control, CONTROL.asked);
    const ready = this.#ready.get(place);
    if (ready) {
      this.#ready.delete(place);
      return ready;
    }
    return new Promise((resolve, reject) => {
      this.#waiters.push({ place, resolve, reject });
    });
  }

  /** Ends the threads, after the piece that each is at; callers that wait are told. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#fail(closedError());
    await Promise.all(this.#exits);
  }

  #missing(): boolean {
    return this.#waiters.length > 0 || this.#next + this.#ready.size < this.#count;
  }

  #receive(message: ThreadMessage): void {
    if (message.kind === 'failure') {
      const { code, cause } = message;
      this.#fail(new VggError(code, message.message, { cause: new Error(cause) }));
      return;
    }
    const waiter = this.#waiters.find(({ place }) => place === message.place);
    if (waiter) {
      this.#waiters = this.#waiters.filter((each) => each !== waiter);
      waiter.resolve(message.piece);
    } else {
      this.#ready.set(message.place, message.piece);
    }
  }

  // The first failure is every later caller's too, and ends all threads.
  #fail(error: VggError): void {
    this.#failure ??= error;
    Atomics.store(this.#control, CONTROL.closed, 1);
    Atomics.add(this.#control, CONTROL.asked, 1);
    Atomics.notify(this.#control, CONTROL.asked);
    for (const { reject } of this.#waiters.splice(0)) reject(this.#failure);
  }
}

function closedError(): VggError {
  return new VggError('CANCELLED', 'The photos were closed');
}
