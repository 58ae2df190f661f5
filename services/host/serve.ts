// One way to serve gRPC: the services' rpcs, health, reflection, metrics, and an end in good order.
// Knows nothing of what is served.

import { loadSync } from '@grpc/proto-loader';
import { Server, type MethodDefinition, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';
import { HealthImplementation, protoPath as healthProto } from 'grpc-health-check';
import type { Registry } from 'prom-client';
import { packageDefinition } from '../../proto/definitions.ts';
import { VggError } from '../../vgg/errors.ts';
import { grpcHandler, type CallHost } from './call.ts';
import { CallsInFlight } from './calls-in-flight.ts';
import { serverCredentials } from './credentials.ts';
import { systemClock, type Clock } from './deadline.ts';
import type { Implementation } from './handlers.ts';
import { hostDefaults, type HostConfig } from './host-variables.ts';
import { createLogger, type Logger } from './log.ts';
import { createRegistry, rpcMetrics } from './metrics.ts';
import { serveProbes, type Probes } from './probes.ts';
import { startPublishing } from './publishing.ts';
import { Readiness } from './readiness.ts';

// After the last call has ended, its last bytes may still be on their way to the socket.
const FLUSH_MS = 500;

/** What is served, and how. */
export interface ServeOptions {
  /** Name of the service in logs and metrics: `preprocess`. */
  name: string;
  services: readonly Implementation[];
  /** Whatever is left out has its default; the port is any free one. */
  config?: Partial<HostConfig>;
  /** Whether the service can answer; asked each second and at each probe. Default: always. */
  ready?: () => boolean | Promise<boolean>;
  /** The service's own metrics are in it too. Default: a new one. */
  registry?: Registry;
  log?: Logger;
  clock?: Clock;
}

/** A running server. */
export interface RunningServer {
  /** What clients connect to: `127.0.0.1:50051`, or `unix:/path`. */
  readonly address: string;
  /** 0 for a socket file. */
  readonly port: number;
  /** Where /metrics, /healthz and /readyz are, if they are served. */
  readonly metricsAddress: string | undefined;
  readonly registry: Registry;
  readonly log: Logger;
  /** Calls that have not ended. */
  readonly inFlight: number;
  /** Asks the service whether it is ready, now rather than within a second. */
  checkReady(): Promise<boolean>;
  /**
   * Ends in good order: not ready, new calls refused, calls in flight finish; what has not
   * finished after the drain time is aborted. Calling it again gives the same promise.
   */
  drain(): Promise<void>;
  /** Ends at once: calls in flight are aborted. */
  close(): Promise<void>;
}

/**
 * Serves.
 *
 * @throws VggError INVALID_ARGUMENT for a wrong config, UNAVAILABLE if the address cannot be had
 */
export async function startServer(options: ServeOptions): Promise<RunningServer> {
  const { name, services, ready = () => true, clock = systemClock } = options;
  const config = hostDefaults(options.config);
  const log = options.log ?? createLogger(name, config.logLevel);
  const registry = options.registry ?? createRegistry({ process: config.metricsPort !== undefined });
  const methods = services.flatMap(({ definition }) => Object.values(definition));
  const names = methods.map(({ path }) => path.slice(1));
  const metrics = rpcMetrics(registry, name, names);
  const calls = new CallsInFlight();
  const server = new Server(serverOptions(config));

  const host: CallHost = {
    log,
    metrics,
    clock,
    deadlineMs: config.deadline,
    maxDeadlineMs: config.maxDeadline,
    forced: calls.forced,
    admit: () => calls.admit(),
  };
  for (const service of services) addService(server, service, host);
  const health = new HealthImplementation();
  health.addToServer(server);
  const served = ['', ...new Set(names.map((each) => each.split('/')[0] ?? ''))];
  const tell = (value: boolean) => {
    metrics.ready(value);
    for (const each of served) health.setStatus(each, value ? 'SERVING' : 'NOT_SERVING');
  };
  tell(false);
  const onError = (error: unknown) => {
    log.warn({ err: error }, 'metrics not published');
  };
  const endPublishing = startPublishing({ registry, service: name, config, clock, onError });
  addReflection(server, [...served.slice(1), 'grpc.health.v1.Health']);

  const { address, port } = await bind(server, config).catch(async (error: unknown) => {
    await endPublishing();
    throw error;
  });
  const readiness = new Readiness(ready, tell, clock, log);
  let probes: Probes | undefined;
  try {
    if (config.metricsPort !== undefined) {
      const probeHost = config.host.startsWith('unix:') ? '127.0.0.1' : config.host;
      const source = { registry, ready: () => readiness.check() };
      probes = await serveProbes(probeHost, config.metricsPort, source);
    }
  } catch (cause) {
    server.forceShutdown();
    readiness.close();
    await endPublishing();
    throw new VggError('UNAVAILABLE', `Cannot listen at port ${String(config.metricsPort)} (metricsPort)`, {
      cause,
    });
  }
  await readiness.check();
  log.info({ address, metricsAddress: probes?.address }, 'listening');

  const end = async (patienceMs: number) => {
    readiness.drain();
    calls.refuse();
    log.info({ inFlight: calls.count }, 'draining');
    const closed = new Promise<void>((resolve) => {
      server.tryShutdown(() => {
        resolve();
      });
    });
    if (!(await within(patienceMs, calls.idle(), clock))) {
      log.warn({ inFlight: calls.count }, 'ending calls by force');
      calls.force();
    }
    // Health watches and reflection streams never end by themselves.
    await within(FLUSH_MS, closed, clock);
    server.forceShutdown();
    readiness.close();
    await probes?.close();
    await endPublishing();
    log.info('ended');
  };
  let ending: Promise<void> | undefined;
  return {
    address,
    port,
    metricsAddress: probes?.address,
    registry,
    log,
    get inFlight() {
      return calls.count;
    },
    checkReady: () => readiness.check(),
    drain: () => (ending ??= end(config.drain)),
    close() {
      if (ending) calls.force();
      return (ending ??= end(0));
    },
  };
}

function serverOptions(config: HostConfig) {
  return {
    'grpc.max_receive_message_length': config.maxMessage,
    'grpc.max_send_message_length': -1,
    'grpc.max_concurrent_streams': config.maxStreams,
    'grpc.max_connection_age_ms': config.connectionAge,
    'grpc.max_connection_age_grace_ms': config.connectionAgeGrace,
    // A peer that vanished without a word is noticed within 40 s.
    'grpc.keepalive_time_ms': 20_000,
    'grpc.keepalive_timeout_ms': 20_000,
    'grpc.enable_channelz': 0,
  };
}

function addService(server: Server, { definition, handlers }: Implementation, host: CallHost): void {
  const missing = Object.keys(definition).filter((name) => typeof handlers[name] !== 'function');
  if (missing.length > 0) throw new VggError('INTERNAL', `No handler for ${missing.join(', ')}`);
  const wrapped: UntypedServiceImplementation = {};
  for (const [name, method] of Object.entries<MethodDefinition<object, object>>(definition)) {
    wrapped[name] = grpcHandler(method, handlers[name], host);
  }
  server.addService(definition, wrapped);
}

// Only what is served here is listed, not every service of the contract.
function addReflection(server: Server, services: string[]): void {
  const all = { ...packageDefinition, ...loadSync(healthProto, { keepCase: true }) };
  new ReflectionService(all, { services }).addToServer(server);
}

async function bind(server: Server, config: HostConfig): Promise<{ address: string; port: number }> {
  const { host } = config;
  const socketFile = host.startsWith('unix:');
  const bracketed = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  const wanted = socketFile ? host : `${bracketed}:${String(config.port)}`;
  const credentials = serverCredentials(config);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(wanted, credentials, (cause, bound) => {
      if (cause) reject(new VggError('UNAVAILABLE', `Cannot listen at ${wanted}`, { cause }));
      else resolve(bound);
    });
  });
  return socketFile ? { address: host, port: 0 } : { address: `${bracketed}:${String(port)}`, port };
}

// Whether the promise came within the time.
async function within(ms: number, promise: Promise<void>, clock: Clock): Promise<boolean> {
  let cancel = () => {};
  const late = new Promise<boolean>((resolve) => {
    cancel = clock.after(ms, () => {
      resolve(false);
    });
  });
  const done = promise.then(() => true);
  const inTime = await Promise.race([done, late]);
  cancel();
  return inTime;
}
