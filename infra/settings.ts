// What each service is told, and every time that depends on another: one place, so that no hop gives up before the one
// behind it. Knows variables and deadlines; nothing of AWS.

import { aggregatorVariables } from '../services/aggregator/config.ts';
import { gatewayVariables } from '../services/gateway/config.ts';
import { envName } from '../services/host/env.ts';
import { inferenceVariables } from '../services/inference/config.ts';
import { preprocessVariables } from '../services/preprocess/config.ts';
import type { Deployment } from './config.ts';
import { environmentOf, seconds, type Settings } from './environment.ts';
import { namespaceOf, PUBLISHED } from './observed.ts';
import { PERIOD_SECONDS, type ScaledService } from './scaling.ts';

const SECOND = 1000;
// Between two that wait for each other: who is asked gives up first.
const SLACK = 10;
/** Seconds: the most that ECS has between SIGTERM and SIGKILL; a spot instance is gone after as long. */
export const MOST_STOP = 120;

const gatewayDeadline = gatewayVariables.deadline.default / SECOND;
const longestCall = aggregatorVariables.maxDeadline.default / SECOND;
const edgeIdle = longestCall + SLACK;
const drain = {
  gateway: gatewayVariables.drain.default / SECOND,
  aggregator: aggregatorVariables.drain.default / SECOND,
  preprocess: preprocessVariables.drain.default / SECOND,
  // What a GPU has in hand, and what is queued for it, in the two minutes that a spot instance has.
  inference: 90,
} satisfies Record<ScaledService, number>;

/** Seconds. */
export const TIMES = {
  /** The gateway's, for an answer. */
  gatewayDeadline,
  /** The longest call that any service takes: the mesh must not end it (its default is 15 s). */
  meshRequest: longestCall + SLACK,
  /** A connection without a byte, in the mesh: not before a call on it ends. */
  meshIdle: longestCall + 2 * SLACK,
  /** A connection without a byte, at the load balancer: an answer may take as long as a call. */
  edgeIdle,
  /** The gateway's own idle connections: the load balancer must be the one that closes them, or requests are lost. */
  gatewayIdle: edgeIdle + SLACK,
  /** A target that leaves: not before the answers that it has in hand. It is let go sooner if it has none. */
  leave: gatewayDeadline + SLACK,
  drain,
  /** From SIGTERM to SIGKILL. */
  stop: Object.fromEntries(
    Object.entries(drain).map(([service, time]) => [service, Math.min(MOST_STOP, time + SLACK)]),
  ) as Record<ScaledService, number>,
  /** Until a task of inference is healthy: its image, its models, its engine. */
  inferenceStart: 300,
} as const;

/** What the stack knows that settings do not. */
export interface SettingsContext {
  ports: Readonly<Record<ScaledService, number>>;
  /** `s3://BUCKET/PREFIX`: folders of models. */
  modelsSource: string;
}

/** Port of /metrics and probes beside the gRPC services. */
export const METRICS_PORT = 9090;
/** Folder of a task that models are fetched into. */
export const MODELS_FOLDER = '/models';

/** The environment of each service's task, and names of variables that are set elsewhere. */
export type AllSettings = Readonly<Record<ScaledService, Record<string, string>>> & {
  readonly names: { readonly apiKeyLines: string };
};

/**
 * The environment of each service's task.
 *
 * @throws VggError INVALID_ARGUMENT for a value that a service would refuse
 */
export function settingsOf(deployment: Deployment, { ports, modelsSource }: SettingsContext): AllSettings {
  const { stage } = deployment;
  const at = (service: ScaledService) => `${service}:${String(ports[service])}`;
  const host = (service: ScaledService) => ({
    host: '0.0.0.0',
    port: String(ports[service]),
    drain: seconds(drain[service]),
    metricsPublish: PUBLISHED[service].join(','),
    metricsNamespace: namespaceOf(stage),
    metricsInterval: seconds(PERIOD_SECONDS),
  });
  const metricsPort = String(METRICS_PORT);
  const gateway: Settings<typeof gatewayVariables> = {
    ...host('gateway'),
    aggregator: at('aggregator'),
    inference: at('inference'),
    keepAlive: seconds(TIMES.gatewayIdle),
    // The load balancer, which says who asked.
    trustedProxies: deployment.cidr,
  };
  const aggregator: Settings<typeof aggregatorVariables> = {
    ...host('aggregator'),
    metricsPort,
    preprocess: at('preprocess'),
    inference: at('inference'),
    // Until one was measured: an instance, an image, models.
    replicaStart: seconds(TIMES.inferenceStart),
  };
  const inference = { ...host('inference'), metricsPort, ...computing(deployment, modelsSource) };
  return {
    gateway: environmentOf('gateway', gatewayVariables, gateway),
    aggregator: environmentOf('aggregator', aggregatorVariables, aggregator),
    preprocess: environmentOf('preprocess', preprocessVariables, { ...host('preprocess'), metricsPort }),
    inference: environmentOf('inference', inferenceVariables, inference),
    names: { apiKeyLines: envName('gateway', gatewayVariables, 'apiKeyLines') },
  };
}

/**
 * The environment of a task of bulk scoring: it has all services in one process, each with its defaults but what computes.
 * It publishes no metric: those of inference are what the services scale by.
 */
export function bulkSettings(deployment: Deployment, modelsSource: string): Record<string, string> {
  return environmentOf('inference', inferenceVariables, computing(deployment, modelsSource));
}

function computing(deployment: Deployment, modelsSource: string): Settings<typeof inferenceVariables> {
  return {
    engine: 'tensorflow',
    // Never the CPU in silence.
    device: 'gpu',
    models: MODELS_FOLDER,
    modelsSource,
    load: deployment.models.join(','),
  };
}
