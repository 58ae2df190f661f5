// vgg bulk SOURCE: a job from its beginning, or from wherever it was left, to its end. Knows the order of steps and what a
// person is told; the steps are infra/bulk's.

import { createInterface } from 'node:readline/promises';
import { checkSame, createJob, openJob, type JobRequest, type OpenJob } from '../../infra/bulk/job.ts';
import type { PhotoEntry, PhotoSource } from '../../infra/bulk/photos.ts';
import { runShards } from '../../infra/bulk/run.ts';
import { verifyJob, type Summary } from '../../infra/bulk/verify.ts';
import { PRICES } from '../../infra/prices.ts';
import { systemClock } from '../../sdk/clock.ts';
import { VggError, expected } from '../../vgg/errors.ts';
import { shuffled } from '../chance.ts';
import { interruptSignal } from '../interrupt.ts';
import { modelsFolder } from '../models-folder.ts';
import { print, progress, say, size, thousands } from '../terminal.ts';
import { connect, type Connection } from './connect.ts';
import { costOf, dollars, measure, span, type Sample } from './estimate.ts';
import { mostOf, patienceOf, requestOf, type JobFlags, type WorkFlags } from './flags.ts';
import { photosOfList, sourceAt, storeAt } from './places.ts';

/** Values of the options. */
export interface RunFlags extends JobFlags, WorkFlags {
  resume?: boolean;
  estimate?: boolean;
  yes?: boolean;
  instance?: string;
  instances: number;
  spot?: boolean;
  seed: number;
  json?: boolean;
}

const [LEAST_SHARD, MOST_SHARD] = [10, 2000];
const SHARD_SECONDS = 60;

/** Runs the command. */
export async function run(address: string, flags: RunFlags): Promise<void> {
  const signal = interruptSignal();
  const source = await sourceAt(address, flags.anyName ?? false);
  const store = await storeAt(flags.out, '--out');
  const models = flags.server === 'local' ? modelsFolder(flags.models) : undefined;
  if (models === undefined && flags.models !== undefined) {
    throw new VggError(
      'INVALID_ARGUMENT',
      'Expected --models or --server but received both: a server has models of its own',
    );
  }
  if (flags.instance !== undefined && !(flags.instance in PRICES.instances)) {
    throw expected(`one of ${Object.keys(PRICES.instances).join(', ')}`, flags.instance, '--instance');
  }
  const request = await requestOf(address, flags, models);
  const existing = await openJob(store);
  if (existing && !flags.resume && !flags.estimate) {
    throw expected(
      'a place without a job, or --resume to go on with the one that is there',
      flags.out,
      '--out',
    );
  }
  if (existing) checkSame(existing.job, { ...request, shardPhotos: existing.job.shardPhotos }, flags.out);
  const connection = connect({
    ...{ server: flags.server, workers: flags.workers, question: request.question },
    inFlight: flags.inFlight ?? (models === undefined ? 16 : 4),
    models: models ?? '',
    deadlineMs: flags.timeout * 1000,
  });
  try {
    const open = existing ?? (await begin(request, source, flags, connection, signal));
    if (open) await work(open, source, flags, connection, signal);
  } finally {
    await connection.answerer.close();
  }
}

// Lists, measures, asks whether to go on, and makes the job; undefined if it is not to be.
async function begin(
  request: Omit<JobRequest, 'shardPhotos'>,
  source: PhotoSource,
  flags: RunFlags,
  connection: Connection,
  signal: AbortSignal,
): Promise<OpenJob | undefined> {
  const photos = await listed(source, flags, signal);
  const sample = await measure(
    shuffled(photos, flags.seed),
    ...([source, connection.answerer, connection.lanes, systemClock, signal] as const),
  );
  const { shardPhotos = shardOf(sample.photosPerSecond, connection.lanes) } = flags;
  const tell = flags.estimate ? print : say;
  for (const line of estimateLines(photos, sample, shardPhotos, flags, connection)) tell(line);
  if (flags.estimate) return undefined;
  if (!flags.yes && !(await confirmed(signal))) throw new VggError('CANCELLED', 'Nothing was begun');
  return await createJob({ ...request, shardPhotos }, photos, await storeAt(flags.out, '--out'));
}

