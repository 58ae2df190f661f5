// Keeps one worker alive: replaces it when it dies, gives the replacement what the old one had, and repeats
// once what was under way. Knows deaths and delays; does not know what is asked.

import type { Worker } from 'node:worker_threads';
import { VggError } from '../../../vgg/errors.ts';
import type { EngineHealth } from '../engine.ts';
import type { WorkerFacts, WorkerReply, WorkerRequest } from './messages.ts';
import { WorkerEnded, WorkerHandle } from './worker-handle.ts';

/** What a supervisor is made of. */
export interface SupervisorOptions {
  /** Starts a thread. */
  spawn(): Worker;
  /** What every new worker is asked first. */
  restore(): Iterable<WorkerRequest>;
  /** Called when a worker ended that nobody closed, or when its replacement cannot start. */
  onFailure?: (reason: Error) => void;
  /** Runs a function later; returns how to call it off. */
  schedule?: (run: () => void, ms: number) => () => void;
}

// A replacement that cannot start is tried again after these delays: 1 s, doubled up to 30 s.
const FIRST_DELAY_MS = 1_000;
const LAST_DELAY_MS = 30_000;

/** One worker at a time, always. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #schedule: (run: () => void, ms: number) => () => void;
  // The worker that is asked; pending while a replacement starts.
  #worker: Promise<WorkerHandle>;
  // Whichever thread runs, also while it starts.
  #running: WorkerHandle | undefined;
  #health: EngineHealth = { ready: false, reason: 'The engine is starting' };
  #delayMs = FIRST_DELAY_MS;
  readonly #underWay = new Set<Promise<unknown>>();
  #callOff: (() => void) | undefined;
  #closed: Promise<void> | undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#schedule = options.schedule ?? later;
    this.#worker = this.#start();
  }

  /** Whether calls are answered now. */
  get health(): EngineHealth {
    return this.#health;
  }

  /** What the worker runs on. */
  async facts(): Promise<WorkerFacts> {
    return (await this.#worker).facts;
  }

  /**
   * Asks the worker; if it dies before it answers, asks its replacement, once.
   *
   * @throws VggError UNAVAILABLE if that one dies too, cannot start, or the supervisor is closed
   */
  async call(request: WorkerRequest): Promise<WorkerReply> {
    if (this.#closed) throw closedError();
    const call = this.#call(request);
    this.#underWay.add(call);
    try {
      return await call;
    } finally {
      this.#underWay.delete(call);
    }
  }

  /** Lets what is under way finish, then ends the worker. Safe to call twice. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #call(request: WorkerRequest): Promise<WorkerReply> {
    let death: WorkerEnded | undefined;
    for (let attempt = 0; attempt < 2; attempt++) {
      const worker = await this.#worker;
      try {
        return await worker.call(request);
      } catch (error) {
        if (!(error instanceof WorkerEnded)) throw error;
        death = error;
        this.#replace(worker, error);
      }
    }
    throw new VggError('UNAVAILABLE', 'The engine died twice while it computed this batch', { cause: death });
  }

  async #close(): Promise<void> {
    this.#callOff?.();
    this.#health = { ready: false, reason: 'The engine is closed' };
    await Promise.allSettled(this.#underWay);
    const worker = this.#running;
    if (!worker) return;
    await worker.call({ kind: 'close' }).catch(() => undefined);
    await worker.terminate();
  }

  #start(): Promise<WorkerHandle> {
    const started = this.#startOnce();
    started.catch(() => undefined);
    return started;
  }

  async #startOnce(): Promise<WorkerHandle> {
    const worker = new WorkerHandle(this.#options.spawn());
    this.#running = worker;
    try {
      await worker.facts;
      for (const request of this.#options.restore()) await worker.call(request);
    } catch (cause) {
      await worker.terminate();
      if (this.#closed) throw closedError();
      const message = cause instanceof VggError ? cause.message : 'its worker does not start';
      this.#health = { ready: false, reason: `The engine cannot start: ${message}` };
      const delayMs = this.#delayMs;
      this.#delayMs = Math.min(2 * delayMs, LAST_DELAY_MS);
      this.#callOff = this.#schedule(() => {
        this.#worker = this.#start();
      }, delayMs);
      const error = new VggError('UNAVAILABLE', this.#health.reason, { cause, retryAfterMs: delayMs });
      this.#options.onFailure?.(error);
      throw error;
    }
    this.#delayMs = FIRST_DELAY_MS;
    if (!this.#closed) this.#health = { ready: true };
    void worker.ended.then((reason) => {
      this.#replace(worker, reason);
    });
    return worker;
  }

  // Whoever notices the death first, a call or the thread's own end, starts the replacement.
  #replace(worker: WorkerHandle, reason: Error): void {
    if (this.#closed || worker !== this.#running) return;
    this.#health = { ready: false, reason: 'The engine died and is being replaced' };
    this.#worker = this.#start();
    this.#options.onFailure?.(reason);
  }
}

function later(run: () => void, ms: number): () => void {
  const timer = setTimeout(run, ms);
  // Nobody waits for an engine that cannot start.
  timer.unref();
  return () => {
    clearTimeout(timer);
  };
}

function closedError(): VggError {
  return new VggError('UNAVAILABLE', 'The engine is closed');
}
