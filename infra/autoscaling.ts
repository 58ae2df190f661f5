// The rules of scaling.ts as alarms and policies of Application Auto Scaling. Has no rule, no figure and no name of its
// own.

import { Duration } from 'aws-cdk-lib';
import { CfnScalingPolicy, ScalableTarget, ServiceNamespace } from 'aws-cdk-lib/aws-applicationautoscaling';
import {
  Alarm,
  ComparisonOperator,
  MathExpression,
  Metric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { Cluster, FargateService } from 'aws-cdk-lib/aws-ecs';
import { Construct } from 'constructs';
import { namespaceOf, published } from './observed.ts';
import { SERVICE_DIMENSION } from '../services/host/publishing.ts';
import {
  PERIOD_SECONDS,
  SCALING,
  type AlarmMetric,
  type MetricSource,
  type ScaledService,
  type Stage,
  type StepRule,
  type TrackingRule,
} from './scaling.ts';

/** Whose tasks are counted. */
export interface AutoscalingProps {
  stage: Stage;
  cluster: Cluster;
  /** The four services: a rule of one may look at another. */
  services: Readonly<Record<ScaledService, FargateService>>;
  service: ScaledService;
}

const INSIGHTS = 'ECS/ContainerInsights';

const COMPARISONS: Record<StepRule['comparison'], ComparisonOperator> = {
  GreaterThanOrEqualToThreshold: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
  LessThanOrEqualToThreshold: ComparisonOperator.LESS_THAN_OR_EQUAL_TO_THRESHOLD,
};

const MISSING: Record<StepRule['treatMissingData'], TreatMissingData> = {
  notBreaching: TreatMissingData.NOT_BREACHING,
  breaching: TreatMissingData.BREACHING,
  ignore: TreatMissingData.IGNORE,
  missing: TreatMissingData.MISSING,
};

/** A number of tasks, from Container Insights. */
export function taskCount(
  { cluster, services }: Pick<AutoscalingProps, 'cluster' | 'services'>,
  service: ScaledService,
  name: 'DesiredTaskCount' | 'RunningTaskCount',
  label = name as string,
): Metric {
  return new Metric({
    namespace: INSIGHTS,
    metricName: name,
    dimensionsMap: { ClusterName: cluster.clusterName, ServiceName: services[service].serviceName },
    statistic: 'Average',
    period: Duration.seconds(PERIOD_SECONDS),
    label,
  });
}

/** How one service scales. */
export class Autoscaling extends Construct {
  readonly target: ScalableTarget;

  constructor(scope: Construct, id: string, props: AutoscalingProps) {
    super(scope, id);
    const { stage, cluster, services, service } = props;
    const { tasks, rules } = SCALING[service];
    this.target = new ScalableTarget(this, 'Tasks', {
      serviceNamespace: ServiceNamespace.ECS,
      scalableDimension: 'ecs:service:DesiredCount',
      resourceId: `service/${cluster.clusterName}/${services[service].serviceName}`,
      minCapacity: tasks[stage].min,
      maxCapacity: tasks[stage].max,
    });
    for (const rule of rules) {
      if (rule.type === 'step') this.#step(rule, props);
      else this.#track(rule, props);
    }
  }

  #step(rule: StepRule, props: AutoscalingProps): void {
    const { stage, service } = props;
    const policyName = `vgg-serve-${stage}-${service}-${rule.name}`;
    const policy = new CfnScalingPolicy(this, `Policy-${rule.name}`, {
      policyName,
      policyType: 'StepScaling',
      scalingTargetId: this.target.scalableTargetId,
      stepScalingPolicyConfiguration: {
        adjustmentType: rule.adjustmentType,
        cooldown: rule.cooldownSeconds,
        metricAggregationType: rule.aggregation,
        ...(rule.minAdjustmentMagnitude !== undefined && {
          minAdjustmentMagnitude: rule.minAdjustmentMagnitude,
        }),
        stepAdjustments: rule.steps.map(({ lower, upper, adjustment }) => ({
          scalingAdjustment: adjustment,
          ...(lower !== undefined && { metricIntervalLowerBound: lower }),
          ...(upper !== undefined && { metricIntervalUpperBound: upper }),
        })),
      },
    });
    const alarm = new Alarm(this, `Alarm-${rule.name}`, {
      alarmName: policyName,
      alarmDescription: `Scales ${service}: ${rule.metric.label}`,
      metric: mathOf(rule.metric, props),
      comparisonOperator: COMPARISONS[rule.comparison],
      threshold: rule.threshold,
      datapointsToAlarm: rule.datapointsToAlarm,
      evaluationPeriods: rule.evaluationPeriods,
      treatMissingData: MISSING[rule.treatMissingData],
    });
    alarm.addAlarmAction({ bind: () => ({ alarmActionArn: policy.ref }) });
  }

  #track(rule: TrackingRule, props: AutoscalingProps): void {
    const { stage, service } = props;
    new CfnScalingPolicy(this, `Policy-${rule.name}`, {
      policyName: `vgg-serve-${stage}-${service}-${rule.name}`,
      policyType: 'TargetTrackingScaling',
      scalingTargetId: this.target.scalableTargetId,
      targetTrackingScalingPolicyConfiguration: {
        targetValue: rule.target,
        scaleOutCooldown: rule.scaleOutCooldownSeconds,
        scaleInCooldown: rule.scaleInCooldownSeconds,
        ...(typeof rule.metric === 'string'
          ? { predefinedMetricSpecification: { predefinedMetricType: rule.metric } }
          : { customizedMetricSpecification: { metrics: queriesOf(rule.metric, props) } }),
      },
    });
  }
}

function metricOf(source: MetricSource, props: AutoscalingProps): Metric {
  const { service, name, statistic } = source;
  if (source.source === 'published') return published(props.stage, service, name, { statistic });
  return taskCount(props, service, name as 'DesiredTaskCount');
}

function mathOf(metric: AlarmMetric, props: AutoscalingProps): MathExpression {
  return new MathExpression({
    expression: metric.expression,
    usingMetrics: Object.fromEntries(
      Object.entries(metric.metrics).map(([id, source]) => [id, metricOf(source, props)]),
    ),
    period: Duration.seconds(PERIOD_SECONDS),
    label: metric.label,
  });
}

// The same, as target tracking wants it.
function queriesOf(
  metric: AlarmMetric,
  props: AutoscalingProps,
): CfnScalingPolicy.TargetTrackingMetricDataQueryProperty[] {
  const { stage, cluster, services } = props;
  const dimensionsOf = ({ source, service }: MetricSource) =>
    source === 'published'
      ? [{ name: SERVICE_DIMENSION, value: service }]
      : [
          { name: 'ClusterName', value: cluster.clusterName },
          { name: 'ServiceName', value: services[service].serviceName },
        ];
  const series = Object.entries(metric.metrics).map(([id, source]) => ({
    id,
    returnData: false,
    metricStat: {
      metric: {
        namespace: source.source === 'published' ? namespaceOf(stage) : INSIGHTS,
        metricName: metricOf(source, props).metricName,
        dimensions: dimensionsOf(source),
      },
      stat: source.statistic,
    },
  }));
  return [...series, { id: 'result', expression: metric.expression, label: metric.label, returnData: true }];
}
