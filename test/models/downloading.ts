// What every test of downloading starts from: a host with a file, an empty folder, a clock that the test moves.

import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect } from 'vitest';
import type { Digest } from '../../models/digest.ts';
import { download, type Downloaded, type DownloadOptions } from '../../models/download.ts';
import { FileHost, STALL_MS, TestClock, file } from './file-host.ts';

/** The file. */
export const WEIGHTS = new Uint8Array(randomBytes(300_000));
/** Another one of the same length. */
export const OTHERS = new Uint8Array(randomBytes(300_000));
export const HALF = 150_000;
export const DIGEST: Digest = {
  algorithm: 'sha256',
  hex: createHash('sha256').update(WEIGHTS).digest('hex'),
};

/** One test's download. */
export class Downloading {
  readonly folder: string;
  readonly target: string;
  readonly host: FileHost;
  readonly clock = new TestClock();
  /** Why attempts failed that were followed by another. */
  readonly retries: string[] = [];

  constructor(folder: string, host: FileHost) {
    this.folder = folder;
    this.target = join(folder, 'cache', 'weights.pth');
    this.host = host;
  }

  fetchIt(options: Partial<DownloadOptions> = {}, url = this.host.url()): Promise<Downloaded> {
    return download(url, this.target, {
      digest: DIGEST,
      clock: this.clock,
      stallMs: STALL_MS,
      onRetry: (why) => this.retries.push(why),
      ...options,
    });
  }

  /** Files in the target's folder. */
  async leftovers(): Promise<string[]> {
    return (await readdir(join(this.folder, 'cache'))).sort();
  }

  /** The file is there, and nothing else. */
  async expectWhole(): Promise<void> {
    expect(Buffer.compare(await readFile(this.target), WEIGHTS)).toBe(0);
    expect(await this.leftovers()).toEqual(['weights.pth']);
  }
}

/** Gives each test of a file its own; ask for it inside the test. */
export function eachDownloading(): () => Downloading {
  let current: Downloading | undefined;
  beforeEach(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'vgg-download-'));
    current = new Downloading(folder, await FileHost.start(file(WEIGHTS, { etag: '"one"' })));
  });
  afterEach(async () => {
    await current?.host.close();
    if (current) await rm(current.folder, { recursive: true });
  });
  return () => {
    if (!current) throw new Error('Not in a test');
    return current;
  };
}
