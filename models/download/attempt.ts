// One attempt at a file: asks for what is missing, believes the answer only where it fits, writes what comes.

import { open } from 'node:fs/promises';
import type { Dispatcher } from 'undici';
import { VggError } from '../../vgg/index.ts';
import type { Digest } from '../digest.ts';
import type { Clock } from './clock.ts';
import { onDisk, type PartialFile, type Remark } from './partial.ts';
import { Transient, ask, discard, shownUrl, type Answer } from './request.ts';
import { StallWatch } from './stall.ts';

/** What one attempt must know; download.ts says what each is. */
export interface AttemptOptions {
  digest: Digest | 'host' | 'unstated';
  locate?: () => Promise<URL>;
  expectedBytes?: number;
  maxBytes: number;
  stallMs: number;
  signal?: AbortSignal;
  onProgress?: (bytes: number, total: number | undefined) => void;
  /** Told the length of each piece that comes. */
  onBytes?: (bytes: number) => void;
  clock: Clock;
}

/**
 * One request, and its body to the end of the file.
 *
 * @throws Transient if another attempt may bring more; VggError if not; the signal's reason
 */
export async function attempt(
  url: URL,
  partial: PartialFile,
  options: AttemptOptions,
  connections: Dispatcher,
): Promise<void> {
  const { digest, stallMs, clock } = options;
  const watch = new StallWatch(clock, stallMs, options.signal);
  try {
    const remark = await partial.remark(url);
    const have = remark === undefined ? 0 : await partial.length();
    if (have > 0 && have === remark?.total) return;
    const range = have > 0 ? rangeHeaders(have, remark, digest) : {};
    const address = (await options.locate?.()) ?? url;
    watch.begin();
    const answer = await ask(address, range, { connections, signal: watch.signal, now: clock.now() });
    try {
      const start = 'range' in range ? await resumed(answer, have, remark, partial) : 0;
      if (start === 'complete') return;
      const total = start + (length(answer) ?? NaN);
      await checkLength(url, total, partial, options);
      if (start === 0) await begin(url, answer, partial, digest);
      await append(url, answer, partial, start, options, watch);
    } finally {
      discard(answer.body);
    }
  } finally {
    watch.end();
  }
}

// Without a validator a part is asked for only if a published digest will tell whether the parts fit.
function rangeHeaders(
  have: number,
  remark: Remark | undefined,
  digest: AttemptOptions['digest'],
): Record<string, string> {
  const strong = remark?.etag?.startsWith('W/') === false ? remark.etag : undefined;
  const validator = strong ?? remark?.lastModified;
  if (validator === undefined && typeof digest === 'string') return {};
  return { range: `bytes=${String(have)}-`, ...(validator !== undefined && { 'if-range': validator }) };
}

// Where the answer to a question for a part begins; an answer that does not fit what is there begins anew.
async function resumed(
  { status, headers }: Answer,
  have: number,
  remark: Remark | undefined,
  partial: PartialFile,
): Promise<number | 'complete'> {
  if (status === 200) return 0;
  const [, first, end, whole] =
    /^bytes (?:(\d+)-(\d+)|\*)\/(\d+|\*)$/.exec(headers['content-range'] ?? '') ?? [];
  const sameTotal = remark?.total === undefined || whole === '*' || Number(whole) === remark.total;
  if (status === 416 && Number(whole) === have && sameTotal) return 'complete';
  const sameFile =
    headers['etag'] === undefined || remark?.etag === undefined || headers['etag'] === remark.etag;
  const toTheEnd = whole === '*' || Number(end) === Number(whole) - 1;
  if (status === 206 && Number(first) === have && toTheEnd && sameTotal && sameFile) return have;
  await partial.discard();
  throw new Transient(
    `asked for the file from byte ${String(have)}, the host answered ${String(status)}, Content-Range ` +
      `${headers['content-range'] ?? 'none'}; starting over`,
  );
}

function length({ headers }: Answer): number | undefined {
  const text = headers['content-length'];
  return text === undefined ? undefined : Number(text);
}

async function checkLength(
  url: URL,
  total: number,
  partial: PartialFile,
  { expectedBytes, maxBytes }: AttemptOptions,
): Promise<void> {
  if (expectedBytes !== undefined && Number.isFinite(total) && total !== expectedBytes) {
    await partial.discard();
    throw new VggError(
      'INVALID_ARGUMENT',
      `Expected a file of ${String(expectedBytes)} bytes but ${shownUrl(url)} has one of ${String(total)}`,
    );
  }
  if (total > maxBytes) throw tooLarge(url, total, maxBytes);
}

async function begin(
  url: URL,
  answer: Answer,
  partial: PartialFile,
  digest: AttemptOptions['digest'],
): Promise<void> {
  const { headers, status, statedSha256 } = answer;
  if (status !== 200) {
    throw new VggError(
      'UNAVAILABLE',
      `Expected the whole of ${shownUrl(url)} but received status ${String(status)}`,
    );
  }
  if (digest === 'host' && statedSha256 === undefined) {
    throw new VggError(
      'UNAVAILABLE',
      `Expected ${shownUrl(url)} to state the file's SHA-256 (X-Linked-ETag) but it does not, and no other is published`,
    );
  }
  const total = length(answer);
  await partial.restart(url, {
    ...(headers['etag'] !== undefined && { etag: headers['etag'] }),
    ...(headers['last-modified'] !== undefined && { lastModified: headers['last-modified'] }),
    ...(total !== undefined && { total }),
    ...(statedSha256 !== undefined && { statedSha256 }),
  });
}

// Writes the body after what is there.
async function append(
  url: URL,
  answer: Answer,
  partial: PartialFile,
  start: number,
  { expectedBytes, maxBytes, onProgress, onBytes }: AttemptOptions,
  watch: StallWatch,
): Promise<void> {
  const rest = length(answer);
  const total = rest === undefined ? expectedBytes : start + rest;
  const most = total ?? maxBytes;
  let position = start;
  const file = await onDisk(partial.path, () => open(partial.path, start === 0 ? 'w' : 'a'));
  try {
    onProgress?.(position, total);
    for await (const chunk of watch.chunks(answer, url)) {
      if (position + chunk.length > most) {
        await partial.discard();
        throw tooLarge(url, position + chunk.length, most);
      }
      await onDisk(partial.path, () => file.writeFile(chunk));
      position += chunk.length;
      onBytes?.(chunk.length);
      onProgress?.(position, total);
    }
    await onDisk(partial.path, () => file.sync());
  } finally {
    await file.close();
  }
  if (total !== undefined && position < total)
    throw new Transient(`${shownUrl(url)} ended after ${String(position)} of ${String(total)} bytes`);
}

function tooLarge(url: URL, bytes: number, most: number): VggError {
  return new VggError(
    'TOO_LARGE',
    `Expected at most ${String(most)} bytes from ${shownUrl(url)} but received ${String(bytes)}`,
  );
}

