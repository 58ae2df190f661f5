// Metrics of the services that something in a deployment looks at: rules of scaling, alarms, the dashboard. They are
// published to CloudWatch, and no others, as each costs by the month. Names are the services' own constants; a chart or
// an alarm of a metric that is not in this table cannot be made.

import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { Duration } from 'aws-cdk-lib';
import {
  ANSWERS as ROAD_ANSWERS,
  BACKLOG as ROAD_BACKLOG,
  REPLICA_START,
  RETRIES,
  SPARED,
  STAGE_DURATION,
} from '../services/aggregator/metrics.ts';
import {
  ABANDONED,
  ANSWERS as GIVEN_ANSWERS,
  IN_FLIGHT,
  RATE_LIMITED,
  REQUESTS,
} from '../services/gateway/metrics.ts';
import { READY, RPC_REQUESTS } from '../services/host/metrics.ts';
import { SERVICE_DIMENSION } from '../services/host/publishing.ts';
import {
  BACKLOG as QUEUE_BACKLOG,
  BATCH_DURATION,
  BATCH_VIEWS,
  DROPPED,
  QUEUED,
  VIEWS,
  WORKER_FAILURES,
} from '../services/inference/metrics.ts';
import { REFUSED, RUNNING, STEP_DURATION, WAITING } from '../services/preprocess/metrics.ts';
import { VggError, expected } from '../vgg/errors.ts';
import {
  PERIOD_SECONDS,
  SCALED_SERVICES,
  SCALING,
  type MetricSource,
  type ScaledService,
  type Stage,
} from './scaling.ts';

const sumAndCount = (histogram: string) => [`${histogram}_sum`, `${histogram}_count`];

// What alarms and the dashboard look at, beside what the rules of scaling need.
const WATCHED: Readonly<Record<ScaledService, readonly string[]>> = {
  gateway: [REQUESTS, `${REQUESTS}{status}`, IN_FLIGHT, ABANDONED, RATE_LIMITED, `${GIVEN_ANSWERS}{source}`],
  aggregator: [
    READY,
    `${RPC_REQUESTS}{code}`,
    ROAD_ANSWERS,
    ...[ROAD_BACKLOG, REPLICA_START, `${RETRIES}{stage}`, SPARED],
    ...sumAndCount(STAGE_DURATION).map((name) => `${name}{stage}`),
  ],
  preprocess: [READY, RUNNING, WAITING, `${REFUSED}{code}`, ...sumAndCount(STEP_DURATION)],
  inference: [
    READY,
    ...[VIEWS, QUEUE_BACKLOG, QUEUED, WORKER_FAILURES, `${DROPPED}{code}`],
    ...sumAndCount(BATCH_VIEWS),
    ...sumAndCount(BATCH_DURATION),
  ],
};

/** The selectors that each service is told to publish (VGG_METRICS_PUBLISH), each once. */
export const PUBLISHED: Readonly<Record<ScaledService, readonly string[]>> = publishedOf();

function publishedOf(): Record<ScaledService, string[]> {
  const all = Object.fromEntries(SCALED_SERVICES.map((name) => [name, new Set(WATCHED[name])])) as Record<
    ScaledService,
    Set<string>
  >;
  for (const { source, service, name } of scalingSources())
    if (source === 'published') all[service].add(name);
  return Object.fromEntries(SCALED_SERVICES.map((name) => [name, [...all[name]]])) as Record<
    ScaledService,
    string[]
  >;
}

function scalingSources(): MetricSource[] {
  return SCALED_SERVICES.flatMap((service) =>
    SCALING[service].rules.flatMap(({ metric }) =>
      typeof metric === 'string' ? [] : Object.values(metric.metrics),
    ),
  );
}

/** Namespace of a stage's metrics. */
export function namespaceOf(stage: Stage): string {
  return `vgg-serve/${stage}`;
}

/** How a metric is looked at. */
export interface Look {
  statistic: 'Sum' | 'Average' | 'Maximum' | 'Minimum' | 'SampleCount';
  /** A value of a label, where the metric is published by it. */
  by?: readonly [label: string, value: string];
  label?: string;
  color?: string;
}

/**
 * A metric that a service publishes.
 *
 * @throws VggError INTERNAL for one that is not in the table
 */
export function published(stage: Stage, service: ScaledService, name: string, look: Look): Metric {
  const { statistic, by, label, color } = look;
  const selector = by ? `${name}{${by[0]}}` : name;
  if (!PUBLISHED[service].includes(selector))
    throw new VggError('INTERNAL', expected(`a published metric of ${service}`, selector, 'name').message);
  return new Metric({
    namespace: namespaceOf(stage),
    metricName: name,
    dimensionsMap: { [SERVICE_DIMENSION]: service, ...(by && { [by[0]]: by[1] }) },
    statistic,
    period: Duration.seconds(PERIOD_SECONDS),
    ...(label !== undefined && { label }),
    ...(color !== undefined && { color }),
  });
}
