// Bulk scoring in AWS, as a construct: a state machine that hands a job's shards to container tasks, and what each may do.
// Knows the commands of `vgg bulk`, which all work is; how a shard is done, and that it is done once, is theirs.

import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as logs from 'aws-cdk-lib/aws-logs';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import * as tasks from 'aws-cdk-lib/aws-stepfunctions-tasks';
import { Construct } from 'constructs';
import { keys } from '../job.ts';

/** A task whose container's entry is `vgg`. */
export interface BulkTask {
  taskDefinition: ecs.TaskDefinition;
  containerName: string;
  /** Where such tasks find machines; unless given, Fargate for tasks that are made for it, else the cluster's default. */
  capacityProvider?: string;
}

/** What bulk scoring runs on; the task itself has all services in one process, and one GPU. */
export interface BulkScoringProps extends BulkTask {
  cluster: ecs.ICluster;
  /** A task without a GPU and with the same entry, for the steps that ask nobody; the one above unless given. */
  control?: BulkTask;
  /** Of tasks that have network interfaces of their own. */
  subnets?: ec2.SubnetSelection;
  securityGroups?: ec2.ISecurityGroup[];
  /** Photos are read here. */
  photos: s3.IBucket;
  /** Jobs and their results are kept here. */
  results: s3.IBucket;
  /** Tasks at once: as many as there may be GPUs. */
  gpus: number;
  /** Most shards of one task; fewer where there are fewer than GPUs. Default: 20. */
  taskShards?: number;
  /** Photos that a task has in hand at once: the GPU's batches are made of them. Default: 16. */
  inFlight?: number;
  /** Longest time of one task. Default: 6 hours. */
  taskTimeout?: Duration;
  /** Tasks that may fail for good, after all attempts, before the rest is given up, in percent. Default: 5. */
  toleratedFailurePercentage?: number;
  /** For which the state machine's log is kept. Default: a month. */
  logRetention?: logs.RetentionDays;
}

const ATTEMPTS = 6;
// The reckoning fails if photos are missing, and will again; machines that are taken away deserve another attempt.
const RECKONINGS = 2;
/** Prefix in the results bucket of what each task of a map said. */
export const MAP_RUNS = 'map-runs';
const RESULT_WRITER = '@aws-cdk/aws-stepfunctions:useDistributedMapResultWriterV2';

/**
 * The state machine: list what is left to do; if anything is, a task for each batch of shards; hold everything against the
 * manifest.
 * Its input is `{"prefix": "job-1/"}`: where in the results bucket `vgg bulk manifest` has made the job.
 */
export class BulkScoring extends Construct {
  readonly stateMachine: sfn.StateMachine;

