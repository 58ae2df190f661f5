// When how many tasks of a service run: the rules, as data. The app that deploys turns them into alarms and policies,
// the simulation acts by them (infra/scaling/autoscaler.ts); neither has a rule of its own. Knows no cloud and no clock.
//
// Names and values are those of Application Auto Scaling and CloudWatch: a step rule is an alarm and a StepScaling
// policy, a tracking rule is a TargetTrackingScaling policy, which brings its two alarms along.

import { BACKLOG as ROAD_BACKLOG, RETRIES } from '../services/aggregator/metrics.ts';
import { MODELS_AWAITED } from '../services/gateway/metrics.ts';
import { BACKLOG as QUEUE_BACKLOG, BATCH_DURATION, VIEWS } from '../services/inference/metrics.ts';

/** Services that scale, each by itself. */
export type ScaledService = 'gateway' | 'preprocess' | 'aggregator' | 'inference';

/** Deployments that differ in size. */
export type Stage = 'dev' | 'prod';

/** All of {@link ScaledService}, in the order of the road. */
export const SCALED_SERVICES: readonly ScaledService[] = ['gateway', 'aggregator', 'preprocess', 'inference'];

/** Seconds of all metrics and alarms: CloudWatch's standard resolution. */
export const PERIOD_SECONDS = 60;

/** A series of CloudWatch that a rule reads. */
export interface MetricSource {
  /**
   * `published`: a service's own metric of that name, over all of its tasks; of a counter what it grew by between two
   * publications. `tasks`: DesiredTaskCount of the service, from Container Insights.
   */
  source: 'published' | 'tasks';
  service: ScaledService;
  /** Of Prometheus, or DesiredTaskCount. A histogram's sum is a counter named …_sum. */
  name: string;
  kind: 'gauge' | 'counter';
  statistic: 'Average' | 'Maximum' | 'Sum';
}

/** What an alarm looks at: series by the name that the expression has for them. */
export interface AlarmMetric {
  metrics: Readonly<Record<string, MetricSource>>;
  /** CloudWatch metric math over those names. */
  expression: string;
  /** The same, for the simulation; undefined: no datapoint. A series without data in a period is undefined. */
  value(series: Readonly<Record<string, number | undefined>>): number | undefined;
  /** For people. */
  label: string;
}

/** A step of a StepScaling policy: bounds are relative to the alarm's threshold; absent: without end. */
export interface ScalingStep {
  /** MetricIntervalLowerBound, included. */
  lower?: number;
  /** MetricIntervalUpperBound, not included. */
  upper?: number;
  /** ScalingAdjustment, in the policy's adjustment type. */
  adjustment: number;
}

/** An alarm and its StepScaling policy. */
export interface StepRule {
  type: 'step';
  /** Part of the names of alarm and policy. */
  name: string;
  metric: AlarmMetric;
  comparison: 'GreaterThanOrEqualToThreshold' | 'LessThanOrEqualToThreshold';
  threshold: number;
  /** Datapoints of {@link PERIOD_SECONDS} that must breach, of so many. */
  datapointsToAlarm: number;
  evaluationPeriods: number;
  treatMissingData: 'notBreaching' | 'breaching' | 'ignore' | 'missing';
  adjustmentType: 'ChangeInCapacity' | 'PercentChangeInCapacity' | 'ExactCapacity';
  /** Only of PercentChangeInCapacity: least number of tasks it changes by. */
  minAdjustmentMagnitude?: number;
  /** MetricAggregationType of the policy. */
  aggregation: 'Average' | 'Maximum';
  steps: readonly ScalingStep[];
  cooldownSeconds: number;
}

/** A TargetTrackingScaling policy. */
export interface TrackingRule {
  type: 'tracking';
  name: string;
  /** A predefined metric of ECS, percent of the task's CPU; or one of its own. */
  metric: 'ECSServiceAverageCPUUtilization' | AlarmMetric;
  target: number;
  scaleOutCooldownSeconds: number;
  scaleInCooldownSeconds: number;
}

/** A rule by which a service scales. */
export type ScalingRule = StepRule | TrackingRule;

/** How a service scales. */
export interface Scaling {
  /** Least and most tasks. */
  tasks: Readonly<Record<Stage, { min: number; max: number }>>;
  /** What one task has; of inference, which is placed on instances of its own, undefined. */
  size: { vcpu: number; memoryGb: number } | undefined;
  rules: readonly ScalingRule[];
}

// Part of the time in which engines should have a batch: above it, waiting grows faster than work.
const BUSY_PERCENT = 70;
// Minutes without a view before the last GPU goes: an hour's GPU costs more than a start, a start more than minutes.
const IDLE_MINUTES = 15;
// A GPU task takes about so long to start: what is on its way is counted until then.
const START_SECONDS = 300;
// Views that a task may have waiting before target tracking's three minutes are too long: an eighth of its queue.
const SURGE_VIEWS = 512;

const series = (
  service: ScaledService,
  name: string,
  kind: MetricSource['kind'],
  statistic: MetricSource['statistic'],
): MetricSource => ({ source: 'published', service, name, kind, statistic });

const roadBacklog = series('aggregator', ROAD_BACKLOG, 'gauge', 'Maximum');
const lost = series('aggregator', RETRIES, 'counter', 'Sum');
const asked = series('gateway', MODELS_AWAITED, 'counter', 'Sum');
const viewsScored = series('inference', VIEWS, 'counter', 'Sum');
const desired: MetricSource = {
  source: 'tasks',
  service: 'inference',
  name: 'DesiredTaskCount',
  kind: 'gauge',
  statistic: 'Average',
};

