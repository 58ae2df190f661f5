// One page that says how a stage is: what is asked, where answers' time goes, what waits, what runs, what is woken for.
// Every series is a metric that a service publishes or that AWS has; names are constants, never typed here.

import { Duration } from 'aws-cdk-lib';
import {
  AlarmStatusWidget,
  Dashboard,
  GraphWidget,
  MathExpression,
  TextWidget,
  type Alarm,
  type IMetric,
  type IWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { Cluster, FargateService } from 'aws-cdk-lib/aws-ecs';
import { Construct } from 'constructs';
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
  ANSWERS as GIVEN,
  IN_FLIGHT,
  RATE_LIMITED,
  REQUESTS,
} from '../services/gateway/metrics.ts';
import { READY, RPC_REQUESTS } from '../services/host/metrics.ts';
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
import { taskCount } from './autoscaling.ts';
import type { Edge } from './edge.ts';
import { published, type Look } from './observed.ts';
import { PERIOD_SECONDS, SCALED_SERVICES, type ScaledService, type Stage } from './scaling.ts';

/** What is shown. */
export interface ServingDashboardProps {
  stage: Stage;
  cluster: Cluster;
  services: Readonly<Record<ScaledService, FargateService>>;
  edge: Edge;
  alarms: readonly Alarm[];
}

const MINUTE = Duration.seconds(PERIOD_SECONDS);
const WIDTH = 6;
const HEIGHT = 6;

/** The dashboard `vgg-serve-STAGE`. */
export class ServingDashboard extends Construct {
  constructor(scope: Construct, id: string, props: ServingDashboardProps) {
    super(scope, id);
    new Dashboard(this, 'Dashboard', {
      dashboardName: `vgg-serve-${props.stage}`,
      defaultInterval: Duration.hours(3),
      widgets: rowsOf(props),
    });
  }
}

