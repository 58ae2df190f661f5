// Worker processes that answer photos: a photo that kills one costs that process alone. Knows how to hand photos out and
// to replace who dies; not how photos are answered.

import type { ChildProcess } from 'node:child_process';
import { asVggError, VggError, type ErrorCode, type FieldViolation } from '../../vgg/errors.ts';
import { NoWorker, WorkerDied, type Answerer } from './asking.ts';
import type { Answered } from './rows.ts';

/** To a worker. */
export interface PhotoMessage {
  id: number;
  photo: Uint8Array;
}

/** An error between processes. */
export interface ErrorMessage {
  code: ErrorCode;
  message: string;
  fields: readonly FieldViolation[];
  retryAfterMs?: number;
}

/** From a worker: it is ready, it cannot be, or what became of a photo. */
export type WorkerMessage =
  | { ready: true }
  | { unable: ErrorMessage }
  | { id: number; answered: Answered }
  | { id: number; error: ErrorMessage };

/** How a pool works. */
export interface PoolOptions {
  /** Starts a worker, with a channel for messages (serialization 'advanced'). */
  start: () => ChildProcess;
  workers: number;
  /** Photos that a worker has in hand at once. */
  inFlight: number;
}

interface Waiting {
  resolve: (answered: Answered) => void;
  reject: (error: Error) => void;
}

// A worker that dies before it is ready so many times in a row will not get ready.
const FALSE_STARTS = 3;

/** A pool; its workers start at the first photo. */
export class WorkerPool implements Answerer {
  readonly #options: PoolOptions;
  readonly #workers = new Set<Worker>();
  #alone: Worker | undefined;
  #queued = 0;
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** At most `workers` · `inFlight` at once. */
  async ask(photo: Uint8Array): Promise<Answered> {
    const { workers, inFlight } = this.#options;
    let least = [...this.#workers].sort((a, b) => a.inHand - b.inHand)[0];
    if (!least || (least.inHand > 0 && this.#workers.size < workers)) {
      least = this.#start(this.#workers);
    }
    if (least.inHand >= inFlight) throw new RangeError('More photos than the pool has hands');
    return await least.ask(photo);
  }

  /** One after the other, by a worker that has no other photo. */
  async askAlone(photo: Uint8Array): Promise<Answered> {
    this.#queued++;
    const turn = this.#last.then(async () => {
      const worker = (this.#alone ??= this.#start(undefined));
      try {
        return await worker.ask(photo);
      } finally {
        // It holds a second copy of the models: not for longer than it is needed.
        if (--this.#queued === 0) await worker.end();
      }
    });
    this.#last = turn.catch(() => undefined);
    return await turn;
  }

  /** Starts all workers and waits until they are ready. @throws VggError if they cannot be */
  async ready(): Promise<void> {
    while (this.#workers.size < this.#options.workers) this.#start(this.#workers);
    await Promise.all([...this.#workers].map((worker) => worker.ready()));
  }

  /** Ends all workers; photos in hand are lost. */
  async close(): Promise<void> {
    this.#closed = true;
    const all = [...this.#workers, ...(this.#alone ? [this.#alone] : [])];
    await Promise.all(all.map((worker) => worker.end()));
  }

  #start(among: Set<Worker> | undefined): Worker {
    if (this.#closed) throw new VggError('CANCELLED', 'The workers have been ended');
    const worker = new Worker(this.#options.start, () => {
      among?.delete(worker);
      if (this.#alone === worker) this.#alone = undefined;
    });
    among?.add(worker);
    return worker;
  }
}

// One worker process; if it dies before it is ready, its successor takes its place and its photos.
class Worker {
  readonly #start: () => ChildProcess;
  readonly #onEnd: () => void;
  readonly #waiting = new Map<number, Waiting>();
  readonly #ready: Promise<void>;
  #process: ChildProcess;
  #next = 0;
  #mayStartAgain = true;
  #settle: { resolve: () => void; reject: (error: Error) => void } | undefined;

  constructor(start: () => ChildProcess, onEnd: () => void) {
    this.#start = start;
    this.#onEnd = onEnd;
    this.#ready = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.#ready.catch(() => undefined);
    this.#process = this.#begin(1);
  }

  get inHand(): number {
    return this.#waiting.size;
  }

  async ready(): Promise<void> {
    await this.#ready;
  }

  async ask(photo: Uint8Array): Promise<Answered> {
    const id = this.#next++;
    return await new Promise<Answered>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#ready.then(
        () => {
          // A worker that is dead already is told of by its exit.
          if (this.#process.connected)
            this.#process.send({ id, photo } satisfies PhotoMessage, () => undefined);
        },
        (error: unknown) => {
          this.#waiting.delete(id);
          reject(asVggError(error));
        },
      );
    });
  }

  async end(): Promise<void> {
    this.#mayStartAgain = false;
    const child = this.#process;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise<void>((resolve) =>
      child.once('exit', () => {
        resolve();
      }),
    );
    if (child.connected) child.disconnect();
    const late = setTimeout(() => child.kill('SIGKILL'), 5000);
    await exited;
    clearTimeout(late);
  }

  #begin(attempt: number): ChildProcess {
    const child = this.#start();
    let ready = false;
    child.on('message', (message: WorkerMessage) => {
      if ('ready' in message) {
        ready = true;
        this.#settle?.resolve();
      } else if ('unable' in message) {
        this.#mayStartAgain = false;
        const { code, message: why } = message.unable;
        this.#settle?.reject(new NoWorker(code, why));
      } else {
        const waiting = this.#waiting.get(message.id);
        this.#waiting.delete(message.id);
        if ('answered' in message) waiting?.resolve(message.answered);
        else waiting?.reject(errorOf(message.error));
      }
    });
    child.on('error', () => undefined);
    child.on('exit', (status, signal) => {
      const how = signal ?? `exit status ${String(status)}`;
      if (!ready && attempt < FALSE_STARTS && this.#mayStartAgain) {
        this.#process = this.#begin(attempt + 1);
        return;
      }
      const never = new NoWorker('INTERNAL', `Expected a worker to start but received ${how}`);
      this.#settle?.reject(never);
      this.#onEnd();
      const lost = [...this.#waiting.values()];
      this.#waiting.clear();
      for (const { reject } of lost) reject(ready ? new WorkerDied(how, lost.length === 1) : never);
    });
    return child;
  }
}

function errorOf({ code, message, fields, retryAfterMs }: ErrorMessage): VggError {
  return new VggError(code, message, { fields, ...(retryAfterMs !== undefined && { retryAfterMs }) });
}
