// The metrics of the gateway: requests by route and status, their time and size.

import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** Answered requests, by route, method and status. */
export const REQUESTS = 'vgg_http_requests_total';
/** Seconds from a request's arrival to the end of its answer, by route and method. */
export const DURATION = 'vgg_http_duration_seconds';
/** Requests that are not answered yet. */
export const IN_FLIGHT = 'vgg_http_in_flight';
/** Clients that went away before their answer. */
export const ABANDONED = 'vgg_http_abandoned_total';
/** Requests refused because their client made too many. */
export const RATE_LIMITED = 'vgg_http_rate_limited_total';

/** Counts requests. */
export interface GatewayMetrics {
  arrived(): void;
  answered(route: string, method: string, status: number, seconds: number): void;
  abandoned(): void;
  /** A client made too many requests. */
  rateLimited(): void;
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
  for (const status of ['200', '400', '413', '415', '429', '503', '504']) {
    requests.inc({ route: '/v1/classify', method: 'POST', status }, 0);
  }
  return {
    arrived() {
      inFlight.inc();
    },
    answered(route, method, status, seconds) {
      inFlight.dec();
      requests.inc({ route, method, status: String(status) });
      duration.observe({ route, method }, seconds);
    },
    abandoned() {
      abandoned.inc();
    },
    rateLimited() {
      rateLimited.inc();
    },
    unreadable(status) {
      requests.inc({ route: 'unknown', method: 'unknown', status: String(status) });
    },
  };
}
