// Which pages of other origins may ask (CORS). Knows headers; not what is asked.

import type { FastifyReply, FastifyRequest } from 'fastify';

/** The pages of other origins that may ask: an origin, or `*` for any. */
export class Origins {
  readonly #any: boolean;
  readonly #origins: ReadonlySet<string>;

  constructor(origins: readonly string[]) {
    this.#any = origins.includes('*');
    this.#origins = new Set(origins.map((origin) => origin.toLowerCase()));
  }

  /**
   * Sets what the Fetch Standard has a server say of an origin (3.2). Credentials are never allowed: API keys are in
   * headers that a page sets itself.
   *
   * @returns whether the request is a preflight that needs no other answer
   */
  admit({ method, headers }: FastifyRequest, reply: FastifyReply): boolean {
    if (!this.#any && this.#origins.size === 0) return false;
    if (!this.#any) void reply.header('vary', 'Origin');
    const { origin } = headers;
    if (origin === undefined || !(this.#any || this.#origins.has(origin.toLowerCase()))) return false;
    void reply.header('access-control-allow-origin', this.#any ? '*' : origin);
    if (method !== 'OPTIONS' || headers['access-control-request-method'] === undefined) {
      void reply.header('access-control-expose-headers', EXPOSED);
      return false;
    }
    void reply.headers({
      'access-control-allow-methods': 'GET, HEAD, POST',
      'access-control-allow-headers': ASKED,
      'access-control-max-age': '7200',
    });
    return true;
  }
}

const EXPOSED = 'X-Request-Id, Server-Timing, Retry-After, ETag, Cache-Status, Allow';
const ASKED = 'Authorization, X-API-Key, Content-Type, Accept, Cache-Control, If-None-Match, X-Request-Id';
