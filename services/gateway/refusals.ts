// What is refused before any route looks at it: paths and methods that there are not, and what Node.js and
// fastify find wrong, in the project's words.

import type { FastifyRequest } from 'fastify';
import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { VggError, asVggError, expected, type ErrorCode } from '../../vgg/errors.ts';
import { problemOf, type Problem } from './problem.ts';

/** A path as fastify writes it, `/v1/models/:name`, and a method that it takes. */
export interface Route {
  url: string;
  method: string;
}

/** A refusal, its status where it is not that of its code, and the methods that the path does take. */
export interface Refusal {
  error: VggError;
  status?: number;
  allow?: string;
}

/** Why no route takes a request: its method (405), or its path (404). */
export function unroutable({ url, method }: FastifyRequest, routes: readonly Route[]): Refusal {
  const path = url.split('?')[0] ?? '';
  const allow = routes.filter((route) => matches(route.url, path)).map((route) => route.method);
  if (allow.length === 0) return { error: expected('a path that GET / names', path, 'path', 'NOT_FOUND') };
  const methods = [...new Set(allow)].sort();
  return {
    error: expected(`method ${methods.join(' or ')}`, method, 'method'),
    status: 405,
    allow: [...methods, 'OPTIONS'].join(', '),
  };
}

function matches(route: string, path: string): boolean {
  const [wanted, given] = [route.split('/'), path.split('/')];
  if (wanted.at(-1) === '*') {
    return wanted.length > 2 && wanted.slice(0, -1).every((part, i) => part === given[i]);
  }
  return (
    wanted.length === given.length &&
    wanted.every((part, i) => (part.startsWith(':') ? given[i] !== '' : part === given[i]))
  );
}

/** What fastify found wrong, or what a route threw. */
export function readError(thrown: unknown, bodyBytes: number): VggError {
  if (thrown instanceof VggError) return thrown;
  const { code, statusCode } = thrown as { code?: string; statusCode?: number };
  if (statusCode === 413) return bodyTooLarge(bodyBytes);
  if (code === 'FST_ERR_BAD_URL') {
    const message = 'Expected a path in percent-encoding but it does not decode (path)';
    return new VggError('INVALID_ARGUMENT', message, { cause: thrown, fields: [{ field: 'path', message }] });
  }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new VggError('INVALID_ARGUMENT', 'Expected a well-formed request', { cause: thrown });
  }
  return asVggError(thrown);
}

/**
 * An answer of the services behind. A call that is lost is made once more: a replica may have left; but not one that
 * is told to come back later. What the services say of each other, with addresses, is for the log alone.
 *
 * @throws VggError what the services said; UNAVAILABLE, DEADLINE_EXCEEDED and INTERNAL in words for outside
 */
export async function fromBehind<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  try {
    return await ask().catch((error: unknown) => {
      const { code, retryAfterMs } = asVggError(error);
      if (code === 'UNAVAILABLE' && retryAfterMs === undefined) return ask();
      throw error;
    });
  } catch (cause) {
    throw outside(asVggError(cause));
  }
}

/** An error of the services behind in words for outside. */
export function outside(error: VggError): VggError {
  const { code, retryAfterMs } = error;
  const message = code === 'UNAVAILABLE' && retryAfterMs !== undefined ? STARTING : OUTSIDE[code];
  if (message === undefined) return error;
  return new VggError(code, message, { cause: error, ...(retryAfterMs !== undefined && { retryAfterMs }) });
}

export function bodyTooLarge(bodyBytes: number): VggError {
  return expected(`a body of at most ${String(bodyBytes)} bytes`, 'more', 'body', 'TOO_LARGE');
}

/**
 * Discards what the client still sends of a request that is refused, so that it can read the answer. One that
 * goes on for more than `mostBytes` loses its connection.
 */
export function discardRest({ raw }: FastifyRequest, mostBytes: number): void {
  if (raw.complete) return;
  let bytes = 0;
  raw.unpipe();
  raw.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > mostBytes) raw.socket.destroy();
  });
  raw.on('error', () => undefined); // It is refused: nobody waits for the rest.
  raw.resume();
}

const LINGER_MS = 1000;

const STARTING = 'The services that answer are starting: come back after the time in Retry-After';
const OUTSIDE: Partial<Record<ErrorCode, string>> = {
  UNAVAILABLE: 'The services that answer cannot be reached',
  DEADLINE_EXCEEDED: 'There was no answer in time',
  INTERNAL: 'Internal error',
};

// Node.js's errors, by code: what is not HTTP, and what has a status of its own.
const SOCKET_REFUSALS: Record<string, { message: string; status: number }> = {
  HPE_HEADER_OVERFLOW: { message: 'Expected a request line and headers of at most 16 KiB', status: 431 },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: { message: 'Expected chunks without long extensions', status: 413 },
  ERR_HTTP_REQUEST_TIMEOUT: { message: 'Expected a whole request in time', status: 408 },
};

/**
 * Answers what is no HTTP request on its bare socket, and closes it.
 *
 * @returns the status, or undefined where nothing could be said
 */
export function refuseSocket(error: Error & { code?: string }, socket: Socket): number | undefined {
  // The answer of an earlier request may be on its way: nothing must come in between.
  const { _httpMessage: current } = socket as { _httpMessage?: { headersSent: boolean } };
  if (error.code === 'ECONNRESET' || !socket.writable || current?.headersSent === true) {
    socket.destroy();
    return undefined;
  }
  const { message, status } = SOCKET_REFUSALS[error.code ?? ''] ?? {
    message: 'Expected an HTTP/1.1 request but it does not parse',
    status: 400,
  };
  const problem: Problem = problemOf(new VggError('INVALID_ARGUMENT', message), status);
  const body = Buffer.from(JSON.stringify(problem));
  const head = [
    `HTTP/1.1 ${String(status)} ${problem.title}`,
    'content-type: application/problem+json',
    `content-length: ${String(body.length)}`,
    `x-request-id: ${randomUUID()}`,
    'server-timing: total;dur=0.0',
    'cache-control: no-store',
    'x-content-type-options: nosniff',
    'connection: close',
  ].join('\r\n');
  // The client closes when it has the answer; one that does not is not waited for.
  socket.setTimeout(LINGER_MS, () => socket.destroy());
  socket.end(Buffer.concat([Buffer.from(`${head}\r\n\r\n`), body]));
  return status;
}
