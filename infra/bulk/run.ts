// Shards through an answerer: photos of several shards at once, each shard committed when its last photo has a row.
// Knows the order of things, and when to stop; neither servers nor files.

import type { Clock } from '../../sdk/clock.ts';
import { VggError, asVggError } from '../../vgg/errors.ts';
import { outcomeOf, Progress, type Answerer, type Patience } from './asking.ts';
import type { OpenJob } from './job.ts';
import type { Shard } from './manifest.ts';
import type { PhotoSource } from './photos.ts';
import { ShardWork, type Retry } from './shard.ts';

/** How a job is worked on. */
export interface RunOptions {
  /** Of the job; all of them, or some. */
  shards: readonly Shard[];
  source: PhotoSource;
  answerer: Answerer;
  /** Photos at once. */
  lanes: number;
  retry: Retry;
  patience: Patience;
  /** Most photos of these shards that may be set aside; one more stops the job. */
  maxFailures: number;
  clock: Clock;
  /** No further photos are begun once it is aborted; those in hand are finished, and kept. */
  signal: AbortSignal;
  onProgress: (counts: Counts) => void;
  /** Told of what is not as it should be, but no reason to stop. */
  onNotice: (text: string) => void;
}

/** Photos that have rows. */
export interface Counts {
  answered: number;
  setAside: number;
  /** Of both, those that were asked about just now. */
  fresh: number;
}

interface Task {
  work: ShardWork;
  index: number;
}

// Shards whose pieces are read ahead: what is done already is then passed over quickly, from far away too.
const AHEAD = 16;

/**
 * Works until every photo of the shards has a row.
 *
 * @throws VggError the signal's reason once it is aborted; what stops the job. What has been done is kept then, too.
 */
export async function runShards(open: OpenJob, options: RunOptions): Promise<Counts> {
  const { shards, source, lanes, patience, maxFailures, clock } = options;
  const counts: Counts = { answered: 0, setAside: 0, fresh: 0 };
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const left = new Map<ShardWork, number>();
  const context = {
    ...{ answerer: options.answerer, patience, clock, signal },
    progress: new Progress(clock.now()),
  };

  async function* tasks(): AsyncGenerator<Task> {
    for await (const work of ahead(shards, (shard) => ShardWork.open(open, shard, options.retry))) {
      const { answered, setAside } = work.counts;
      counts.answered += answered;
      counts.setAside += setAside;
      if (work.damage !== undefined) {
        options.onNotice(`Shard ${work.shard.part} is made again: ${work.damage}`);
      }
      const { missing } = work;
      options.onProgress(counts);
      if (missing.length === 0) await work.commit();
      else left.set(work, missing.length);
      for (const index of missing) yield { work, index };
    }
  }
  const waiting = tasks();

  async function lane(): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const next = await waiting.next();
      if (next.done === true) return;
      const { work, index } = next.value;
      const entry = work.entries[index];
      if (!entry) continue;
      const deaths = {
        times: work.deaths(index),
        keep: (times: number) => work.died(index, times),
      };
      const outcome = await outcomeOf(entry, () => source.read(entry), deaths, context);
      counts.fresh++;
      if ('answered' in outcome) {
        work.answered(index, outcome.answered);
        counts.answered++;
      } else {
        work.setAside(index, outcome.setAside, outcome.retryable);
        counts.setAside++;
        options.onNotice(`${entry.photo} is set aside: ${outcome.setAside.message}`);
      }
      const rest = (left.get(work) ?? 0) - 1;
      left.set(work, rest);
      options.onProgress(counts);
      if (rest === 0) {
        await work.commit();
        left.delete(work);
      }
      if (counts.setAside > maxFailures) throw tooMany(counts.setAside, maxFailures);
    }
  }

  const running = Array.from({ length: lanes }, () =>
    lane().catch((error: unknown) => {
      stop.abort(error);
    }),
  );
  await Promise.all(running);
  if (!stop.signal.aborted) return counts;
  for (const work of left.keys()) {
    await work.leave().catch((error: unknown) => {
      // What stopped the job is the news; this only means that these photos are asked about again.
      options.onNotice(`Shard ${work.shard.part} could not be kept: ${asVggError(error).message}`);
    });
  }
  throw stop.signal.reason as Error;
}

// Results in order, of calls that are made some way ahead.
async function* ahead<Item, Result>(
  items: readonly Item[],
  call: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  const calls: Promise<Result>[] = [];
  let next = 0;
  while (next < items.length || calls.length > 0) {
    for (; next < items.length && calls.length < AHEAD; next++) {
      const item = items[next];
      if (item === undefined) continue;
      const made = call(item);
      // A failure is the caller's when it is its turn.
      made.catch(() => undefined);
      calls.push(made);
    }
    const first = calls.shift();
    if (first) yield await first;
  }
}

function tooMany(count: number, most: number): VggError {
  return new VggError(
    'RESOURCE_EXHAUSTED',
    `Expected at most ${String(most)} photos that are set aside but received ${String(count)} (--max-failures)`,
  );
}
