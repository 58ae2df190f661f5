// The metrics that every service has: calls counted and timed. Each server has a registry of its
// own, as several services may share a process.

import { randomUUID } from 'node:crypto';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { ERROR_CODES, type ErrorCode } from '../../vgg/errors.ts';

/** Calls that ended, by service, method and code (OK or an error code). */
export const RPC_REQUESTS = 'vgg_rpc_requests_total';
/** Seconds from a call's arrival to its end, by service and method. */
export const RPC_DURATION = 'vgg_rpc_duration_seconds';
/** Calls that have not ended, by service and method. */
export const RPC_IN_FLIGHT = 'vgg_rpc_in_flight';
/** 1 while the service is ready, else 0. */
export const READY = 'vgg_ready';

/** 1, with the process's own `id`: services that share a process have the same one, and a new process has another. */
export const PROCESS = 'vgg_process_info';

const PROCESS_ID = randomUUID();

const DURATION_BUCKETS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** How a call ended. */
export type Outcome = 'OK' | ErrorCode;

/** Counts the calls of one server. */
export interface RpcMetrics {
  /** A call has arrived. The function it returns is called once, when the call ends. */
  started(method: string): (outcome: Outcome) => void;
  /** Whether the service is ready. */
  ready(value: boolean): void;
}

/** A registry, with the process's own metrics (CPU, memory, event loop) if asked for. */
export function createRegistry(options: { process?: boolean } = {}): Registry {
  const registry = new Registry();
  if (options.process === true) {
    collectDefaultMetrics({ register: registry });
    const info = new Gauge({
      name: PROCESS,
      help: 'Which process this is.',
      labelNames: ['id'],
      registers: [registry],
    });
    info.set({ id: PROCESS_ID }, 1);
  }
  return registry;
}

/**
 * The host's metrics.
 *
 * @param service name of the service, the label of every series
 * @param methods names of its rpcs; their counters start at 0, so that rates see the first call
 */
export function rpcMetrics(registry: Registry, service: string, methods: readonly string[]): RpcMetrics {
  const registers = [registry];
  const requests = new Counter({
    name: RPC_REQUESTS,
    help: 'Calls that ended, by code.',
    labelNames: ['service', 'method', 'code'],
    registers,
  });
  const duration = new Histogram({
    name: RPC_DURATION,
    help: "Seconds from a call's arrival to its end.",
    labelNames: ['service', 'method'],
    buckets: DURATION_BUCKETS,
    registers,
  });
  const inFlight = new Gauge({
    name: RPC_IN_FLIGHT,
    help: 'Calls that have not ended.',
    labelNames: ['service', 'method'],
    registers,
  });
  const readyGauge = new Gauge({
    name: READY,
    help: '1 while the service is ready, else 0.',
    labelNames: ['service'],
    registers,
  });
  readyGauge.set({ service }, 0);
  for (const method of methods) {
    for (const code of ['OK', ...ERROR_CODES]) requests.inc({ service, method, code }, 0);
    duration.zero({ service, method });
    inFlight.set({ service, method }, 0);
  }
  return {
    started(method) {
      const stop = duration.startTimer({ service, method });
      inFlight.inc({ service, method });
      return (code) => {
        stop();
        inFlight.dec({ service, method });
        requests.inc({ service, method, code });
      };
    },
    ready(value) {
      readyGauge.set({ service }, value ? 1 : 0);
    },
  };
}
