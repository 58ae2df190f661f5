// What of a file has come so far: `<target>.partial`, and beside it what the host said of the file, so that a
// later attempt goes on only with the same one. One process at a time holds a target.

import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { VggError } from '../../vgg/index.ts';

/** What the host said of a file. */
export interface Remark {
  /** SHA-256 of the address that it is from: an address may hold a password. */
  source: string;
  etag?: string;
  lastModified?: string;
  /** Length of the whole file. */
  total?: number;
  /** SHA-256 that the host states. */
  statedSha256?: string;
}

/** A file that is arriving. */
export class PartialFile {
  readonly path: string;
  readonly #remarkPath: string;
  readonly #target: string;

  constructor(target: string) {
    this.#target = target;
    this.path = `${target}.partial`;
    this.#remarkPath = `${target}.partial.json`;
  }

  /** Bytes that have come. */
  async length(): Promise<number> {
    return (await stat(this.path).catch(() => undefined))?.size ?? 0;
  }

  /** What the host said when the first bytes came; undefined if that was another address, or is not known. */
  async remark(url: URL): Promise<Remark | undefined> {
    try {
      const remark = JSON.parse(await readFile(this.#remarkPath, 'utf8')) as Remark | null;
      return remark?.source === sourceOf(url) ? remark : undefined;
    } catch {
      return undefined;
    }
  }

  /** Begins anew: nothing has come of the file of which the host says this. */
  async restart(url: URL, remark: Omit<Remark, 'source'>): Promise<void> {
    await this.discard();
    await onDisk(this.#remarkPath, () =>
      writeFile(this.#remarkPath, JSON.stringify({ source: sourceOf(url), ...remark })),
    );
  }

  /** Removes what has come. */
  async discard(): Promise<void> {
    await rm(this.path, { force: true });
    await rm(this.#remarkPath, { force: true });
  }

  /** All has come and is right: the file gets its name. */
  async finish(): Promise<void> {
    await onDisk(this.#target, () => rename(this.path, this.#target));
    await rm(this.#remarkPath, { force: true });
  }
}

/**
 * Runs work while no other process works on the same target: `<target>.lock` names the holder, and is taken over
 * from a process that is no more: on this machine it is looked for, on others (and in other containers, whose
 * processes have the same few numbers) a holder that lives has touched its lock a moment ago.
 *
 * @param wait called each time somebody else holds it; without, that is an error
 * @throws VggError RESOURCE_EXHAUSTED naming the process that holds it
 */
export async function withLock<T>(
  target: string,
  wait: (() => Promise<void>) | undefined,
  work: () => Promise<T>,
): Promise<T> {
  const lock = `${target}.lock`;
  await onDisk(dirname(target), () => mkdir(dirname(target), { recursive: true }));
  for (let tries = 0; !(await taken(lock)); ) {
    const seen = await holderOf(lock);
    if (seen === undefined) continue;
    const alive = isAlive(seen);
    if (alive && wait) await wait();
    else if (alive || tries++ === 3) throw held(target, lock, seen.text);
    else await removeStale(lock, seen.text);
  }
  const beat = setInterval(() => {
    const now = new Date();
    utimes(lock, now, now).catch(() => undefined);
  }, BEAT_MS);
  beat.unref();
  try {
    return await work();
  } finally {
    clearInterval(beat);
    await unlink(lock).catch(() => undefined);
  }
}

// How often a holder touches its lock, and after what time without that it is taken for dead.
const BEAT_MS = 10_000;
const DEAD_MS = 60_000;

interface Holder {
  text: string;
  /** Milliseconds since the lock was made or touched. */
  ageMs: number;
}

async function taken(lock: string): Promise<boolean> {
  const mine = JSON.stringify({ pid: process.pid, host: hostname(), since: performance.timeOrigin });
  return await onDisk(lock, () =>
    writeFile(lock, mine, { flag: 'wx' }).then(
      () => true,
      (error: unknown) => {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
        throw error;
      },
    ),
  );
}

async function holderOf(lock: string): Promise<Holder | undefined> {
  try {
    const { mtimeMs } = await stat(lock);
    return { text: await readFile(lock, 'utf8'), ageMs: Date.now() - mtimeMs };
  } catch {
    return undefined;
  }
}

/** Runs work on the disk; its failures name the file and keep what has come. */
export async function onDisk<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOSPC' || code === 'EDQUOT') {
      throw new VggError('RESOURCE_EXHAUSTED', `Expected room on the disk of ${path} but it is full (${code})`, {
        cause,
      });
    }
    throw new VggError('INVALID_ARGUMENT', `Expected to write ${path} but cannot (${code ?? String(cause)})`, {
      cause,
    });
  }
}

function sourceOf(url: URL): string {
  return createHash('sha256').update(url.href).digest('hex');
}

// Of two processes that find a stale lock only one moves it away; what it moved is looked at once more, because
// the other may have taken the lock in between.
async function removeStale(lock: string, seen: string): Promise<void> {
  const aside = `${lock}.${String(process.pid)}`;
  try {
    await rename(lock, aside);
  } catch {
    return;
  }
  if ((await readFile(aside, 'utf8')) === seen) await rm(aside, { force: true });
  else await rename(aside, lock);
}

// A lock without content was just made, or by a process that died at once.
function isAlive({ text, ageMs }: Holder): boolean {
  const { pid, host, since } = parsed(text);
  if (pid === undefined || host !== hostname()) return ageMs < DEAD_MS;
  // The first process of a container has the same number each time it starts.
  if (pid === process.pid && since !== undefined) return since === performance.timeOrigin;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function held(target: string, lock: string, holder: string): VggError {
  const { pid, host } = parsed(holder);
  const who = pid === undefined ? 'another process' : `process ${String(pid)} on ${host ?? 'another machine'}`;
  return new VggError(
    'RESOURCE_EXHAUSTED',
    `Expected nobody else to be downloading ${target} but ${who} is; if it is not, remove ${lock}`,
  );
}

function parsed(holder: string): { pid?: number; host?: string; since?: number } {
  try {
    return (JSON.parse(holder) ?? {}) as { pid?: number; host?: string; since?: number };
  } catch {
    return {};
  }
}