  constructor(scope: Construct, id: string, props: BulkScoringProps) {
    super(scope, id);
    // Without the flag no result writer is written into the definition, and nobody is told.
    this.node.setContext(RESULT_WRITER, true);
    const { results, gpus, taskShards = 20, inFlight = 16, toleratedFailurePercentage = 5 } = props;
    const control = props.control ?? props;
    const path = sfn.JsonPath;

    const job = new sfn.Pass(this, 'Job', {
      comment: 'Where the job is, as vgg names it',
      parameters: {
        prefix: path.stringAt('$.prefix'),
        job: path.format(`s3://${results.bucketName}/{}`, path.stringAt('$.prefix')),
      },
    });
    const todo = this.#task('Todo', props, control, {
      comment: 'The shards that are not done, in batches: after a failure only these are handed out again',
      command: [
        'bulk',
        'todo',
        path.stringAt('$.job'),
        `--machines`,
        String(gpus),
        '--task-shards',
        String(taskShards),
      ],
    });
    // A task's end says nothing of what it wrote. The list may be longer than a state's input: only its length is read.
    const count = new tasks.CallAwsService(this, 'Count', {
      comment: 'How much is left to do',
      ...{ service: 's3', action: 'getObject' },
      parameters: {
        Bucket: results.bucketName,
        Key: path.format(`{}${keys.todoCount}`, path.stringAt('$.prefix')),
      },
      iamResources: [results.arnForObjects(`*${keys.todoCount}`)],
      resultSelector: { 'count.$': 'States.StringToJson($.Body)' },
      resultPath: '$.todo',
    });
    count.addRetry({ errors: [sfn.Errors.ALL], interval: Duration.seconds(5), maxAttempts: ATTEMPTS });
    const shard = this.#task('Shards', props, props, {
      comment: 'One task: some shards, each committed by itself, those that are done passed over',
      command: [
        ...['bulk', 'shard', path.stringAt('$.job')],
        ...['--parts', path.jsonToString(path.objectAt('$.parts')), '--in-flight', String(inFlight)],
      ],
    });
    const verify = this.#task('Verify', props, control, {
      comment: 'Fails unless every photo of the manifest has exactly one row',
      command: ['bulk', 'verify', path.stringAt('$.job')],
      attempts: RECKONINGS,
    });
    const map = new sfn.DistributedMap(this, 'Map', {
      label: 'Shards',
      mapExecutionType: sfn.StateMachineType.STANDARD,
      maxConcurrency: gpus,
      itemReader: new sfn.S3JsonItemReader({
        bucket: results,
        key: path.format(`{}${keys.todo}`, path.stringAt('$.prefix')),
      }),
      itemSelector: { job: path.stringAt('$.job'), parts: path.listAt('$$.Map.Item.Value.parts') },
      toleratedFailurePercentage,
      resultPath: path.DISCARD,
      // What each task said is kept where results are; the execution's own history has room for a few only.
      resultWriterV2: new sfn.ResultWriterV2({ bucket: results, prefix: MAP_RUNS }),
    });
    map.itemProcessor(shard);
    // However the map ends, the last step says how much is done; it fails unless all is.
    map.addCatch(verify, { resultPath: '$.failure' });
    const done = new sfn.Succeed(this, 'Done');
    // What a map does with an empty list from S3 is not documented: it is not asked.
    const anything = new sfn.Choice(this, 'Anything', { comment: 'Whether anything is left to do' })
      .when(sfn.Condition.numberEquals('$.todo.count.batches', 0), verify)
      .otherwise(map);
    map.next(verify);
    verify.next(done);

    this.stateMachine = new sfn.StateMachine(this, 'StateMachine', {
      comment: 'vgg bulk: all photos of a job, once each',
      definitionBody: sfn.DefinitionBody.fromChainable(job.next(todo).next(count).next(anything)),
      tracingEnabled: true,
      logs: {
        destination: new logs.LogGroup(this, 'Log', {
          logGroupName: `/aws/vendedlogs/states/${this.node.path.replaceAll('/', '-')}`,
          retention: props.logRetention ?? logs.RetentionDays.ONE_MONTH,
          removalPolicy: RemovalPolicy.DESTROY,
        }),
        level: sfn.LogLevel.ALL,
        // Names of photos are somebody's data.
        includeExecutionData: false,
      },
    });
    // It reads the list of what is to be done, and writes what tasks said.
    results.encryptionKey?.grantEncryptDecrypt(this.stateMachine.role);
    allow(props.taskDefinition.taskRole, results, props.photos);
    if (control !== props) allow(control.taskDefinition.taskRole, results);
    // Whoever starts a task with tags must be allowed to tag, where the account asks for it.
    this.stateMachine.addToRolePolicy(
      new iam.PolicyStatement({
        actions: ['ecs:TagResource'],
        resources: [
          Stack.of(this).formatArn({
            service: 'ecs',
            resource: 'task',
            resourceName: `${props.cluster.clusterName}/*`,
          }),
        ],
        conditions: { StringEquals: { 'ecs:CreateAction': 'RunTask' } },
      }),
    );
    // The library lets it describe and stop any task; those of other clusters are none of its business.
    this.stateMachine.addToRolePolicy(
      new iam.PolicyStatement({
        effect: iam.Effect.DENY,
        actions: ['ecs:RunTask', 'ecs:StopTask', 'ecs:DescribeTasks'],
        resources: ['*'],
        conditions: {
          ArnNotEquals: { 'ecs:cluster': props.cluster.clusterArn },
          Null: { 'ecs:cluster': 'false' },
        },
      }),
    );
  }

  #task(
    id: string,
    { cluster, subnets, securityGroups, taskTimeout = Duration.hours(6) }: BulkScoringProps,
    { taskDefinition, containerName, capacityProvider }: BulkTask,
    { comment, command, attempts = ATTEMPTS }: { comment: string; command: string[]; attempts?: number },
  ): tasks.EcsRunTask {
    const containerDefinition = taskDefinition.findContainer(containerName);
    if (!containerDefinition) throw new RangeError(`The task has no container ${containerName}`);
    const awsvpc = taskDefinition.networkMode === ecs.NetworkMode.AWS_VPC;
    const task = new tasks.EcsRunTask(this, id, {
      comment,
      cluster,
      taskDefinition,
      integrationPattern: sfn.IntegrationPattern.RUN_JOB,
      launchTarget: {
        bind: () => ({
          parameters:
            capacityProvider !== undefined
              ? { CapacityProviderStrategy: [{ CapacityProvider: capacityProvider, Weight: 1 }] }
              : taskDefinition.isFargateCompatible
                ? { LaunchType: 'FARGATE' }
                : {},
        }),
      },
      // What a stage costs is told by its tags.
      propagatedTagSource: ecs.PropagatedTagSource.TASK_DEFINITION,
      ...(awsvpc && subnets && { subnets }),
      ...(awsvpc && securityGroups && { securityGroups }),
      containerOverrides: [
        // A list whose items come from the input can only be made by an intrinsic function.
        { containerDefinition, command: sfn.JsonPath.listAt(sfn.JsonPath.array(...command)) },
      ],
      taskTimeout: sfn.Timeout.duration(taskTimeout),
      resultPath: sfn.JsonPath.DISCARD,
    });
    // Machines are taken away, and may not be there yet; what a task had committed is not done again.
    task.addRetry({
      errors: [sfn.Errors.ALL],
      interval: Duration.seconds(30),
      backoffRate: 2,
      maxDelay: Duration.minutes(10),
      maxAttempts: attempts,
      jitterStrategy: sfn.JitterType.FULL,
    });
    return task;
  }
}

// What the commands do in S3, and nothing else. Without ListBucket a missing object would be told as forbidden.
function allow(role: iam.IRole, results: s3.IBucket, photos?: s3.IBucket): void {
  const read = [...(photos ? [photos] : []), results];
  const may = (actions: string[], resources: string[]) => {
    role.addToPrincipalPolicy(new iam.PolicyStatement({ actions, resources }));
  };
  may(
    ['s3:ListBucket'],
    read.map((bucket) => bucket.bucketArn),
  );
  may(
    ['s3:GetObject'],
    read.map((bucket) => bucket.arnForObjects('*')),
  );
  may(['s3:PutObject'], [results.arnForObjects('*')]);
  // Committed results are never deleted.
  may(
    ['s3:DeleteObject'],
    ['*/partial/*', '*/deaths/*', `*/${keys.failures}`].map((key) => results.arnForObjects(key)),
  );
  for (const bucket of read) bucket.encryptionKey?.grantEncryptDecrypt(role);
}
