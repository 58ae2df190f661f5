// Entry of the engine's worker thread: onnxruntime computes on the thread that calls it, so it gets its own.
// Knows messages and sessions. Requests are answered one after another, in the order of their arrival.

import { parentPort, workerData } from 'node:worker_threads';
import { env, listSupportedBackends } from 'onnxruntime-node';
import { asVggError } from '../../../vgg/errors.ts';
import type { CutScores, Envelope, WorkerMessage, WorkerSettings } from './messages.ts';
import { Sessions } from './sessions.ts';

if (!parentPort) throw new Error('This file runs as a worker thread');
const port = parentPort;
const sessions = new Sessions((workerData as WorkerSettings).threads);
let last: Promise<void> = Promise.resolve();

port.on('message', (envelope: Envelope) => {
  last = last.then(() => answer(envelope));
});

send({
  kind: 'facts',
  facts: {
    version: env.versions.node ?? env.versions.common,
    providers: listSupportedBackends()
      .filter(({ bundled }) => bundled)
      .map(({ name }) => name),
  },
});

async function answer(envelope: Envelope): Promise<void> {
  const { id } = envelope;
  try {
    const scores = await perform(envelope);
    send({ kind: 'reply', id, scores }, buffersOf(scores));
  } catch (error) {
    const { code, message, cause } = asVggError(error);
    send({ kind: 'failure', id, code, message, cause: words(cause) });
  }
}

async function perform(envelope: Envelope): Promise<CutScores[]> {
  switch (envelope.kind) {
    case 'score':
      return sessions.score(envelope);
    case 'load':
      await sessions.load(envelope.source);
      break;
    case 'unload':
      await sessions.unload(envelope.key);
      break;
    case 'close':
      await sessions.close();
  }
  return [];
}

function send(message: WorkerMessage, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}

function buffersOf(scores: readonly CutScores[]): ArrayBuffer[] {
  return scores.flatMap(({ posterior, scoreMap }) =>
    scoreMap ? [posterior.buffer, scoreMap.values.buffer] : [posterior.buffer],
  );
}

function words(cause: unknown): string {
  return cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
}
