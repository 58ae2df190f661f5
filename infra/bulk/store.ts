// Where a job keeps what it knows: named pieces of bytes that appear whole or not at all. Knows folders; not what is in
// the pieces. The same for S3 is in s3.ts.

import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readFile, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { VggError } from '../../vgg/errors.ts';

/** Pieces by key; `/` between the parts of a key. Nobody ever sees half a piece, whenever who writes it is killed. */
export interface Store {
  /** For messages: the folder, or `s3://bucket/prefix`. */
  readonly place: string;
  /** A piece; undefined if there is none. */
  get(key: string): Promise<Uint8Array | undefined>;
  /** Keeps a piece for good, in place of the one before. @throws VggError RESOURCE_EXHAUSTED if there is no space */
  put(key: string, bytes: Uint8Array): Promise<void>;
  /** The same, unless there is one already: then false, and that one stays. */
  putNew(key: string, bytes: Uint8Array): Promise<boolean>;
  /** Keys that begin with the prefix, which ends in `/`; in no order. */
  list(prefix: string): Promise<string[]>;
  /** Removes a piece, if there is one. */
  delete(key: string): Promise<void>;
}

const UNFINISHED = /^\.[^/]*\.tmp$/;

/** Pieces as files of a folder, which is made when the first one is put. */
export class FolderStore implements Store {
  readonly place: string;

  constructor(folder: string) {
    this.place = folder;
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    try {
      return await readFile(join(this.place, key));
    } catch (error) {
      if (absent(error)) return undefined;
      throw failure(error, `Expected to read ${join(this.place, key)}`);
    }
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    await this.#keep(key, bytes, rename);
  }

  async putNew(key: string, bytes: Uint8Array): Promise<boolean> {
    let kept = true;
    await this.#keep(key, bytes, async (from, to) => {
      // A link, unlike a rename, never takes another's place.
      await link(from, to).catch((error: unknown) => {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
        kept = false;
      });
      await rm(from);
    });
    return kept;
  }

  async list(prefix: string): Promise<string[]> {
    try {
      const files = await readdir(join(this.place, prefix));
      return files.filter((name) => !UNFINISHED.test(name)).map((name) => prefix + name);
    } catch (error) {
      if (absent(error)) return [];
      throw failure(error, `Expected to read ${join(this.place, prefix)}`);
    }
  }

  async delete(key: string): Promise<void> {
    await rm(join(this.place, key), { force: true });
  }

  // Written beside its place, flushed, then moved there; the folder is flushed too, or a power cut could undo the move.
  async #keep(key: string, bytes: Uint8Array, move: (from: string, to: string) => Promise<void>) {
    const file = join(this.place, key);
    const folder = dirname(file);
    const unfinished = join(folder, `.${randomUUID()}.tmp`);
    try {
      await mkdir(folder, { recursive: true });
      const handle = await open(unfinished, 'wx');
      try {
        await handle.writeFile(bytes);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await move(unfinished, file);
      await flush(folder);
    } catch (error) {
      await rm(unfinished, { force: true }).catch(() => undefined);
      throw failure(error, `Expected to write ${file}`);
    }
  }
}

/** Removes what a killed process had begun to write in the folders that the prefixes name. */
export async function sweep(folder: string, prefixes: readonly string[]): Promise<void> {
  for (const prefix of prefixes) {
    const names = await readdir(join(folder, prefix)).catch(() => []);
    for (const name of names.filter((each) => UNFINISHED.test(each))) await rm(join(folder, prefix, name));
  }
}

async function flush(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function absent(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}

function failure(error: unknown, expectation: string): VggError {
  const { code = 'an error' } = error as NodeJS.ErrnoException;
  const full = code === 'ENOSPC' || code === 'EDQUOT';
  const what = full ? `no space left (${code})` : code;
  return new VggError(full ? 'RESOURCE_EXHAUSTED' : 'INTERNAL', `${expectation} but received ${what}`, {
    cause: error,
  });
}
