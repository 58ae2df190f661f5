// The variables that every service has, because it stands on this host.

import { LOG_LEVELS } from './log.ts';
import type { EnvValues } from './env.ts';
import { publishingVariables } from './publishing.ts';
import { bytes, choice, duration, integer, path, text } from './variables.ts';

const HOUR_MS = 3_600_000;
const KIB = 1024;

/** The host's part of a service's spec: `{ ...hostVariables({ port: 50051 }), threads: integer(…) }`. */
export function hostVariables(defaults: { port: number }) {
  return {
    host: text({
      description: 'Address to listen at, or unix:/path for a socket file.',
      default: '127.0.0.1',
      expects: 'an address or unix:/path',
    }),
    port: integer({
      description: 'Port to listen at; 0 takes any free one.',
      default: defaults.port,
      min: 0,
      max: 65_535,
    }),
    metricsPort: integer({
      description:
        'Port of /metrics, /healthz and /readyz (HTTP); not served unless set; 0 takes any free one.',
      default: undefined,
      min: 0,
      max: 65_535,
    }),
    ...publishingVariables,
    logLevel: choice({
      description: 'Least severe log lines that are written.',
      default: 'info',
      of: LOG_LEVELS,
      shared: true,
    }),
    tlsCert: path({
      description: "The server's certificate chain, PEM; with tlsKey it turns TLS on.",
      default: undefined,
      shared: true,
    }),
    tlsKey: path({ description: "The server's private key, PEM.", default: undefined, shared: true }),
    tlsClientCa: path({
      description: 'Authorities whose certificates clients must show (mutual TLS), PEM.',
      default: undefined,
      shared: true,
    }),
    maxMessage: bytes({
      description: 'Largest message that is received.',
      default: 64 * KIB ** 2,
      min: 64 * KIB,
      max: KIB ** 3,
    }),
    maxStreams: integer({
      description: 'Calls that one connection may have at a time.',
      default: 100,
      min: 1,
      max: 100_000,
    }),
    connectionAge: duration({
      description: 'Age at which a connection is closed, so that clients spread over new replicas.',
      default: HOUR_MS / 12,
      min: 1000,
      max: 24 * HOUR_MS,
    }),
    connectionAgeGrace: duration({
      description: 'Time that calls on a connection past its age have to finish.',
      default: HOUR_MS / 12,
      min: 1000,
      max: 24 * HOUR_MS,
    }),
    deadline: duration({
      description: 'Time for a call whose client sets no deadline.',
      default: 60_000,
      min: 1,
      max: HOUR_MS,
    }),
    maxDeadline: duration({
      description: 'Most time for a call, whatever its client asks.',
      default: HOUR_MS / 6,
      min: 1,
      max: 24 * HOUR_MS,
    }),
    drain: duration({
      description: 'Time that calls in flight have to finish when the process is told to end.',
      default: 30_000,
      max: HOUR_MS,
    }),
  };
}

/** Values of {@link hostVariables}: what a server is told. Durations in milliseconds, sizes in bytes. */
export type HostConfig = EnvValues<ReturnType<typeof hostVariables>>;

/** A host config with every default, on any free port: for tests and for one process that holds all services. */
export function hostDefaults(config: Partial<HostConfig> = {}): HostConfig {
  const variables = hostVariables({ port: 0 });
  const defaults = Object.fromEntries(Object.entries(variables).map(([name, each]) => [name, each.default]));
  return { ...defaults, ...config } as HostConfig;
}
