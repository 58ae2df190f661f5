// Bulk scoring of a stage: the tasks that score and that count, the state machine that hands shards out, and who is told
// if a job fails. Beside the services: on their cluster, with their models, at no cost while no job runs. Knows images and
// buckets; how a job is cut and done is the business of infra/bulk/.

import { CfnOutput, Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { MathExpression } from 'aws-cdk-lib/aws-cloudwatch';
import type { ICluster } from 'aws-cdk-lib/aws-ecs';
import type { CfnStateMachine, StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { addAlarm } from '../alarms.ts';
import { BulkScoring } from '../bulk/cloud/bulk-scoring.ts';
import type { Deployment } from '../config.ts';
import { acknowledge } from '../findings.ts';
import { outwardGroup } from '../network.ts';
import { PERIOD_SECONDS } from '../scaling.ts';
import { bulkSettings, MOST_STOP } from '../settings.ts';
import { Task } from '../task.ts';
import { GPU_TASK, MODEL_TASK_FOLDERS, type ServingStack } from './serving.ts';
import { imageTagOf, type BulkBuckets, type StoreStack } from './store.ts';

// Lists and rows of one shard at a time.
const CONTROL = { vcpu: 1, memoryGb: 4 };

/** What it stands on. */
export interface BulkStackProps extends StackProps {
  store: StoreStack;
  serving: ServingStack;
  buckets: BulkBuckets;
}

/** Bulk scoring of a stage. */
export class BulkStack extends Stack {
  readonly stateMachine: StateMachine;

  constructor(scope: Construct, id: string, deployment: Deployment, props: BulkStackProps) {
    const { store, serving, buckets, ...rest } = props;
    super(scope, id, rest);
    const imageTag = imageTagOf(this);
    const common = { deployment, imageTag, asksAws: true, stopSeconds: MOST_STOP };
    const shard = new Task(this, 'Shard', {
      ...common,
      name: 'bulk',
      image: store.images.vgg,
      environment: bulkSettings(deployment, store.modelsSource),
      size: GPU_TASK,
      gpus: GPU_TASK.gpus,
      writable: MODEL_TASK_FOLDERS,
    });
    store.letReadModels(shard.definition, deployment.models);
    const control = new Task(this, 'Control', {
      ...common,
      name: 'bulk-control',
      image: store.images['vgg-cpu'],
      environment: {},
      size: CONTROL,
      writable: {},
    });
    const bulk = new BulkScoring(this, 'Scoring', {
      ...buckets,
      cluster: serving.cluster as ICluster,
      taskDefinition: shard.definition,
      containerName: shard.container.containerName,
      capacityProvider: serving.gpu.restartable,
      control: { taskDefinition: control.definition, containerName: control.container.containerName },
      subnets: { subnets: serving.vpc.privateSubnets },
      securityGroups: [outwardGroup(this, 'Tasks', serving.vpc, 'Tasks of bulk scoring')],
      gpus: deployment.bulkGpus,
      logRetention: deployment.logDays,
    });
    this.stateMachine = bulk.stateMachine;
    // The library depends on the role twice, which cfn-lint would have people mend.
    (this.stateMachine.node.defaultChild as CfnStateMachine).addMetadata('cfn-lint', {
      config: { ignore_checks: ['W3005'] },
    });
    const period = Duration.seconds(PERIOD_SECONDS);
    addAlarm(this, deployment.stage, serving.topic, {
      name: 'bulk-failed',
      means: 'A job of bulk scoring has ended without a row for every photo.',
      metric: new MathExpression({
        expression: 'FILL(failed, 0) + FILL(late, 0)',
        usingMetrics: {
          failed: this.stateMachine.metricFailed({ period }),
          late: this.stateMachine.metricTimedOut({ period }),
        },
        period,
        label: 'Jobs that failed',
      }),
      atLeast: 1,
      minutes: 1,
    });
    this.#explain({ shard, control }, deployment, props);
    new CfnOutput(this, 'StateMachine', { value: this.stateMachine.stateMachineArn });
  }

  // What cdk-nag finds, by the names that it has for what another stack exports.
  #explain(
    tasks: { shard: Task; control: Task },
    { bulkPhotos }: Deployment,
    { store, serving, buckets }: BulkStackProps,
  ): void {
    const exported = (by: Stack, value: string) =>
      (this.resolve(by.exportValue(value)) as { 'Fn::ImportValue': string })['Fn::ImportValue'];
    const results = exported(store, buckets.results.bucketArn);
    const photos =
      bulkPhotos === undefined
        ? exported(store, buckets.photos.bucketArn)
        : `arn:<AWS::Partition>:s3:::${bulkPhotos}`;
    for (const [{ definition }, read] of [
      [tasks.shard, [photos, results]],
      [tasks.control, [results]],
    ] as const) {
      for (const bucket of read)
        acknowledge(
          definition.taskRole,
          `AwsSolutions-IAM5[Resource::${bucket}/*]`,
          'Photos and jobs have the names that people give them; other buckets are closed to it.',
        );
      for (const keys of ['partial/*', 'deaths/*', 'failures.jsonl'])
        acknowledge(
          definition.taskRole,
          `AwsSolutions-IAM5[Resource::${results}/*/${keys}]`,
          'What it may delete of any job: pieces of shards in work, and the list of failures; nothing committed.',
        );
    }
    const here = '<AWS::Region>:<AWS::AccountId>';
    const own = this.getLogicalId(this.stateMachine.node.defaultChild as CfnStateMachine);
    const executions = `arn:<AWS::Partition>:states:${here}:execution:{"Fn::Select":[6,{"Fn::Split":[":",{"Ref":"${own}"}]}]}`;
    const cluster = exported(serving, serving.cluster.clusterName);
    for (const [resource, reason] of [
      ['*', 'Traces, and deliveries of logs, are of no resource; tasks of other clusters are denied.'],
      [`arn:<AWS::Partition>:ecs:${here}:task/${cluster}/*`, 'Tasks are named when they start.'],
      [`${results}/*todo-count.json`, 'How much is left of a job, which has the name that people give it.'],
      [`${executions}:*`, 'Its own executions, which are named when they start.'],
      [`${executions}/Shards:*`, "Its own map's executions, which are named when they start."],
      [
        `arn:<AWS::Partition>:s3:::${exported(store, buckets.results.bucketName)}/*`,
        'Lists of shards that it reads, and what tasks said, which it writes, are of jobs that people name.',
      ],
    ] as const)
      acknowledge(this.stateMachine, `AwsSolutions-IAM5[Resource::${resource}]`, reason);
  }
}
