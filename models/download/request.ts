// One question to a host of files: redirects, proxies, what kind of answer is acceptable.
// Knows HTTP; not what becomes of the bytes.

import type { Readable } from 'node:stream';
import { EnvHttpProxyAgent, request, type Dispatcher } from 'undici';
import { VggError, type ErrorCode } from '../../vgg/index.ts';

/** A failure that may be gone at the next attempt. */
export class Transient extends Error {
  /** Milliseconds that the host asks to wait. */
  readonly retryAfterMs: number;

  constructor(message: string, { retryAfterMs = 0, cause }: { retryAfterMs?: number; cause?: unknown } = {}) {
    super(message, { cause });
    this.retryAfterMs = retryAfterMs;
  }
}

/** What a host answers: 200 (the whole file), 206 (a part of it) or 416 (nothing after the offset). */
export interface Answer {
  status: 200 | 206 | 416;
  /** Names in lower case. */
  headers: Record<string, string>;
  /** Must be read or destroyed. */
  body: Readable;
  /** SHA-256 of the file that the host states in X-Linked-ETag, as Hugging Face does. */
  statedSha256?: string;
}

const MOST_REDIRECTS = 10;
const MOST_REASON = 4096;
const REFUSALS: Partial<Record<number, ErrorCode>> = {
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  410: 'NOT_FOUND',
};

/** Connections by way of the proxies that HTTP_PROXY, HTTPS_PROXY and NO_PROXY name. Must be destroyed. */
export function proxiedConnections(): Dispatcher {
  // Whoever calls watches for stalls. Plain http goes through a proxy as a request, as curl's does, because many
  // proxies open tunnels to port 443 alone.
  return new EnvHttpProxyAgent({ headersTimeout: 0, bodyTimeout: 0, proxyTunnel: false });
}

/**
 * Asks for a file and follows redirects.
 *
 * @param headers Range and If-Range, where a part is wanted
 * @throws Transient for what may pass; VggError for what will not
 */
export async function ask(
  start: URL,
  headers: Record<string, string>,
  options: {
    method?: 'GET' | 'HEAD';
    connections: Dispatcher;
    signal: AbortSignal;
    /** Milliseconds since 1970. */
    now: number;
  },
): Promise<Answer> {
  let url = start;
  let statedSha256: string | undefined;
  for (let redirects = 0; ; redirects++) {
    const answer = await askOnce(url, start, headers, options);
    const found = flat(answer.headers);
    statedSha256 ??= /^(?:W\/)?"?([0-9a-f]{64})"?$/i.exec(found['x-linked-etag'] ?? '')?.[1]?.toLowerCase();
    const status = answer.statusCode;
    if (status === 200 || status === 206 || status === 416) {
      if (status !== 416) checkFile(url, found, answer.body);
      return { status, headers: found, body: answer.body, ...(statedSha256 && { statedSha256 }) };
    }
    const why = await reason(found, answer.body);
    if (why !== undefined || ![301, 302, 303, 307, 308].includes(status))
      throw refusal(url, `${String(status)}${why ?? ''}`, status, found, options.now);
    if (redirects === MOST_REDIRECTS)
      throw new VggError(
        'UNAVAILABLE',
        `Expected a file at ${shownUrl(start)} but received ${String(redirects + 1)} redirects`,
      );
    url = redirected(url, found['location']);
  }
}

/** An address without what may be secret in it: user, password, query. */
export function shownUrl(url: URL): string {
  return `${url.origin}${url.pathname}${url.search === '' ? '' : '?…'}`;
}

/** Throws away a body that nobody wants. */
export function discard(body: Readable): void {
  // Ending it early is no failure.
  body.on('error', () => undefined);
  body.destroy();
}

