// Errors as RFC 9457 problem+json: the one table from error codes to HTTP.

import type { FastifyReply } from 'fastify';
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

const TITLES: Record<ErrorCode, string> = {
  INVALID_ARGUMENT: 'Bad request',
  UNSUPPORTED_FORMAT: 'Unsupported image format',
  TOO_LARGE: 'Too large',
  NOT_FOUND: 'Not found',
  RESOURCE_EXHAUSTED: 'Too busy',
  UNAVAILABLE: 'Unavailable',
  DEADLINE_EXCEEDED: 'Took too long',
  CANCELLED: 'Cancelled',
  UNAUTHENTICATED: 'Credential required',
  PERMISSION_DENIED: 'Not allowed',
  INTERNAL: 'Internal error',
};

// Where a server says come back but not when.
const RETRY_AFTER_MS = 1000;

/** The body of an error answer. */
export interface Problem {
  type: 'about:blank';
  title: string;
  status: number;
  code: ErrorCode;
  /** The error's message. */
  detail: string;
  /** The fields at fault. */
  errors: readonly { field: string; message: string }[];
}

/** Sends an error; with the status of its code unless HTTP has a better one. */
export async function sendProblem(
  reply: FastifyReply,
  error: VggError,
  status = HTTP_STATUS[error.code],
): Promise<void> {
  const problem: Problem = {
    type: 'about:blank',
    title: TITLES[error.code],
    status,
    code: error.code,
    detail: error.message,
    errors: error.fields,
  };
  if (status === 429 || status === 503) {
    void reply.header('retry-after', Math.max(1, Math.ceil((error.retryAfterMs ?? RETRY_AFTER_MS) / 1000)));
  }
  if (status === 401) void reply.header('www-authenticate', 'Bearer realm="vgg-serve"');
  await reply.code(status).type('application/problem+json').send(JSON.stringify(problem));
}