function rowsOf(props: ServingDashboardProps): IWidget[][] {
  const { stage, services, edge, alarms } = props;
  const of = (service: ScaledService, name: string, look: Look) => published(stage, service, name, look);
  const sum = (service: ScaledService, name: string, label: string) =>
    of(service, name, { statistic: 'Sum', label });
  const by = (service: ScaledService, name: string, label: string, values: readonly string[]) =>
    values.map((value) => of(service, name, { statistic: 'Sum', by: [label, value], label: value }));
  // The mean of what a histogram has seen.
  const mean = (service: ScaledService, histogram: string, label: string, value?: string) => {
    const look: Look = { statistic: 'Sum', ...(value !== undefined && { by: ['stage', value] }) };
    // Names of a chart's series must differ.
    const id = label.replaceAll(' ', '_');
    return new MathExpression({
      expression: `${id}_total / ${id}_count`,
      usingMetrics: {
        [`${id}_total`]: of(service, `${histogram}_sum`, look),
        [`${id}_count`]: of(service, `${histogram}_count`, look),
      },
      period: MINUTE,
      label,
    });
  };
  const time = (statistic: string) =>
    edge.gateway.metrics.targetResponseTime({ statistic, period: MINUTE, label: statistic });
  const wanted = (name: ScaledService) => taskCount(props, name, 'DesiredTaskCount', `${name} wanted`);
  const running = (name: ScaledService) => taskCount(props, name, 'RunningTaskCount', `${name} running`);
  const cpu = (name: ScaledService) =>
    services[name].metricCpuUtilization({ statistic: 'Average', period: MINUTE, label: name });
  const memory = (name: ScaledService) =>
    services[name].metricMemoryUtilization({ statistic: 'Maximum', period: MINUTE, label: name });
  return [
    [new AlarmStatusWidget({ title: 'Alarms', alarms: [...alarms], width: 4 * WIDTH, height: 3 })],
    part('What is asked', 'the gateway'),
    [
      chart(
        'Answers by status',
        by('gateway', REQUESTS, 'status', ['200', '400', '413', '415', '429', '500', '503', '504']),
      ),
      chart('Seconds to the first byte', ['p50', 'p95', 'p99'].map(time)),
      chart(
        'Photos by where their answers came from',
        by('gateway', GIVEN, 'source', ['hit', 'miss', 'coalesced', 'bypass']),
      ),
      chart('In flight, gone, held back', [
        of('gateway', IN_FLIGHT, { statistic: 'Maximum', label: 'in flight, most of a task' }),
        sum('gateway', ABANDONED, 'clients that went away'),
        sum('gateway', RATE_LIMITED, 'too many'),
        sum('gateway', REQUESTS, 'requests'),
      ]),
    ],
    part('The road', 'the aggregator and preprocess'),
    [
      chart(
        'Mean seconds of a stage',
        ['prepare', 'queue', 'compute', 'total'].map((value) =>
          mean('aggregator', STAGE_DURATION, value, value),
        ),
      ),
      chart(
        'Calls by outcome',
        by('aggregator', RPC_REQUESTS, 'code', [
          'OK',
          'UNAVAILABLE',
          'DEADLINE_EXCEEDED',
          'RESOURCE_EXHAUSTED',
          'CANCELLED',
          'INTERNAL',
        ]),
      ),
      chart('Answers, and views spared and lost calls', [
        sum('aggregator', ROAD_ANSWERS, 'answers'),
        sum('aggregator', SPARED, 'views spared'),
        ...by('aggregator', RETRIES, 'stage', ['model', 'prepare', 'score']),
      ]),
      chart('Preprocess', [
        of('preprocess', RUNNING, { statistic: 'Maximum', label: 'photos in work, most of a task' }),
        of('preprocess', WAITING, { statistic: 'Maximum', label: 'photos waiting, most of a task' }),
        mean('preprocess', STEP_DURATION, 'mean seconds of a step'),
        ...by('preprocess', REFUSED, 'code', [
          'INVALID_ARGUMENT',
          'UNSUPPORTED_FORMAT',
          'RESOURCE_EXHAUSTED',
        ]),
      ]),
    ],
    part('Views', 'inference, on GPUs'),
    [
      chart('Views scored a minute', [sum('inference', VIEWS, 'views')]),
      chart('What waits', [
        of('aggregator', ROAD_BACKLOG, { statistic: 'Maximum', label: 'on the road, most of a task' }),
        of('inference', QUEUE_BACKLOG, {
          statistic: 'Maximum',
          label: 'could be computed now, most of a task',
        }),
        of('inference', QUEUED, { statistic: 'Maximum', label: 'hold a place, most of a task' }),
      ]),
      chart('Batches', [
        mean('inference', BATCH_VIEWS, 'mean views'),
        mean('inference', BATCH_DURATION, 'mean seconds'),
      ]),
      chart('Dropped, and workers that died', [
        ...by('inference', DROPPED, 'code', [
          'CANCELLED',
          'DEADLINE_EXCEEDED',
          'RESOURCE_EXHAUSTED',
          'UNAVAILABLE',
          'INTERNAL',
        ]),
        sum('inference', WORKER_FAILURES, 'workers'),
      ]),
    ],
    part('What runs', 'tasks'),
    [
      chart('Inference: tasks', [
        wanted('inference'),
        running('inference'),
        of('inference', READY, { statistic: 'Sum', label: 'ready' }),
      ]),
      chart('Other tasks', SCALED_SERVICES.filter((name) => name !== 'inference').map(running)),
      chart('CPU, percent', SCALED_SERVICES.map(cpu)),
      chart('Memory, percent, most of a task', SCALED_SERVICES.map(memory)),
    ],
    [
      chart('Seconds from the first photo at zero to an answer of inference', [
        of('aggregator', REPLICA_START, { statistic: 'Maximum', label: 'last start' }),
      ]),
      chart('Ready tasks', [
        of('aggregator', READY, { statistic: 'Sum', label: 'aggregator' }),
        of('preprocess', READY, { statistic: 'Sum', label: 'preprocess' }),
      ]),
    ],
  ];
}

function part(title: string, of: string): IWidget[] {
  return [new TextWidget({ markdown: `## ${title}\n${of}`, width: 4 * WIDTH, height: 2 })];
}

function chart(title: string, left: IMetric[]): GraphWidget {
  return new GraphWidget({
    title,
    left,
    width: WIDTH,
    height: HEIGHT,
    period: MINUTE,
    leftYAxis: { min: 0 },
  });
}
