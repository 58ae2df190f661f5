// The steps of a job one by one, as a state machine or an operator takes them: the manifest, what is left to do, some
// shards, the reckoning. Knows jobs that are there; `vgg bulk SOURCE` does all of it.

import { createJob, json, keys } from '../../infra/bulk/job.ts';
import { batchesOf, type Shard } from '../../infra/bulk/manifest.ts';
import { runShards } from '../../infra/bulk/run.ts';
import { ShardWork, type Retry } from '../../infra/bulk/shard.ts';
import { verifyJob } from '../../infra/bulk/verify.ts';
import { systemClock } from '../../sdk/clock.ts';
import { VggError, expected } from '../../vgg/errors.ts';
import { interruptSignal } from '../interrupt.ts';
import { modelsFolder } from '../models-folder.ts';
import { print, progress, say, thousands } from '../terminal.ts';
import { connect } from './connect.ts';
import { mostOf, patienceOf, requestOf, type JobFlags, type WorkFlags } from './flags.ts';
import { jobAt, photosOfList, sourceAt, storeAt } from './places.ts';
import { tellSummary } from './run.ts';

const SHARD_PHOTOS = 500;

/** Makes a job, and asks nobody about a photo. */
export async function makeManifest(address: string, flags: JobFlags & { models?: string }): Promise<void> {
  const source = await sourceAt(address, flags.anyName ?? false);
  const models = flags.models === undefined ? undefined : modelsFolder(flags.models);
  const request = await requestOf(address, flags, models);
  const photos = flags.manifest === undefined ? source.list() : await photosOfList(flags.manifest);
  const { shardPhotos = SHARD_PHOTOS } = flags;
  const { job, shards, store } = await createJob(
    { ...request, shardPhotos },
    photos,
    await storeAt(flags.out, '--out'),
  );
  say(`${thousands(job.photos)} photos in ${thousands(shards.length)} shards: ${store.place}`);
}

/** Values of `vgg bulk todo`. */
export interface TodoFlags {
  retry: Retry;
  machines: number;
  taskShards: number;
}

/** Writes the list of shards that are not done, in batches: a task each. */
export async function listTodo(address: string, { retry, machines, taskShards }: TodoFlags): Promise<void> {
  const open = await jobAt(address);
  const bar = progress(open.shards.length, 'shards');
  const parts: string[] = [];
  for (const [i, shard] of open.shards.entries()) {
    const { missing } = await ShardWork.open(open, shard, retry);
    if (missing.length > 0) parts.push(shard.part);
    bar.update(i + 1);
  }
  bar.stop();
  const batches = batchesOf(parts, machines, taskShards);
  await open.store.put(keys.todo, json(batches));
  await open.store.put(keys.todoCount, json({ shards: parts.length, batches: batches.length }));
  print(String(parts.length));
}

/** Works on some shards of a job. */
export async function workOnShards(address: string, flags: WorkFlags & { parts?: string[] }): Promise<void> {
  const signal = interruptSignal();
  const open = await jobAt(address);
  const { job } = open;
  const shards = flags.parts ? flags.parts.map((part) => shardNamed(open.shards, part)) : open.shards;
  const photos = shards.reduce((sum, each) => sum + each.photos, 0);
  const local = flags.server === 'local';
  const { answerer, lanes } = connect({
    ...{ server: flags.server, workers: flags.workers, question: job.question },
    inFlight: flags.inFlight ?? (local ? 4 : 16),
    models: local ? modelsFolder(flags.models) : '',
    deadlineMs: flags.timeout * 1000,
  });
  try {
    const source = await sourceAt(job.source, true);
    const { answered, setAside } = await runShards(open, {
      ...{ shards, source, answerer, lanes, retry: flags.retry, patience: patienceOf(flags), signal },
      maxFailures: mostOf(flags.maxFailures, photos),
      clock: systemClock,
      onProgress: () => undefined,
      onNotice: say,
    });
    say(`${thousands(answered)} photos answered, ${thousands(setAside)} set aside`);
  } finally {
    await answerer.close();
  }
}

/** Holds the results of a job against its manifest. */
export async function verify(address: string, { json: asJson = false }: { json?: boolean }): Promise<void> {
  const open = await jobAt(address);
  const bar = progress(open.shards.length, 'shards');
  let done = 0;
  const summary = await verifyJob(open, () => {
    bar.update(++done);
  });
  bar.stop();
  tellSummary(summary, open, asJson);
  // Photos that were set aside have their rows: the job is done.
  process.exitCode = summary.complete ? 0 : 1;
}

/** Names of shards: `["00000","00001"]`, or with commas between. @throws VggError INVALID_ARGUMENT */
export function partsOf(text: string): string[] {
  let parts: unknown;
  try {
    parts = text.trim().startsWith('[') ? JSON.parse(text) : text.split(',');
  } catch (cause) {
    throw new VggError('INVALID_ARGUMENT', `Expected names of shards but received ${text} (--parts)`, {
      cause,
    });
  }
  if (!Array.isArray(parts) || parts.length === 0 || !parts.every((each) => typeof each === 'string')) {
    throw expected('names of shards', text, '--parts');
  }
  return parts;
}

function shardNamed(shards: readonly Shard[], part: string): Shard {
  const shard = shards.find((each) => each.part === part);
  if (!shard) throw expected(`shards from 00000 to ${shards.at(-1)?.part ?? ''}`, part, '--parts');
  return shard;
}
