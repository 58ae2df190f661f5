// What an operation can answer: its statuses, each with its headers and media types.

import { HTTP_STATUS, problemOf } from '../problem.ts';
import { VggError, type ErrorCode } from '../../../vgg/errors.ts';
import { the, type JsonSchema } from './json-schema.ts';

/** A response as routes have it. */
export type Response = Readonly<Record<string, unknown>>;

const COMMON = {
  'X-Request-Id': { type: 'string', description: "The request's, or a new one; it is in the logs." },
  'Server-Timing': { type: 'string', description: 'Where the time went, in milliseconds.' },
};

const MORE: Record<string, JsonSchema> = {
  Allow: { type: 'string', description: 'Methods that the path takes.' },
  ETag: { type: 'string', description: 'Changes with the content, and only with it; for If-None-Match.' },
  'Retry-After': { type: 'integer', minimum: 1, description: 'Seconds after which to try again.' },
  'RateLimit-Policy': {
    type: 'string',
    description: 'Requests at once (q), and the seconds in which they all come back (w).',
  },
  RateLimit: { type: 'string', description: 'Requests left (r), and seconds until all are back (t).' },
  'WWW-Authenticate': { type: 'string', description: 'Bearer.' },
  Age: {
    type: 'integer',
    minimum: 0,
    description: 'Seconds since this was so, where nobody can be asked now: inference has no replica.',
  },
  'Cache-Status': { type: 'string', description: 'Whether the answer was kept from before (RFC 9211).' },
};

const REFUSALS: Record<number, { code: ErrorCode; why: string; headers?: string[]; detail: string }> = {
  400: {
    code: 'INVALID_ARGUMENT',
    why: 'Something in the request is wrong: a parameter, the form, or the photo.',
    detail: 'Expected a number but received five (grid)',
  },
  401: {
    code: 'UNAUTHENTICATED',
    why: 'No API key, or one that is not known.',
    headers: ['WWW-Authenticate'],
    detail: 'Expected a known API key but received another',
  },
  404: {
    code: 'NOT_FOUND',
    why: 'No such model.',
    detail: 'Expected a model of caltech-101-d but received vgg (model)',
  },
  405: {
    code: 'INVALID_ARGUMENT',
    why: 'The path does not take the method.',
    headers: ['Allow'],
    detail: 'Expected method GET or HEAD but received DELETE (method)',
  },
  406: {
    code: 'INVALID_ARGUMENT',
    why: 'Accept takes nothing of what there is; detail lists that.',
    detail: 'Expected Accept to take application/json but received text/csv (Accept)',
  },
  408: {
    code: 'INVALID_ARGUMENT',
    why: 'The request was not whole in time.',
    detail: 'Expected a whole request in time',
  },
  413: {
    code: 'TOO_LARGE',
    why: 'The body is too large.',
    detail: 'Expected a body of at most 20971520 bytes but received more (body)',
  },
  415: {
    code: 'UNSUPPORTED_FORMAT',
    why: 'Neither an image that can be read nor a form.',
    detail: 'Expected Content-Type image/* or multipart/form-data but received text/plain (Content-Type)',
  },
  429: {
    code: 'RESOURCE_EXHAUSTED',
    why: 'Too many requests of this client, or of all.',
    headers: ['Retry-After', 'RateLimit-Policy', 'RateLimit'],
    detail: 'Expected at most 10 requests a second but received more (rate)',
  },
  500: { code: 'INTERNAL', why: 'A fault of the server; its log has more.', detail: 'Internal error' },
  503: {
    code: 'UNAVAILABLE',
    why: 'The server shuts down, or what it stands on cannot be reached.',
    headers: ['Retry-After'],
    detail: 'The services that answer cannot be reached',
  },
  504: {
    code: 'DEADLINE_EXCEEDED',
    why: 'There was no answer in time.',
    detail: 'There was no answer in time',
  },
};

/** Media types to schemas, with an example each where there is one. */
export type Content = Readonly<Record<string, { schema: JsonSchema; example?: unknown }>>;

/** A response with content. */
export function response(description: string, content: Content, headers: readonly string[] = []): Response {
  return { description, headers: headersOf(headers), content };
}

/** A response without content. */
export function bare(description: string, headers: readonly string[] = []): Response {
  return { description, type: 'null', headers: headersOf(headers) };
}

/** Refusals by their status, as problems. */
export function refusals(...statuses: readonly number[]): Record<number, Response> {
  return Object.fromEntries(
    statuses.map((status) => {
      const refusal = REFUSALS[status];
      if (!refusal) throw new VggError('INTERNAL', `Expected a refusal for ${String(status)}`);
      const { code, why, headers = [], detail } = refusal;
      const [, field] = /\(([^()]+)\)$/.exec(detail) ?? [];
      const fields = field === undefined ? [] : [{ field, message: detail }];
      const example = problemOf(
        new VggError(code, detail, { fields }),
        code === 'INVALID_ARGUMENT' ? status : HTTP_STATUS[code],
      );
      const content = { 'application/problem+json': { schema: the('Problem'), example } };
      return [status, response(why, content, headers)];
    }),
  );
}

function headersOf(names: readonly string[]): Record<string, JsonSchema> {
  return { ...COMMON, ...Object.fromEntries(names.map((name) => [name, MORE[name] ?? { type: 'string' }])) };
}
