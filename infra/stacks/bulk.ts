// Bulk scoring of a stage: the tasks that score and that count, the state machine that hands shards out, and who is told
// if a job fails. Beside the services: on their cluster, with their models, at no cost while no job runs. Knows images and
// buckets; how a job is cut and done is the business of infra/bulk/.

import { CfnOutput, Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { MathExpression } from 'aws-cdk-lib/aws-cloudwatch';
import type { ICluster } from 'aws-cdk-lib/aws-ecs';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
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
    this.#explain(shard, control, bulk);
    new CfnOutput(this, 'StateMachine', { value: this.stateMachine.stateMachineArn });
  }

  #explain(shard: Task, control: Task, bulk: BulkScoring): void {
    void [shard, control, bulk];
    void acknowledge;
  }
}
