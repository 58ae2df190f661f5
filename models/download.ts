// Downloads one large file and makes sure that it is the right one: goes on where an earlier attempt ended, tries
// again after what may pass, believes no length and no content that it has not checked.

import { rm, stat } from 'node:fs/promises';
import type { Dispatcher } from 'undici';
import { VggError } from '../vgg/index.ts';
import { digestFits, digestOfFile, digestText, type Digest } from './digest.ts';
import { SYSTEM_CLOCK, pause, type Clock } from './download/clock.ts';
import { attempt } from './download/attempt.ts';
import { PartialFile, onDisk, withLock } from './download/partial.ts';
import { Transient, ask, discard, proxiedConnections, shownUrl } from './download/request.ts';

/** What is known of the file, and how patient to be. */
export interface DownloadOptions {
  /**
   * What the file must be; `host`: what the host states of it (X-Linked-ETag); `unstated`: nobody says, and whoever
   * asks checks the content.
   */
  digest: Digest | 'host' | 'unstated';
  /** The address to ask, anew for each attempt, where it must be signed; `url` then names the file. */
  locate?: () => Promise<URL>;
  /** Wait while another process downloads to the same target, rather than fail. */
  patient?: boolean;
  /** Length of the file, where it is known. */
  expectedBytes?: number;
  /** More bytes than that are not taken; 2 GiB by default. */
  maxBytes?: number;
  /** Milliseconds without a byte that end an attempt; 30,000 by default. */
  stallMs?: number;
  /** Attempts in a row that may fail with little to show for it; 6 by default. */
  attempts?: number;
  signal?: AbortSignal;
  /** Told the length of each piece that comes. */
  onBytes?: (bytes: number) => void;
  /** Told how many bytes have come, of how many if the host says so. */
  onProgress?: (bytes: number, total: number | undefined) => void;
  /** Told why an attempt failed, and after how many milliseconds there will be another. */
  onRetry?: (why: string, waitMs: number) => void;
  clock?: Clock;
}

/** A file that is there and is what it must be. */
export interface Downloaded {
  bytes: number;
  /** The whole digest, in the algorithm of the one that was asked for; SHA-256 of one that nobody states. */
  digest: Digest;
  /** Bytes that came now; an earlier download may have brought the others. */
  transferred: number;
  /** Milliseconds that the digest took. */
  verifyMs: number;
}

const GIB = 1024 ** 3;
// An attempt that brought less counts as one that brought nothing.
const PROGRESS_BYTES = 1 << 20;
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 5 * 60_000;
const LOCK_WAIT_MS = 1000;

/**
 * Downloads a file by way of the proxies that the environment names. While it comes it is `<target>.partial`; it
 * gets its name when its digest is right. What has come is kept when the download ends early, except for a file
 * that turned out wrong.
 *
 * @throws VggError: INVALID_ARGUMENT for a wrong file, NOT_FOUND, UNAVAILABLE if the host gives no file or gave up on
 * after some attempts, TOO_LARGE, RESOURCE_EXHAUSTED for a full disk or if another process downloads to the same
 * target; the signal's reason
 */
export async function download(url: URL, target: string, options: DownloadOptions): Promise<Downloaded> {
  const { signal, patient = false, clock = SYSTEM_CLOCK } = options;
  signal?.throwIfAborted();
  const wait = patient ? () => pause(clock, LOCK_WAIT_MS, signal) : undefined;
  return await withLock(target, wait, async () => {
    const connections = proxiedConnections();
    try {
      return (
        (await alreadyThere(url, target, options, connections)) ??
        (await fetched(url, target, options, connections))
      );
    } finally {
      await connections.destroy();
    }
  });
}

