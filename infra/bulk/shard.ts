// A shard in work: what is known of its photos already, what is still to be asked, and how it is committed: whole, under
// its own name, once. Knows pieces and rows; not who answers.

import type { VggError } from '../../vgg/errors.ts';
import { json, keys, type OpenJob } from './job.ts';
import { entriesOf, type Shard } from './manifest.ts';
import type { PhotoEntry } from './photos.ts';
import { answeredRow, decode, encode, failedRow, isRowOf, wholeRows, type Answered, type Row } from './rows.ts';

/** Which photos that were set aside are asked about again. */
export const RETRIES = ['retryable', 'all', 'none'] as const;
export type Retry = (typeof RETRIES)[number];

/** A shard that is worked on. */
export class ShardWork {
  readonly shard: Shard;
  readonly entries: readonly PhotoEntry[];
  /** What is wrong with the file that was there; undefined if nothing is, or there was none. */
  readonly damage: string | undefined;
  readonly #open: OpenJob;
  readonly #rows: (Row | undefined)[];
  readonly #committed: boolean;
  readonly #deaths: Map<string, number>;
  #fresh = 0;

  private constructor(
    open: OpenJob,
    shard: Shard,
    entries: readonly PhotoEntry[],
    known: { rows: (Row | undefined)[]; committed: boolean; damage?: string; deaths: Map<string, number> },
  ) {
    this.#open = open;
    this.shard = shard;
    this.entries = entries;
    this.#rows = known.rows;
    this.#committed = known.committed;
    this.#deaths = known.deaths;
    this.damage = known.damage;
  }

  /**
   * Reads what is known of a shard.
   *
   * @param retry which of its photos that were set aside are to be asked about again
   * @throws VggError INVALID_ARGUMENT if its piece of the manifest has changed
   */
  static async open(open: OpenJob, shard: Shard, retry: Retry): Promise<ShardWork> {
    const { job, store } = open;
    const { part } = shard;
    const entries = entriesOf(await store.get(keys.manifest(part)), shard);
    const file = await store.get(keys.result(part, job.format));
    const whole = file && (await wholeRows(file, job.format, entries));
    if (Array.isArray(whole)) {
      const again = ({ error }: Row) =>
        error !== null && (retry === 'all' || (retry === 'retryable' && error.retryable));
      const rows = whole.map((row) => (again(row) ? undefined : row));
      const deaths = rows.includes(undefined) ? await deathsOf(open, part) : new Map<string, number>();
      // All means all: who died of a photo before may have been mended.
      if (retry === 'all') deaths.clear();
      return new ShardWork(open, shard, entries, { rows, committed: true, deaths });
    }
    const rows = await partialRows(open, shard, entries);
    const deaths = await deathsOf(open, part);
    const damage = whole === undefined ? {} : { damage: whole };
    return new ShardWork(open, shard, entries, { rows, committed: file !== undefined, deaths, ...damage });
  }

  /** Indices of photos that nothing is known of. */
  get missing(): number[] {
    return this.entries.flatMap((_, i) => (this.#rows[i] ? [] : [i]));
  }

  /** Rows so far, answered and set aside. */
  get counts(): { answered: number; setAside: number } {
    const known = this.#rows.filter((row) => row !== undefined);
    const setAside = known.filter(({ error }) => error !== null).length;
    return { answered: known.length - setAside, setAside };
  }

  answered(index: number, answered: Answered): void {
    this.#keep(index, answeredRow(this.#entry(index), answered));
  }

  setAside(index: number, error: VggError, retryable: boolean): void {
    this.#keep(index, failedRow(this.#entry(index), error, retryable));
  }

  /** How often a worker died of this photo alone; undefined if none did, nor of several that it was one of. */
  deaths(index: number): number | undefined {
    return this.#deaths.get(this.#entry(index).photo);
  }

  /** Keeps for good that a worker died of this photo so often; 0: of several, of which this is one. */
  async died(index: number, times: number): Promise<void> {
    this.#deaths.set(this.#entry(index).photo, times);
    await this.#open.store.put(keys.deaths(this.shard.part), json(Object.fromEntries(this.#deaths)));
  }

  /** Commits the shard, if anything of it is new. All its photos have rows. */
  async commit(): Promise<void> {
    const { job, store } = this.#open;
    const { part } = this.shard;
    if (this.#fresh > 0 || !this.#committed) {
      const rows = this.#rows.filter((row) => row !== undefined);
      const bytes = encode(rows, job.format);
      const key = keys.result(part, job.format);
      // Who commits first has committed: another at the same shard has the same rows.
      if (this.#committed) await store.put(key, bytes);
      else await store.putNew(key, bytes);
    }
    await store.delete(keys.partial(part));
    await store.delete(keys.deaths(part));
  }

  /** Keeps the rows so far, for whoever goes on. */
  async leave(): Promise<void> {
    if (this.#fresh === 0) return;
    const rows = this.#rows.filter((row) => row !== undefined);
    await this.#open.store.put(keys.partial(this.shard.part), encode(rows, 'jsonl'));
  }

  #keep(index: number, row: Row): void {
    this.#rows[index] = row;
    this.#fresh++;
  }

  #entry(index: number): PhotoEntry {
    const entry = this.entries[index];
    if (!entry) throw new RangeError(`No photo ${String(index)}`);
    return entry;
  }
}

// Rows that were kept when the shard was left; what does not fit the manifest is asked about again.
async function partialRows(
  { store }: OpenJob,
  { part }: Shard,
  entries: readonly PhotoEntry[],
): Promise<(Row | undefined)[]> {
  const file = await store.get(keys.partial(part));
  const kept = file ? await decode(file, 'jsonl').catch((): Row[] => []) : [];
  const byPhoto = new Map(kept.map((row) => [row.photo, row]));
  return entries.map((entry) => {
    const row = byPhoto.get(entry.photo);
    return isRowOf(row, entry) ? row : undefined;
  });
}

async function deathsOf({ store }: OpenJob, part: string): Promise<Map<string, number>> {
  const file = await store.get(keys.deaths(part));
  try {
    return new Map(Object.entries(JSON.parse(Buffer.from(file ?? []).toString()) as Record<string, number>));
  } catch {
    return new Map();
  }
}
