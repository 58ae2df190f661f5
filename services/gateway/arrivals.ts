// Every request from its arrival to its end: what all answers carry, what is counted, and whether its client
// is still there. Knows HTTP; not what is asked.

import type { FastifyReply, FastifyRequest } from 'fastify';
import { randomUUID } from 'node:crypto';
import { VggError } from '../../vgg/errors.ts';
import type { Logger } from '../host/log.ts';
import type { GatewayMetrics } from './metrics.ts';

const REQUEST_ID = /^[\w.:-]{1,128}$/;
// What is logged and counted of a client that did not wait for its status.
const CLIENT_GONE = 499;

/** Where the time of an answer went, in milliseconds. */
export interface AnswerTiming {
  prepareMs: number;
  queueMs: number;
  computeMs: number;
}

/** One request. */
export interface Arrival {
  /** Aborted when the client closes its connection before it has its answer. */
  readonly gone: AbortSignal;
  /** Set once there is an answer. */
  timing?: AnswerTiming;
}

/** The client's X-Request-Id if it is one, else a new one. */
export function requestIdOf(headers: Record<string, unknown>): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
}

/** The requests of one server. */
export class Arrivals {
  readonly #arrivals = new WeakMap<FastifyRequest, Arrival & { at: number }>();
  readonly #metrics: GatewayMetrics;
  readonly #log: Logger;
  readonly #now: () => number;

  /** @param now monotonic milliseconds */
  constructor(metrics: GatewayMetrics, log: Logger, now: () => number) {
    this.#metrics = metrics;
    this.#log = log;
    this.#now = now;
  }

  /** A request has come: it counts as in flight until its connection says that its answer is over. */
  begin(request: FastifyRequest, reply: FastifyReply): void {
    const gone = new AbortController();
    const at = this.#now();
    this.#arrivals.set(request, { at, gone: gone.signal });
    this.#metrics.arrived();
    void reply.header('x-request-id', request.id).header('cache-control', 'no-store');
    // `finish` does not come where the client leaves early; `close` always does.
    reply.raw.once('close', () => {
      const whole = reply.raw.writableFinished;
      const status = whole ? reply.statusCode : CLIENT_GONE;
      const route = request.routeOptions.url ?? 'unknown';
      const ms = this.#now() - at;
      this.#metrics.answered(route, request.method, status, ms / 1000);
      this.#log.debug({ requestId: request.id, route, status, ms: Math.round(ms) }, 'answered');
      if (whole) return;
      this.#metrics.abandoned();
      gone.abort(new VggError('CANCELLED', 'The client went away'));
    });
  }

  /** A request that has begun. */
  of(request: FastifyRequest): Arrival {
    const arrival = this.#arrivals.get(request);
    if (!arrival) throw new VggError('INTERNAL', 'Expected a request that has begun');
    return arrival;
  }

  /** Value of the header Server-Timing, durations in milliseconds. */
  serverTiming(request: FastifyRequest): string {
    const { at, timing } = this.#arrivals.get(request) ?? { at: this.#now() };
    const spans: Record<string, number> = {
      ...(timing && { prepare: timing.prepareMs, queue: timing.queueMs, compute: timing.computeMs }),
      total: this.#now() - at,
    };
    return Object.entries(spans)
      .map(([name, ms]) => `${name};dur=${ms.toFixed(1)}`)
      .join(', ');
  }
}