// A file that an earlier download left, if it is right; one that is wrong is removed. One of which the host says
// nothing stays until another takes its place.
async function alreadyThere(
  url: URL,
  target: string,
  { digest, signal, clock = SYSTEM_CLOCK }: DownloadOptions,
  connections: Dispatcher,
): Promise<Downloaded | undefined> {
  const bytes = (await stat(target).catch(() => undefined))?.size;
  if (bytes === undefined) return undefined;
  const wanted = digest === 'host' ? await statedNow(url, connections, clock, signal) : digest;
  if (!wanted || wanted === 'unstated') return undefined;
  const began = clock.now();
  const whole = await digestOfFile(target, wanted.algorithm, signal);
  const verifyMs = clock.now() - began;
  if (digestFits(wanted, whole)) return { bytes, digest: whole, transferred: 0, verifyMs };
  await onDisk(target, () => rm(target));
  return undefined;
}

async function statedNow(
  url: URL,
  connections: Dispatcher,
  clock: Clock,
  signal = new AbortController().signal,
): Promise<Digest | undefined> {
  const answer = await ask(url, {}, { method: 'HEAD', connections, signal, now: clock.now() }).catch(
    () => undefined,
  );
  signal.throwIfAborted();
  if (!answer) return undefined;
  discard(answer.body);
  return answer.statedSha256 === undefined ? undefined : { algorithm: 'sha256', hex: answer.statedSha256 };
}

async function fetched(
  url: URL,
  target: string,
  options: DownloadOptions,
  connections: Dispatcher,
): Promise<Downloaded> {
  const settled = { maxBytes: 2 * GIB, stallMs: 30_000, clock: SYSTEM_CLOCK, ...options };
  const { attempts = 6, signal, onRetry, clock } = settled;
  const partial = new PartialFile(target);
  let best = await partial.length();
  let transferred = 0;
  for (let failures = 0; ;) {
    try {
      const onBytes = (bytes: number) => {
        transferred += bytes;
        options.onBytes?.(bytes);
      };
      await attempt(url, partial, { ...settled, onBytes }, connections);
      return { ...(await verified(url, partial, settled)), transferred };
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof Transient)) throw error;
      const have = await partial.length();
      if (have >= best + PROGRESS_BYTES) failures = 0;
      best = Math.max(best, have);
      failures++;
      const wait = Math.max(FIRST_WAIT_MS * 2 ** (failures - 1), error.retryAfterMs);
      if (failures >= attempts || wait > LONGEST_WAIT_MS) throw gaveUp(url, error, have, failures);
      onRetry?.(error.message, wait);
      await pause(clock, wait, signal);
    }
  }
}

async function verified(
  url: URL,
  partial: PartialFile,
  { digest, expectedBytes, signal, clock }: DownloadOptions & { clock: Clock },
): Promise<Omit<Downloaded, 'transferred'>> {
  const bytes = await partial.length();
  const stated = (await partial.remark(url))?.statedSha256 ?? '';
  const wanted: Digest = typeof digest === 'string' ? { algorithm: 'sha256', hex: stated } : digest;
  const began = clock.now();
  const whole = await digestOfFile(partial.path, wanted.algorithm, signal);
  const verifyMs = clock.now() - began;
  const right = digest === 'unstated' || (digestFits(wanted, whole) && wanted.hex !== '');
  if (!right || bytes !== (expectedBytes ?? bytes)) {
    await partial.discard();
    throw new VggError(
      'INVALID_ARGUMENT',
      `Expected a file with ${digestText(wanted)} but received ${String(bytes)} bytes with ${digestText(whole)} ` +
        `from ${shownUrl(url)}; it is removed`,
    );
  }
  await partial.finish();
  return { bytes, digest: whole, verifyMs };
}

function gaveUp(url: URL, cause: Transient, have: number, failures: number): VggError {
  const kept =
    have > 0 ? `; the ${String(have)} bytes that came are kept, and the same command goes on from there` : '';
  const tried = failures === 1 ? 'one attempt' : `${String(failures)} attempts`;
  const later =
    cause.retryAfterMs > LONGEST_WAIT_MS
      ? `, come back in ${String(Math.ceil(cause.retryAfterMs / 60_000))} minutes`
      : '';
  return new VggError(
    'UNAVAILABLE',
    `Expected the file at ${shownUrl(url)} but gave up after ${tried}: ${cause.message}${later}${kept}`,
    { cause },
  );
}
