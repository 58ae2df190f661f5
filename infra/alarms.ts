// What somebody is woken for: each alarm with what it means, and what to do in docs/how-to/operate.md under its title.
// Knows metrics; sends to one topic.

import { Duration, Stack } from 'aws-cdk-lib';
import {
  Alarm,
  ComparisonOperator,
  MathExpression,
  TreatMissingData,
  type IMetric,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { Cluster, FargateService } from 'aws-cdk-lib/aws-ecs';
import { HttpCodeElb } from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { Match, Rule } from 'aws-cdk-lib/aws-events';
import { SnsTopic } from 'aws-cdk-lib/aws-events-targets';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { BACKLOG as ROAD_BACKLOG } from '../services/aggregator/metrics.ts';
import { REQUESTS } from '../services/gateway/metrics.ts';
import { DROPPED, VIEWS, WORKER_FAILURES } from '../services/inference/metrics.ts';
import { taskCount } from './autoscaling.ts';
import type { Edge } from './edge.ts';
import { acknowledge } from './findings.ts';
import { published, type Look } from './observed.ts';
import { PERIOD_SECONDS, SCALED_SERVICES, SCALING, type ScaledService, type Stage } from './scaling.ts';

/** What is watched. */
export interface AlarmsProps {
  stage: Stage;
  cluster: Cluster;
  services: Readonly<Record<ScaledService, FargateService>>;
  edge: Edge;
  topic: ITopic;
  /** Seconds that the gateway gives an answer. */
  deadlineSeconds: number;
}

/** One alarm. Periods are minutes. */
export interface AlarmSpec {
  /** Its name, after the stage's; its title in the how-to. */
  name: string;
  means: string;
  metric: IMetric;
  atLeast: number;
  /** Minutes that must breach, of the same number. */
  minutes: number;
}

const MINUTE = Duration.seconds(PERIOD_SECONDS);

/** The alarms of a stage. */
export function alarmsOf(props: AlarmsProps): AlarmSpec[] {
  const { stage, services, edge, deadlineSeconds } = props;
  const watch = (service: ScaledService, name: string, look: Look) => published(stage, service, name, look);
  const math = (expression: string, usingMetrics: Record<string, IMetric>, label: string) =>
    new MathExpression({ expression, usingMetrics, period: MINUTE, label });
  const { tasks } = SCALING.inference;
  const answered = (status: string) =>
    watch('gateway', REQUESTS, { statistic: 'Sum', by: ['status', status] });
  const targets = [edge.gateway, ...(edge.aggregator ? [edge.aggregator] : [])];
  const unhealthy = Object.fromEntries(
    targets.map((target, i) => [
      `hosts${String(i)}`,
      target.metrics.unhealthyHostCount({ statistic: 'Maximum', period: MINUTE }),
    ]),
  );
  return [
    {
      name: 'internal-errors',
      means: 'Requests were answered with 500: a fault of the services themselves.',
      metric: math('FILL(errors, 0)', { errors: answered('500') }, 'Answers with 500 a minute'),
      atLeast: 1,
      minutes: 3,
    },
    {
      name: 'unavailable',
      means:
        'For a quarter of an hour requests have been answered with 503: longer than anything takes to start.',
      metric: math('FILL(refused, 0)', { refused: answered('503') }, 'Answers with 503 a minute'),
      atLeast: 1,
      minutes: 15,
    },
    {
      name: 'slow',
      means: 'A twentieth of the requests takes longer than half of the time that they have.',
      metric: edge.gateway.metrics.targetResponseTime({ statistic: 'p95', period: MINUTE }),
      atLeast: deadlineSeconds / 2,
      minutes: 5,
    },
    {
      name: 'edge-errors',
      means:
        'The load balancer answered in place of the gateway: no task could be reached, or one broke off.',
      metric: edge.balancer.metrics.httpCodeElb(HttpCodeElb.ELB_5XX_COUNT, {
        statistic: 'Sum',
        period: MINUTE,
      }),
      atLeast: 5,
      minutes: 3,
    },
    {
      name: 'unhealthy-tasks',
      means: 'A task does not answer the load balancer.',
      metric: math(
        Object.keys(unhealthy)
          .map((id) => `FILL(${id}, 0)`)
          .join(' + '),
        unhealthy,
        'Tasks',
      ),
      atLeast: 1,
      minutes: 5,
    },
    {
      name: 'no-progress',
      means:
        'Views have waited for twenty minutes and none was scored: no GPU was to be had, or no task starts.',
      metric: math(
        'IF(FILL(backlog, 0) > 0 AND FILL(views, 0) == 0, 1, 0)',
        {
          backlog: watch('aggregator', ROAD_BACKLOG, { statistic: 'Maximum' }),
          views: watch('inference', VIEWS, { statistic: 'Sum' }),
        },
        'Minutes with a backlog and no view scored',
      ),
      atLeast: 1,
      minutes: 20,
    },
    {
      name: 'missing-tasks',
      means: 'A service has had fewer tasks than it should for twenty minutes.',
      metric: math(
        SCALED_SERVICES.map((name) => `MAX([FILL(${name}Wanted, 0) - FILL(${name}Running, 0), 0])`).join(
          ' + ',
        ),
        Object.fromEntries(
          SCALED_SERVICES.flatMap((name) => [
            [`${name}Wanted`, taskCount(props, name, 'DesiredTaskCount')],
            [`${name}Running`, taskCount(props, name, 'RunningTaskCount')],
          ]),
        ),
        'Tasks wanted that do not run',
      ),
      atLeast: 1,
      minutes: 20,
    },
    {
      name: 'at-the-most',
      means: 'Inference has had as many tasks as it may for half an hour: more load will be refused.',
      metric: taskCount(props, 'inference', 'DesiredTaskCount'),
      atLeast: tasks[stage].max,
      minutes: 30,
    },
    {
      name: 'full-queue',
      means: 'Inference refuses views because its queue is full.',
      metric: math(
        'FILL(dropped, 0)',
        { dropped: watch('inference', DROPPED, { statistic: 'Sum', by: ['code', 'RESOURCE_EXHAUSTED'] }) },
        'Views refused a minute',
      ),
      atLeast: 1,
      minutes: 5,
    },
    {
      name: 'engine-died',
      means: "The engine's worker ended unasked. It is replaced; its batch was tried once more.",
      metric: math(
        'FILL(failures, 0)',
        { failures: watch('inference', WORKER_FAILURES, { statistic: 'Sum' }) },
        'Workers that died',
      ),
      atLeast: 1,
      minutes: 1,
    },
    ...SCALED_SERVICES.filter((name) => name !== 'inference').map((name) => ({
      name: `memory-${name}`,
      means: `A task of ${name} uses nine tenths of its memory.`,
      metric: services[name].metricMemoryUtilization({ statistic: 'Maximum', period: MINUTE }),
      atLeast: 90,
      minutes: 10,
    })),
  ];
}

/** An alarm that tells the topic when it begins and when it ends. */
export function addAlarm(scope: Construct, stage: Stage, topic: ITopic, spec: AlarmSpec): Alarm {
  const { name, means, metric, atLeast, minutes } = spec;
  const alarm = new Alarm(scope, name, {
    alarmName: `vgg-serve-${stage}-${name}`,
    alarmDescription: `${means} What to do: docs/how-to/operate.md, ${name}.`,
    metric,
    threshold: atLeast,
    comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
    evaluationPeriods: minutes,
    datapointsToAlarm: minutes,
    treatMissingData: TreatMissingData.NOT_BREACHING,
  });
  const action = new SnsAction(topic);
  alarm.addAlarmAction(action);
  alarm.addOkAction(action);
  return alarm;
}

/** The alarms of the services, and failed deployments. */
export class Alarms extends Construct {
  readonly alarms: readonly Alarm[];

  constructor(scope: Construct, id: string, props: AlarmsProps) {
    super(scope, id);
    const { stage, cluster, topic } = props;
    this.alarms = alarmsOf(props).map((spec) => addAlarm(this, stage, topic, spec));
    const failed = new Rule(this, 'deployment-failed', {
      description: 'A new version of a service did not start, and ECS went back to the one before.',
      eventPattern: {
        source: ['aws.ecs'],
        detailType: ['ECS Deployment State Change'],
        // The event names the service alone, and that has the cluster's name in it.
        resources: Match.prefix(
          Stack.of(this).formatArn({
            service: 'ecs',
            resource: 'service',
            resourceName: `${cluster.clusterName}/`,
          }),
        ),
        detail: { eventName: ['SERVICE_DEPLOYMENT_FAILED'] },
      },
      // As a role of this rule: EventBridge itself would need the topic to be open to the rules of every account.
      targets: [new SnsTopic(topic, { authorizeUsingRole: true })],
    });
    acknowledge(
      failed,
      'AwsSolutions-IAM5[Action::kms:GenerateDataKey*]',
      "Of the topic's own key alone, whose actions begin so: what it takes to write to an encrypted topic.",
    );
  }
}
