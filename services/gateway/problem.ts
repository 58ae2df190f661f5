// Errors as RFC 9457 problem+json: the one table from error codes to HTTP.

import type { FastifyReply } from 'fastify';
import { STATUS_CODES } from 'node:http';
import type { ErrorCode, VggError } from '../../vgg/errors.ts';

/** HTTP status of each code. 499 is never seen: the client has gone. */
export const HTTP_STATUS: Record<ErrorCode, number> = {
  INVALID_ARGUMENT: 400,
  UNSUPPORTED_FORMAT: 415,
  TOO_LARGE: 413,
  NOT_FOUND: 404,
  RESOURCE_EXHAUSTED: 429,
  UNAVAILABLE: 503,
  DEADLINE_EXCEEDED: 504,
  CANCELLED: 499,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  INTERNAL: 500,
};

// Where a server says come back but not when.
const RETRY_AFTER_MS = 1000;

/** The body of an error answer. */
export interface Problem {
  type: 'about:blank';
  /** The status in words (RFC 9457, Section 4.2.1). */
  title: string;
  status: number;
  code: ErrorCode;
  /** The error's message. */
  detail: string;
  /** The fields at fault. */
  errors: readonly { field: string; message: string }[];
}

/** An error as a problem; with the status of its code unless HTTP has a better one. */
export function problemOf(error: VggError, status = HTTP_STATUS[error.code]): Problem {
  return {
    type: 'about:blank',
    title: STATUS_CODES[status] ?? 'Client Closed Request',
    status,
    code: error.code,
    detail: error.message,
    errors: error.fields,
  };
}

/** Sends an error; with the status of its code unless HTTP has a better one. */
export function sendProblem(reply: FastifyReply, error: VggError, status?: number): FastifyReply {
  const problem = problemOf(error, status);
  if (problem.status === 429 || problem.status === 503) {
    void reply.header('retry-after', Math.max(1, Math.ceil((error.retryAfterMs ?? RETRY_AFTER_MS) / 1000)));
  }
  if (problem.status === 401) void reply.header('www-authenticate', 'Bearer realm="vgg-serve"');
  // As bytes: fastify would add a charset, which JSON has not (RFC 8259).
  return reply
    .code(problem.status)
    .type('application/problem+json')
    .send(Buffer.from(JSON.stringify(problem)));
}
