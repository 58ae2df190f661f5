// One worker thread from start to end, as calls that are answered. Knows messages and the thread's end;
// does not know what to do about it.

import type { Worker } from 'node:worker_threads';
import { VggError, type ErrorCode } from '../../../vgg/errors.ts';
import type { Envelope, WorkerFacts, WorkerMessage, WorkerReply, WorkerRequest } from './messages.ts';

/** The worker ended before it answered: the call may be tried on another. */
export class WorkerEnded extends Error {
  override readonly name = 'WorkerEnded';
}

interface Pending {
  resolve(reply: WorkerReply): void;
  reject(error: Error): void;
}

/** A running worker. */
export class WorkerHandle {
  /** Resolves with the worker's first message; rejects with WorkerEnded if there is none, VggError if it refuses. */
  readonly facts: Promise<WorkerFacts>;
  /** Resolves with the reason when the thread has ended, whyever. */
  readonly ended: Promise<WorkerEnded>;
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  #nextId = 0;
  #end: WorkerEnded | undefined;

  constructor(worker: Worker) {
    this.#worker = worker;
    let uncaught: unknown;
    worker.on('error', (error) => {
      uncaught = error;
    });
    this.ended = new Promise((resolve) => {
      worker.on('exit', (code) => {
        this.#end = new WorkerEnded(`The engine's worker ended with status ${String(code)}`, {
          cause: uncaught,
        });
        for (const pending of this.#pending.values()) pending.reject(this.#end);
        this.#pending.clear();
        resolve(this.#end);
      });
    });
    this.facts = new Promise((resolve, reject) => {
      worker.on('message', (message: WorkerMessage) => {
        if (message.kind === 'facts') resolve(message.facts);
        else if (message.kind === 'refusal') reject(errorOf(message));
        else this.#settle(message);
      });
      void this.ended.then(reject);
    });
    // Whoever asks for the facts sees the rejection; nobody has to ask.
    this.facts.catch(() => undefined);
  }

  /**
   * Asks the worker.
   *
   * @throws WorkerEnded if it ends before it answers; VggError if it answers with one
   */
  call(request: WorkerRequest): Promise<WorkerReply> {
    return new Promise((resolve, reject) => {
      if (this.#end) {
        reject(this.#end);
        return;
      }
      const envelope: Envelope = { ...request, id: this.#nextId++ };
      this.#pending.set(envelope.id, { resolve, reject });
      this.#worker.postMessage(envelope);
    });
  }

  /** Ends the thread as soon as it leaves native code. */
  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }

  #settle(message: Extract<WorkerMessage, { id: number }>): void {
    const pending = this.#pending.get(message.id);
    this.#pending.delete(message.id);
    if (message.kind === 'reply') pending?.resolve(message.reply);
    else pending?.reject(errorOf(message));
  }
}

function errorOf({ code, message, cause }: { code: ErrorCode; message: string; cause: string }): VggError {
  return new VggError(code, message, { cause });
}
