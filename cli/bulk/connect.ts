// Who answers the photos of a job: a server, or worker processes on this machine. Knows how either is reached; nothing of
// shards.

import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Answerer } from '../../infra/bulk/asking.ts';
import type { Question } from '../../infra/bulk/job.ts';
import { WorkerPool } from '../../infra/bulk/pool.ts';
import { answeredOf } from '../../infra/bulk/rows.ts';
import { createClient, type VggClient } from '../../sdk/index.ts';
import { expected } from '../../vgg/errors.ts';

/** What a worker process is told, as its one argument, in JSON. */
export interface WorkerOrder {
  /** Folder of models. */
  models: string;
  question: Question;
  deadlineMs: number;
  /** Threads that its engine computes with. */
  threads: number;
}

/** Who answers, and how many photos at once. */
export interface Connection {
  answerer: Answerer;
  lanes: number;
  /** For estimates: worker processes, or 0 for a server. */
  workers: number;
}

/** How photos are answered. */
export interface Wanted {
  /** `HOST:PORT`, or `local`. */
  server: string;
  workers: number;
  inFlight: number;
  models: string;
  question: Question;
  deadlineMs: number;
}

/** A connection; nothing is reached yet. @throws VggError INVALID_ARGUMENT naming the option at fault */
export function connect(wanted: Wanted): Connection {
  return wanted.server === 'local' ? localWorkers(wanted) : serverConnection(wanted);
}

/** An answerer that asks a client; batch priority, so that people who wait go first. */
export function clientAnswerer(client: VggClient, question: Question, deadlineMs: number): Answerer {
  const options = { ...question, priority: 'BATCH' as const, deadlineMs };
  const ask = async (photo: Uint8Array) => answeredOf(await client.classify(photo, options));
  return {
    ask,
    // A server is no process of ours: what becomes of it is told by its errors.
    askAlone: ask,
    close: () => {
      client.close();
      return Promise.resolve();
    },
  };
}

function serverConnection({ server, workers, inFlight, question, deadlineMs }: Wanted): Connection {
  const client = createClient({ aggregator: server, deadlineMs });
  return { answerer: clientAnswerer(client, question, deadlineMs), lanes: workers * inFlight, workers: 0 };
}

function localWorkers({ workers, inFlight, models, question, deadlineMs }: Wanted): Connection {
  const cores = availableParallelism();
  if (workers > 4 * cores) {
    throw expected(`at most ${String(4 * cores)} workers on ${String(cores)} cores`, workers, '--workers');
  }
  const threads = Math.max(1, Math.floor(cores / workers));
  const order: WorkerOrder = { models, question, deadlineMs, threads };
  const file = fileURLToPath(new URL('./worker-main.js', import.meta.url));
  const start = () =>
    fork(file, [JSON.stringify(order)], {
      serialization: 'advanced',
      // Its complaints are shown; its standard output is nobody's result.
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
  return { answerer: new WorkerPool({ start, workers, inFlight }), lanes: workers * inFlight, workers };
}
