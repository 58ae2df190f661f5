// A worker thread's life: libraries compute on the thread that calls them, so they get one of their own.
// Knows messages; the sessions are a library's. Requests are answered one after another, as they arrive.

import { parentPort } from 'node:worker_threads';
import { asVggError } from '../../../vgg/errors.ts';
import type { LoadPhase, OnPhase } from '../engine.ts';
import type {
  CutScores,
  Envelope,
  ModelSource,
  ScoreRequest,
  Speeds,
  WorkerFacts,
  WorkerMessage,
  WorkerReply,
} from './messages.ts';

/** What a library does for its thread. */
export interface Sessions {
  /**
   * Loads a model and runs it once.
   *
   * @param onPhase told how long each phase took
   * @returns how fast it was, if that was measured
   *
   * @throws VggError INVALID_ARGUMENT or RESOURCE_EXHAUSTED, naming the model and what is wrong with it
   */
  load(source: ModelSource, onPhase?: OnPhase): Promise<Speeds | undefined>;
  /** Scores views of one size, or of one plane to be shared: same length, same order. */
  score(request: ScoreRequest): Promise<CutScores[]>;
  /** Frees a model; does nothing if there is none. */
  unload(key: number): Promise<void>;
  /** Frees all models. */
  close(): Promise<void>;
}

/**
 * Serves this worker thread's requests until it is ended.
 *
 * @param open gets the library ready; what it throws is the worker's refusal
 */
export async function serveThread(
  open: () => Promise<{ facts: WorkerFacts; sessions: Sessions }>,
): Promise<void> {
  if (!parentPort) throw new Error('This file runs as a worker thread');
  const port = parentPort;
  const send = (message: WorkerMessage, transfer: ArrayBuffer[] = []) => {
    port.postMessage(message, transfer);
  };
  let last: Promise<void> = Promise.resolve();
  try {
    const { facts, sessions } = await open();
    port.on('message', (envelope: Envelope) => {
      last = last.then(() => answer(sessions, envelope, send));
    });
    send({ kind: 'facts', facts });
  } catch (error) {
    send({ kind: 'refusal', ...told(error) });
  }
}

async function answer(
  sessions: Sessions,
  envelope: Envelope,
  send: (message: WorkerMessage, transfer?: ArrayBuffer[]) => void,
): Promise<void> {
  const { id } = envelope;
  try {
    const reply = await perform(sessions, envelope);
    send({ kind: 'reply', id, reply }, buffersOf(reply.scores));
  } catch (error) {
    send({ kind: 'failure', id, ...told(error) });
  }
}

async function perform(sessions: Sessions, envelope: Envelope): Promise<WorkerReply> {
  switch (envelope.kind) {
    case 'score':
      return { scores: await sessions.score(envelope) };
    case 'load': {
      const phases: [LoadPhase, number][] = [];
      const speeds = await sessions.load(envelope.source, (...phase) => phases.push(phase));
      return { scores: [], phases, ...(speeds && { speeds }) };
    }
    case 'unload':
      await sessions.unload(envelope.key);
      break;
    case 'close':
      await sessions.close();
  }
  return { scores: [] };
}

function buffersOf(scores: readonly CutScores[]): ArrayBuffer[] {
  return scores.flatMap(({ posterior, scoreMap }) =>
    scoreMap ? [posterior.buffer, scoreMap.values.buffer] : [posterior.buffer],
  );
}

function told(error: unknown): {
  code: ReturnType<typeof asVggError>['code'];
  message: string;
  cause: string;
} {
  const { code, message, cause } = asVggError(error);
  return { code, message, cause: cause instanceof Error ? (cause.stack ?? cause.message) : String(cause) };
}
