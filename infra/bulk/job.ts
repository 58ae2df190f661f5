// A job: what was asked, once and for all, and its list of shards. Whoever goes on with it, here or on another machine,
// reads it from where the results go. Knows what a job is; not how it is done.

import type { EvaluationOptions } from '../../sdk/index.ts';
import { VggError, expected } from '../../vgg/errors.ts';
import { manifestSum, shardsOf, type Shard } from './manifest.ts';
import type { PhotoEntry } from './photos.ts';
import type { Format } from './rows.ts';
import { sweep, FolderStore, type Store } from './store.ts';

/** What photos are asked, as the SDK takes it; what is left out is the server's to choose. */
export interface Question extends Pick<
  EvaluationOptions,
  'protocol' | 'scales' | 'grid' | 'align' | 'kernel' | 'scoreOrder' | 'stop'
> {
  models?: string[];
  top: number;
}

/** A job, as job.json has it. */
export interface Job {
  job: 'vgg bulk';
  version: 1;
  /** The folder, or `s3://bucket/prefix/`. */
  source: string;
  format: Format;
  question: Question;
  /** Weights of the models, where who made the job knew them: others would make results of two kinds. */
  weights: { model: string; sha256: string }[];
  photos: number;
  /** Of the photos; those whose size nobody said count 0. */
  bytes: number;
  shardPhotos: number;
  /** Sum of the manifest. */
  sha256: string;
}

/** A job and its shards, ready to be worked on. */
export interface OpenJob {
  job: Job;
  shards: Shard[];
  store: Store;
}

/** What a job is before its photos are known. */
export type JobRequest = Omit<Job, 'job' | 'version' | 'photos' | 'bytes' | 'sha256'>;

/** Keys of a job's pieces. */
export const keys = {
  job: 'job.json',
  shards: 'shards.json',
  manifest: (part: string) => `manifest/part-${part}.jsonl`,
  result: (part: string, format: Format) => `results/part-${part}.${format}`,
  /** Shards that are still to be done, for whoever hands them out. */
  todo: 'todo.json',
  /** How many they are, and in how many batches: `{"shards": 6, "batches": 3}`. */
  todoCount: 'todo-count.json',
  /** Rows of a shard that was left before its end. */
  partial: (part: string) => `partial/part-${part}.jsonl`,
  /** How often each photo of a shard took its worker with it. */
  deaths: (part: string) => `deaths/part-${part}.json`,
  failures: 'failures.jsonl',
  summary: 'summary.json',
};

/**
 * Makes a job: writes the manifest's pieces, then the list of shards, then the job, so that a job that is there is whole.
 *
 * @param onPhotos told how many photos have been listed
 * @throws VggError INVALID_ARGUMENT if there are no photos, or a job is there already
 */
export async function createJob(
  request: JobRequest,
  photos: AsyncIterable<PhotoEntry> | Iterable<PhotoEntry>,
  store: Store,
  onPhotos: (count: number) => void = () => undefined,
): Promise<OpenJob> {
  if (await store.get(keys.job)) throw expected('a place without a job', 'one with a job', store.place);
  const shards: Shard[] = [];
  let [count, bytes] = [0, 0];
  for await (const { shard, text } of shardsOf(photos, request.shardPhotos)) {
    await store.put(keys.manifest(shard.part), text);
    shards.push(shard);
    count += shard.photos;
    bytes += shard.bytes;
    onPhotos(count);
  }
  if (count === 0) throw expected('photos', 'none', request.source, 'NOT_FOUND');
  const job: Job = {
    ...{ job: 'vgg bulk', version: 1 },
    ...request,
    ...{ photos: count, bytes, sha256: manifestSum(shards) },
  };
  await store.put(keys.shards, json(shards));
  // Of a write that took two attempts the first may have counted: then what is there is ours.
  const first =
    (await store.putNew(keys.job, json(job))) ||
    Buffer.from((await store.get(keys.job)) ?? []).equals(json(job));
  if (!first) throw expected('a place without a job', 'one that somebody has just made', store.place);
  return { job, shards, store };
}

/** The job at a place; undefined if there is none. @throws VggError INVALID_ARGUMENT if it is not whole */
export async function openJob(store: Store): Promise<OpenJob | undefined> {
  const text = await store.get(keys.job);
  if (!text) return undefined;
  const job = parsed(text) as Partial<Job> | undefined;
  if (job?.job !== 'vgg bulk' || job.version !== 1) {
    throw expected(
      'a job of vgg bulk, version 1',
      Buffer.from(text).toString(),
      `${store.place}/${keys.job}`,
    );
  }
  const list = await store.get(keys.shards);
  const shards = list && (parsed(list) as Shard[] | undefined);
  const sum = Array.isArray(shards) ? manifestSum(shards) : 'nothing';
  if (!Array.isArray(shards) || sum !== job.sha256) {
    throw expected(`shards of SHA-256 ${String(job.sha256)}`, sum, `${store.place}/${keys.shards}`);
  }
  if (store instanceof FolderStore) {
    await sweep(store.place, ['', 'manifest', 'results', 'partial', 'deaths']);
  }
  return { job: job as Job, shards, store };
}

/** @throws VggError INVALID_ARGUMENT naming what the job has and the request has not, or the other way round */
export function checkSame(job: Job, request: JobRequest, place: string): void {
  const said = (what: string, here: unknown, there: unknown) =>
    new VggError(
      'INVALID_ARGUMENT',
      `Expected ${what} ${shown(there)}, of the job in ${place}, but received ${shown(here)}; another --out begins another job`,
    );
  for (const what of ['source', 'format'] as const) {
    if (job[what] !== request[what]) throw said(what, request[what], job[what]);
  }
  const [here, there] = [request.question, job.question] as Record<keyof Question, unknown>[];
  for (const what of new Set([...keysOf(here), ...keysOf(there)])) {
    if (shown(here?.[what]) !== shown(there?.[what])) throw said(what, here?.[what], there?.[what]);
  }
  for (const { model, sha256 } of request.weights) {
    const other = job.weights.find((each) => each.model === model);
    if (other && other.sha256 !== sha256) {
      throw said(`model ${model} with weights of SHA-256`, sha256, other.sha256);
    }
  }
}

/** A value as a piece. */
export function json(value: unknown): Uint8Array {
  return Buffer.from(`${JSON.stringify(value, null, 1)}\n`);
}

function keysOf(value: object | undefined): (keyof Question)[] {
  return Object.keys(value ?? {}) as (keyof Question)[];
}

function shown(value: unknown): string {
  return value === undefined ? 'none' : typeof value === 'string' ? value : JSON.stringify(value);
}

function parsed(text: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(text).toString());
  } catch {
    return undefined;
  }
}