// From zero. Without a task a call of inference is lost at once, so a photo is seen as views that wait or, more
// often, as calls that were begun again. Somebody may want to see the models first, and nobody know them yet. Where a
// task is on its way there is nothing to wake.
const wake: StepRule = {
  type: 'step',
  name: 'wake',
  metric: {
    metrics: { backlog: roadBacklog, lost, asked, tasks: desired },
    expression: 'IF(FILL(tasks, 0) < 1, FILL(backlog, 0) + FILL(lost, 0) + FILL(asked, 0), 0)',
    value: ({ backlog = 0, lost: calls = 0, asked: lists = 0, tasks = 0 }) =>
      tasks < 1 ? backlog + calls + lists : 0,
    label: 'Views that wait, calls lost, and models asked for, while no task of inference is wanted',
  },
  comparison: 'GreaterThanOrEqualToThreshold',
  threshold: 1,
  datapointsToAlarm: 1,
  evaluationPeriods: 1,
  treatMissingData: 'notBreaching',
  adjustmentType: 'ChangeInCapacity',
  aggregation: 'Maximum',
  steps: [
    { lower: 0, upper: 2 * SURGE_VIEWS, adjustment: 1 },
    { lower: 2 * SURGE_VIEWS, adjustment: 2 },
  ],
  cooldownSeconds: START_SECONDS,
};

// A crowd: more waits than a task computes in seconds. Quicker than target tracking, and not bounded by a metric that
// cannot say more than "always busy".
const surge: StepRule = {
  type: 'step',
  name: 'surge',
  metric: {
    metrics: { backlog: series('inference', QUEUE_BACKLOG, 'gauge', 'Average') },
    expression: 'backlog',
    value: ({ backlog }) => backlog,
    label: 'Views that wait, a task',
  },
  comparison: 'GreaterThanOrEqualToThreshold',
  threshold: SURGE_VIEWS,
  datapointsToAlarm: 2,
  evaluationPeriods: 2,
  treatMissingData: 'notBreaching',
  adjustmentType: 'PercentChangeInCapacity',
  minAdjustmentMagnitude: 1,
  aggregation: 'Average',
  steps: [
    { lower: 0, upper: 3 * SURGE_VIEWS, adjustment: 50 },
    { lower: 3 * SURGE_VIEWS, adjustment: 100 },
  ],
  cooldownSeconds: START_SECONDS,
};

// The busy part is what load divided by tasks is, whatever the model, the protocol and the GPU. It is divided by the
// tasks that are wanted: those on their way are not asked for twice.
const busy: TrackingRule = {
  type: 'tracking',
  name: 'busy',
  metric: {
    metrics: {
      busy: series('inference', `${BATCH_DURATION}_sum`, 'counter', 'Sum'),
      tasks: desired,
    },
    expression: `100 * busy / (${String(PERIOD_SECONDS)} * tasks)`,
    value: ({ busy: seconds, tasks = 0 }) =>
      seconds === undefined || tasks === 0 ? undefined : (100 * seconds) / (PERIOD_SECONDS * tasks),
    label: 'Percent of the time in which engines had a batch',
  },
  target: BUSY_PERCENT,
  scaleOutCooldownSeconds: START_SECONDS,
  scaleInCooldownSeconds: START_SECONDS,
};

// To zero (or the least number). A gauge may miss short photos between its publications, a counter does not. What wakes
// must be in it: else this would undo it within the minute.
const idle: StepRule = {
  type: 'step',
  name: 'idle',
  metric: {
    metrics: { views: viewsScored, backlog: roadBacklog, lost, asked },
    expression: 'FILL(views, 0) + FILL(backlog, 0) + FILL(lost, 0) + FILL(asked, 0)',
    value: ({ views = 0, backlog = 0, lost: calls = 0, asked: lists = 0 }) => views + backlog + calls + lists,
    label: 'Views scored or waited for, calls lost, and models asked for',
  },
  comparison: 'LessThanOrEqualToThreshold',
  threshold: 0,
  datapointsToAlarm: IDLE_MINUTES,
  evaluationPeriods: IDLE_MINUTES,
  treatMissingData: 'notBreaching',
  adjustmentType: 'ExactCapacity',
  aggregation: 'Maximum',
  steps: [{ upper: 0, adjustment: 0 }],
  cooldownSeconds: PERIOD_SECONDS,
};

// Below the point at which one event loop, or as many decodings as there are cores, make requests wait for long.
const cpu: TrackingRule = {
  type: 'tracking',
  name: 'cpu',
  metric: 'ECSServiceAverageCPUUtilization',
  target: 60,
  scaleOutCooldownSeconds: 60,
  scaleInCooldownSeconds: 300,
};

/** The rules of every service. */
export const SCALING: Readonly<Record<ScaledService, Scaling>> = {
  gateway: {
    tasks: { dev: { min: 1, max: 2 }, prod: { min: 2, max: 20 } },
    size: { vcpu: 1, memoryGb: 2 },
    rules: [cpu],
  },
  aggregator: {
    tasks: { dev: { min: 1, max: 2 }, prod: { min: 2, max: 40 } },
    size: { vcpu: 1, memoryGb: 2 },
    rules: [cpu],
  },
  preprocess: {
    tasks: { dev: { min: 1, max: 2 }, prod: { min: 2, max: 60 } },
    size: { vcpu: 2, memoryGb: 4 },
    rules: [cpu],
  },
  inference: {
    tasks: { dev: { min: 0, max: 2 }, prod: { min: 1, max: 40 } },
    size: undefined,
    rules: [wake, surge, busy, idle],
  },
};
