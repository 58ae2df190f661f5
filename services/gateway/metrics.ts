// The metrics of the gateway: requests by route and status, their time and size.

import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Source } from './answers/cache-status.ts';

/** Answered requests, by route, method and status. */
export const REQUESTS = 'vgg_http_requests_total';
/** Seconds from a request's arrival to the end of its answer, by route and method. */
export const DURATION = 'vgg_http_duration_seconds';
/** Requests that are not answered yet. */
export const IN_FLIGHT = 'vgg_http_in_flight';
/** Clients that went away before their answer. */
export const ABANDONED = 'vgg_http_abandoned_total';
/** Photos by where their answers came from: hit, miss, coalesced or bypass. */
export const ANSWERS = 'vgg_http_answers_total';
/** Kept answers that had to go to make room. */
export const ANSWER_EVICTIONS = 'vgg_http_answer_evictions_total';
/** Bytes of kept answers. */
export const ANSWER_BYTES = 'vgg_http_answer_bytes';
/** Requests refused because their client made too many. */
export const RATE_LIMITED = 'vgg_http_rate_limited_total';

/** Lost calls that were begun again, by the service called. */
export const RETRIES = 'vgg_http_retries_total';

/**
 * Requests for models that nobody could be asked for and that were not known from before. With the photos that wait it is
 * what inference is started for from zero.
 */
export const MODELS_AWAITED = 'vgg_http_models_awaited_total';

/** Counts requests. */
export interface GatewayMetrics {
  /** Requests that are not answered yet. */
  readonly inFlight: number;
  arrived(): void;
  answered(route: string, method: string, status: number, seconds: number): void;
  abandoned(): void;
  /** A call to a service was lost and is begun again. */
  retried(service: string): void;
  /** A client made too many requests. */
  rateLimited(): void;
  /** Models were asked for that only a replica of inference can tell. */
  modelsAwaited(): void;
  /** What came was no HTTP request. */
  unreadable(status: number): void;
}

/** The metrics of one server. */
export function gatewayMetrics(registry: Registry): GatewayMetrics {
  const registers = [registry];
  const requests = new Counter({
    name: REQUESTS,
    help: 'Answered requests, by route, method and status.',
    labelNames: ['route', 'method', 'status'],
    registers,
  });
  const duration = new Histogram({
    name: DURATION,
    help: "Seconds from a request's arrival to the end of its answer.",
    labelNames: ['route', 'method'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    registers,
  });
  const inFlight = new Gauge({ name: IN_FLIGHT, help: 'Requests that are not answered yet.', registers });
  const abandoned = new Counter({
    name: ABANDONED,
    help: 'Clients that went away before their answer.',
    registers,
  });
  const rateLimited = new Counter({
    name: RATE_LIMITED,
    help: 'Requests refused because their client made too many.',
    registers,
  });
  const retries = new Counter({
    name: RETRIES,
    help: 'Lost calls that were begun again, by the service called.',
    labelNames: ['service'],
    registers,
  });
  const modelsAwaited = new Counter({
    name: MODELS_AWAITED,
    help: 'Requests for models that nobody could be asked for and that were not known from before.',
    registers,
  });
  for (const service of ['aggregator', 'inference']) retries.inc({ service }, 0);
  for (const status of ['200', '400', '413', '415', '429', '503', '504']) {
    requests.inc({ route: '/v1/classify', method: 'POST', status }, 0);
  }
  let flying = 0;
  return {
    get inFlight() {
      return flying;
    },
    arrived() {
      flying++;
      inFlight.inc();
    },
    answered(route, method, status, seconds) {
      flying--;
      inFlight.dec();
      requests.inc({ route, method, status: String(status) });
      duration.observe({ route, method }, seconds);
    },
    abandoned() {
      abandoned.inc();
    },
    retried(service) {
      retries.inc({ service });
    },
    rateLimited() {
      rateLimited.inc();
    },
    modelsAwaited() {
      modelsAwaited.inc();
    },
    unreadable(status) {
      requests.inc({ route: 'unknown', method: 'unknown', status: String(status) });
    },
  };
}

/** Counts answers that are kept, shared and computed. */
export interface AnswerMetrics {
  /** A photo's answer comes from here. */
  given(source: Source): void;
  evicted(): void;
  /** So many bytes are kept now. */
  kept(bytes: number): void;
}

/** The metrics of the answers of one server. */
export function answerMetrics(registry: Registry): AnswerMetrics {
  const registers = [registry];
  const answers = new Counter({
    name: ANSWERS,
    help: 'Photos, by where their answers came from.',
    labelNames: ['source'],
    registers,
  });
  const evictions = new Counter({
    name: ANSWER_EVICTIONS,
    help: 'Kept answers that had to go to make room.',
    registers,
  });
  const size = new Gauge({ name: ANSWER_BYTES, help: 'Bytes of kept answers.', registers });
  for (const source of ['hit', 'miss', 'coalesced', 'bypass'] satisfies Source[]) answers.inc({ source }, 0);
  return {
    given(source) {
      answers.inc({ source });
    },
    evicted() {
      evictions.inc();
    },
    kept(bytes) {
      size.set(bytes);
    },
  };
}