async function askOnce(
  url: URL,
  start: URL,
  headers: Record<string, string>,
  { method = 'GET', connections, signal }: Parameters<typeof ask>[2],
): Promise<Dispatcher.ResponseData> {
  try {
    return await request(new URL(url.pathname + url.search, url.origin), {
      method,
      dispatcher: connections,
      signal,
      headers: {
        ...headers,
        ...(url.origin === start.origin && start.username !== '' && { authorization: basic(start) }),
        'accept-encoding': 'identity',
        'user-agent': 'vgg-serve',
      },
    });
  } catch (cause) {
    signal.throwIfAborted();
    throw unreachable(url, cause);
  }
}

// What trying again does not mend is said at once: no such host, a certificate, a proxy that says no.
function unreachable(url: URL, cause: unknown): Error {
  const { code = '', message } = cause as NodeJS.ErrnoException;
  const what = `Cannot reach ${shownUrl(url)}: ${message || code}`;
  const final =
    code === 'ENOTFOUND' ||
    /CERT|SELF_SIGNED|UNABLE_TO_|ERR_TLS|ERR_SSL/.test(code) ||
    /Proxy/.test(message);
  return final ? new VggError('UNAVAILABLE', what, { cause }) : new Transient(what, { cause });
}

function checkFile(url: URL, headers: Record<string, string>, body: Readable): void {
  const encoding = headers['content-encoding'] ?? 'identity';
  const type = headers['content-type'] ?? '';
  const came =
    encoding.toLowerCase() !== 'identity'
      ? `one in Content-Encoding ${encoding}`
      : /^\s*(text\/html|application\/xhtml)/i.test(type)
        ? `a web page (${type})`
        : undefined;
  if (came === undefined) return;
  discard(body);
  throw new VggError('UNAVAILABLE', `Expected a file as it is at ${shownUrl(url)} but received ${came}`);
}

// What an object store says of a refusal: a few lines of XML, of which one is for machines.
async function reason(headers: Record<string, string>, body: Readable): Promise<string | undefined> {
  if (!/^\s*(application|text)\/xml/i.test(headers['content-type'] ?? '')) {
    discard(body);
    return undefined;
  }
  let text = '';
  try {
    for await (const chunk of body) if ((text += String(chunk)).length > MOST_REASON) break;
  } catch {
    // What has come will do.
  }
  discard(body);
  const [, code] = /<Code>(\w+)<\/Code>/.exec(text) ?? [];
  return code === undefined ? undefined : ` (${code})`;
}

function refusal(
  url: URL,
  answer: string,
  status: number,
  headers: Record<string, string>,
  now: number,
): Error {
  const what = `${shownUrl(url)} answered ${answer}`;
  if (status === 408 || status === 425 || status === 429 || status >= 500)
    return new Transient(what, { retryAfterMs: retryAfterMs(headers['retry-after'], now) });
  return new VggError(
    REFUSALS[status] ?? 'UNAVAILABLE',
    `Expected a file but ${what}`,
  );
}

// Seconds, or a date.
function retryAfterMs(value: string | undefined, now: number): number {
  if (value === undefined) return 0;
  const ms = /^\s*\d+\s*$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now;
  return Number.isFinite(ms) ? Math.max(0, ms) : 0;
}

function redirected(from: URL, location: string | undefined): URL {
  const to =
    location !== undefined && URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  if (to?.protocol !== 'https:' && to?.protocol !== 'http:') {
    throw new VggError(
      'UNAVAILABLE',
      `Expected ${shownUrl(from)} to redirect to a web address but received ${location ?? 'none'}`,
    );
  }
  if (from.protocol === 'https:' && to.protocol === 'http:') {
    throw new VggError(
      'UNAVAILABLE',
      `Expected ${shownUrl(from)} to stay on https but it redirects to ${shownUrl(to)}`,
    );
  }
  return to;
}

function basic({ username, password }: URL): string {
  const text = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return `Basic ${Buffer.from(text).toString('base64')}`;
}

function flat(headers: Dispatcher.ResponseData['headers']): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), [value].flat().join(', ')]),
  );
}
