// A gateway, asked over HTTP as apps do. Knows POST /v1/classify and what its errors look like; not what is measured.

import { extname } from 'node:path';
import { Readable } from 'node:stream';
import { Agent, errors, type Dispatcher } from 'undici';
import { connectionReason } from '../../sdk/connection-reason.ts';
import type { AnswerJson } from '../../sdk/index.ts';
import { ERROR_CODES, VggError } from '../../vgg/errors.ts';
import { until, type Clock } from '../clock.ts';
import type { Ask, LoadRequest, Target } from '../request.ts';
import { connectOptions, type ClientTls } from './tls.ts';

/** How a gateway is asked. */
export interface HttpOptions {
  /** Such as http://127.0.0.1:8080; a path before /v1 is kept. */
  url: URL;
  tls?: ClientTls | undefined;
  /** Time for an answer, in milliseconds. */
  deadlineMs: number;
  apiKey?: string | undefined;
  /** Whether the gateway may answer from what it keeps; otherwise every request is computed. */
  cache: boolean;
  ask?: Ask;
  clock: Clock;
}

/** A gateway as a target. */
export function httpTarget(options: HttpOptions): Target {
  const { url, tls, deadlineMs, apiKey, cache, ask = {}, clock } = options;
  const agent = new Agent({
    // A connection for each request under way: one that waited for another would be sent late.
    connections: null,
    pipelining: 1,
    // The deadline is this file's, for all of a request.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: {
      timeout: deadlineMs,
      ...(tls && connectOptions(tls)),
    },
  });
  const prefix = url.pathname.replace(/\/$/, '');
  const headers = {
    accept: 'application/json',
    ...(!cache && { 'cache-control': 'no-cache' }),
    ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }),
  };
  return {
    async send(request, signal) {
      const { photo, slowBytesPerSecond: slow } = request;
      const ending = new AbortController();
      const aborted = () => {
        ending.abort(signal.reason);
      };
      signal.addEventListener('abort', aborted, { once: true });
      const cancel = clock.at(clock.now() + deadlineMs, () => {
        ending.abort(new VggError('DEADLINE_EXCEEDED', `No answer within ${String(deadlineMs / 1000)} s`));
      });
      try {
        const answer = await agent.request({
          origin: url.origin,
          path: `${prefix}/v1/classify${queryOf(request, ask)}`,
          method: 'POST',
          headers: {
            ...headers,
            'content-type': mediaType(photo.name),
            'content-length': String(photo.bytes.length),
          },
          body:
            slow === undefined
              ? photo.bytes
              : Readable.from(slowly(photo.bytes, slow, clock, ending.signal), { objectMode: false }),
          signal: ending.signal,
        });
        const text = await textOf(answer.body, slow, clock, ending.signal);
        if (answer.statusCode !== 200) throw problemOf(answer.statusCode, text);
        return JSON.parse(text) as AnswerJson;
      } catch (error) {
        throw ending.signal.aborted ? ending.signal.reason : failureOf(error);
      } finally {
        cancel();
        signal.removeEventListener('abort', aborted);
      }
    },
    close: () => agent.destroy(),
  };
}

function queryOf({ kind: { protocol, model } }: LoadRequest, ask: Ask): string {
  const query = new URLSearchParams({ protocol });
  if (model !== '') query.set('model', model);
  for (const [name, value] of Object.entries(ask)) query.set(name, String(value));
  return `?${query.toString()}`;
}

function mediaType(file: string): string {
  const kind = extname(file).slice(1).toLowerCase();
  return `image/${kind === 'jpg' || kind === '' ? 'jpeg' : kind}`;
}

const CHUNKS_A_SECOND = 10;

// The photo in ten pieces a second.
async function* slowly(bytes: Uint8Array, bytesPerSecond: number, clock: Clock, signal: AbortSignal) {
  const size = Math.max(1, Math.floor(bytesPerSecond / CHUNKS_A_SECOND));
  for (let start = 0; start < bytes.length && !signal.aborted; start += size) {
    yield bytes.subarray(start, start + size);
    await until(clock.now() + (1000 * size) / bytesPerSecond, clock, signal);
  }
}

async function textOf(
  body: Dispatcher.ResponseData['body'],
  slow: number | undefined,
  clock: Clock,
  signal: AbortSignal,
): Promise<string> {
  if (slow === undefined) return await body.text();
  const chunks: Uint8Array[] = [];
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    chunks.push(chunk);
    await until(clock.now() + (1000 * chunk.length) / slow, clock, signal);
  }
  return Buffer.concat(chunks).toString();
}

// The error that a gateway sent, or what a proxy before it did.
function problemOf(status: number, text: string): Error {
  try {
    const { code, detail } = JSON.parse(text) as { code?: unknown; detail?: unknown };
    const known = ERROR_CODES.find((each) => each === code);
    if (known) return new VggError(known, String(detail));
  } catch {
    // Not the gateway's.
  }
  return Object.assign(new Error(`The answer had status ${String(status)}: ${text.slice(0, 200)}`), {
    code: `HTTP_${String(status)}`,
  });
}

// Connections that cannot be made or that break.
const LOST = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ENOTFOUND',
  'EHOSTUNREACH',
  'UND_ERR_SOCKET',
  'UND_ERR_CONNECT_TIMEOUT',
]);
// Certificates that one side does not take, or a peer that speaks no TLS: codes of Node.js and of OpenSSL.
const OF_TLS =
  /^(?:EPROTO$|ERR_(?:TLS|SSL)_|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|INVALID_CA$|PATH_LENGTH_)/;

function failureOf(error: unknown): unknown {
  if (error instanceof VggError || !(error instanceof Error)) return error;
  const { code } = error as NodeJS.ErrnoException;
  const lost =
    error instanceof errors.SocketError || (code !== undefined && (LOST.has(code) || OF_TLS.test(code)));
  return lost
    ? new VggError(
        'UNAVAILABLE',
        `The connection could not be made or was lost: ${connectionReason(error.message) || String(code)}`,
        { cause: error },
      )
    : error;
}