async function work(
  open: OpenJob,
  source: PhotoSource,
  flags: RunFlags,
  { answerer, lanes }: Connection,
  signal: AbortSignal,
): Promise<void> {
  const { job, shards } = open;
  const bar = progress(job.photos, 'photos', process.stderr.isTTY, 20);
  const started = performance.now();
  let [answered, setAside] = [0, 0];
  try {
    await runShards(open, {
      ...{ shards, source, answerer, lanes, retry: flags.retry, patience: patienceOf(flags), signal },
      maxFailures: mostOf(flags.maxFailures, job.photos),
      clock: systemClock,
      onProgress: (counts) => {
        ({ answered, setAside } = counts);
        const rate = counts.fresh / ((performance.now() - started) / 1000);
        bar.update(answered + setAside, `${rate.toFixed(1)}/s  ${thousands(setAside)} set aside`);
      },
      onNotice: say,
    });
  } catch (error) {
    bar.stop();
    say(
      `${thousands(answered + setAside)} of ${thousands(job.photos)} photos have rows in ${open.store.place}: the same command with --resume goes on`,
    );
    throw error;
  } finally {
    bar.stop();
  }
  tellSummary(await verifyJob(open), open, flags.json ?? false);
}

/** Tells what a job comes to; the exit status is 1 unless every photo was answered. */
export function tellSummary(summary: Summary, { store }: OpenJob, asJson: boolean): void {
  const { photos, answered, setAside, missing, damaged, complete } = summary;
  if (asJson) print(JSON.stringify(summary));
  say(
    `${thousands(answered)} of ${thousands(photos)} photos answered${setAside > 0 ? `, ${thousands(setAside)} set aside (${store.place}/failures.jsonl)` : ''}: ${store.place}/results`,
  );
  for (const { shard, why } of damaged) say(`Shard ${shard} is damaged: ${why}`);
  if (missing.shards.length > 0) {
    say(`Without results: ${thousands(missing.photos)} photos in shards ${shortList(missing.shards)}`);
  }
  if (!complete || setAside > 0) process.exitCode = 1;
}

/** The photos of a job: of the list, or all. */
export async function listed(
  source: PhotoSource,
  { manifest }: Pick<JobFlags, 'manifest'>,
  signal: AbortSignal,
): Promise<PhotoEntry[]> {
  if (manifest !== undefined) return await photosOfList(manifest);
  const photos: PhotoEntry[] = [];
  for await (const entry of source.list()) {
    signal.throwIfAborted();
    photos.push(entry);
  }
  if (photos.length === 0) throw expected('photos', 'none', source.place, 'NOT_FOUND');
  return photos;
}

function estimateLines(
  photos: readonly PhotoEntry[],
  sample: Sample,
  shardPhotos: number,
  { out, server, instance, instances, spot = false }: RunFlags,
  { lanes }: Connection,
): string[] {
  const bytes = photos.reduce((sum, each) => sum + Math.max(0, each.size), 0);
  const seconds = photos.length / sample.photosPerSecond;
  const shards = Math.ceil(photos.length / shardPhotos);
  const who = server === 'local' ? 'this machine' : server;
  const lines = [
    `${thousands(photos.length)} photos (${size(bytes)}) in ${thousands(shards)} shard${shards === 1 ? '' : 's'} of ${thousands(shardPhotos)}, to ${out}`,
    `measured on ${who}: ${String(sample.photos)} photos in ${sample.seconds.toFixed(1)} s, ${String(lanes)} at once: ${sample.photosPerSecond.toPrecision(3)} photos/s`,
    `time: about ${span(seconds)}`,
  ];
  if (instance !== undefined) {
    const cost = costOf(seconds, { type: instance, count: instances, spot }, PRICES);
    const kind = spot ? 'spot' : 'on demand';
    lines.push(
      `cost: about ${dollars(cost)} for ${String(instances)} × ${instance}, ${kind}, prices of ${PRICES.date} (${PRICES.region})`,
    );
  }
  return lines;
}

// What all lanes do in a minute.
function shardOf(photosPerSecond: number, lanes: number): number {
  const wanted = Math.round(photosPerSecond * SHARD_SECONDS);
  return Math.min(MOST_SHARD, Math.max(LEAST_SHARD, lanes, wanted));
}

async function confirmed(signal: AbortSignal): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new VggError('INVALID_ARGUMENT', 'Expected --yes where nobody can be asked whether to begin');
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question('Begin? [y/N] ', { signal })).trim());
  } finally {
    terminal.close();
  }
}

function shortList(parts: readonly string[]): string {
  return parts.length <= 10
    ? parts.join(', ')
    : `${parts.slice(0, 10).join(', ')} and ${String(parts.length - 10)} more`;
}
