// The manifest: every photo of a job, once, in order, cut into shards. Made once; all else follows from it. Knows lines
// and sums; not where photos or results are.

import { createHash } from 'node:crypto';
import { expected } from '../../vgg/errors.ts';
import { photoOrder, type PhotoEntry } from './photos.ts';

/** A piece of the manifest. */
export interface Shard {
  /** `00000`, `00001` …: names its files. */
  part: string;
  photos: number;
  bytes: number;
  /** Of its piece of the manifest. */
  sha256: string;
}

/** A shard and its piece of the manifest: JSON Lines. */
export interface ShardPiece {
  shard: Shard;
  text: Uint8Array;
}

/** Most shards of a job: names have five digits, and a list of so many is still short. */
export const MOST_SHARDS = 100_000;

/**
 * Cuts photos into shards: all of so many photos, the last of what is left. The same photos give the same shards.
 *
 * @param photos in the order of {@link photoOrder}, each once
 * @param size photos a shard, ≥ 1
 * @throws VggError INVALID_ARGUMENT if a photo is out of order or there twice, or if shards are too many
 */
export async function* shardsOf(
  photos: AsyncIterable<PhotoEntry> | Iterable<PhotoEntry>,
  size: number,
): AsyncGenerator<ShardPiece> {
  let entries: PhotoEntry[] = [];
  let [count, last] = [0, ''];
  for await (const entry of photos) {
    if (entry.photo === '') throw expected('a name', entry.photo, 'manifest');
    if (count + entries.length > 0 && photoOrder(last, entry.photo) >= 0) {
      throw expected(`each photo once and in order after ${last}`, entry.photo, 'manifest');
    }
    last = entry.photo;
    entries.push(entry);
    if (entries.length < size) continue;
    yield pieceOf(entries, count++);
    entries = [];
  }
  if (entries.length > 0) yield pieceOf(entries, count);
}

/** The entries of a piece. @throws VggError INVALID_ARGUMENT if it is not the one that the shard was made with */
export function entriesOf(text: Uint8Array | undefined, shard: Shard): PhotoEntry[] {
  const field = `manifest/part-${shard.part}.jsonl`;
  if (!text) throw expected('the manifest that the job was made with', 'nothing', field, 'NOT_FOUND');
  const sum = sha256(text);
  if (sum !== shard.sha256) {
    throw expected(`the manifest that the job was made with, of SHA-256 ${shard.sha256}`, sum, field);
  }
  return Buffer.from(text)
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as PhotoEntry);
}

/** The sum of a whole manifest, from those of its shards. */
export function manifestSum(shards: readonly Shard[]): string {
  return sha256(shards.map((shard) => shard.sha256).join('\n'));
}

/**
 * Shards as tasks: so many each, but no machine without a task for that.
 *
 * @param most shards of a task, ≥ 1
 */
export function batchesOf(parts: readonly string[], machines: number, most: number): { parts: string[] }[] {
  const size = Math.max(1, Math.min(most, Math.ceil(parts.length / machines)));
  return Array.from({ length: Math.ceil(parts.length / size) }, (_, i) => ({
    parts: parts.slice(i * size, (i + 1) * size),
  }));
}

function pieceOf(entries: readonly PhotoEntry[], number: number): ShardPiece {
  if (number >= MOST_SHARDS) {
    throw expected(
      `photos for at most ${String(MOST_SHARDS)} shards`,
      `more than ${String(MOST_SHARDS * entries.length)}`,
      '--shard-photos',
    );
  }
  const lines = entries.map(({ photo, size, etag }) => `${JSON.stringify({ photo, size, etag })}\n`);
  const text = Buffer.from(lines.join(''));
  const bytes = entries.reduce((sum, { size }) => sum + Math.max(0, size), 0);
  const part = String(number).padStart(5, '0');
  return { shard: { part, photos: entries.length, bytes, sha256: sha256(text) }, text };
}

function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
