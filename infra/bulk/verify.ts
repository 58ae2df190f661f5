// Whether a job is done, photo by photo, and what it says on the whole: the last step of every job. Knows all of its
// pieces; asks nobody about photos.

import { entriesOf } from './manifest.ts';
import { json, keys, type OpenJob } from './job.ts';
import { photoOrder } from './photos.ts';
import { wholeRows, type RowError } from './rows.ts';

/** What a job comes to. */
export interface Summary {
  /** Of the manifest. */
  photos: number;
  answered: number;
  setAside: number;
  /** Photos that were set aside, by code. */
  codes: Record<string, number>;
  /** Shards without results, and photos in them. */
  missing: { shards: string[]; photos: number };
  /** Shards whose results are not whole, and why; their photos count as missing. */
  damaged: { shard: string; why: string }[];
  /** Whether each photo of the manifest has exactly one row. */
  complete: boolean;
}

/** A line of the list of failures. */
export interface Failure extends RowError {
  photo: string;
  part: string;
}

/**
 * Reads every shard and holds it against the manifest; writes the list of photos that were set aside and the summary.
 *
 * @param onShard told after each shard
 * @throws VggError INVALID_ARGUMENT if the manifest is not the one that the job was made with
 */
export async function verifyJob(open: OpenJob, onShard: () => void = () => undefined): Promise<Summary> {
  const { job, shards, store } = open;
  const summary: Summary = {
    ...{ photos: 0, answered: 0, setAside: 0, codes: {} },
    ...{ missing: { shards: [], photos: 0 }, damaged: [], complete: false },
  };
  const failures: Failure[] = [];
  let last = '';
  let ordered = true;
  for (const shard of shards) {
    const entries = entriesOf(await store.get(keys.manifest(shard.part)), shard);
    for (const { photo } of entries) {
      ordered &&= last === '' || photoOrder(last, photo) < 0;
      last = photo;
    }
    summary.photos += entries.length;
    const file = await store.get(keys.result(shard.part, job.format));
    const rows = file && (await wholeRows(file, job.format, entries));
    if (!Array.isArray(rows)) {
      if (rows === undefined) summary.missing.shards.push(shard.part);
      else summary.damaged.push({ shard: shard.part, why: rows });
      summary.missing.photos += entries.length;
    } else {
      for (const { photo, error } of rows) {
        if (!error) summary.answered++;
        else {
          summary.setAside++;
          summary.codes[error.code] = (summary.codes[error.code] ?? 0) + 1;
          failures.push({ photo, part: shard.part, ...error });
        }
      }
    }
    onShard();
  }
  // Each piece has one row a photo; pieces in one ascending order have no photo in common.
  const { photos, answered, setAside, missing } = summary;
  summary.complete =
    ordered && photos === job.photos && answered + setAside === photos && missing.photos === 0;
  const lines = failures.map((failure) => `${JSON.stringify(failure)}\n`).join('');
  if (failures.length > 0) await store.put(keys.failures, Buffer.from(lines));
  else await store.delete(keys.failures);
  await store.put(keys.summary, json(summary));
  return summary;
}
