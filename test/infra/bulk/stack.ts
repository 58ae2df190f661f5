// A stack with bulk scoring in it, as small as one can be, for tests.

import { App, Stack } from 'aws-cdk-lib';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { BulkScoring, type BulkScoringProps } from '../../../infra/bulk/cloud/bulk-scoring.ts';

/** The stack. */
export function bulkStack(props: Partial<BulkScoringProps> = {}): Stack {
  const stack = new Stack(new App(), 'Bulk', { env: { account: '123456789012', region: 'us-east-1' } });
  const cluster = ecs.Cluster.fromClusterAttributes(stack, 'Cluster', {
    clusterName: 'vgg',
    securityGroups: [],
    vpc: undefined as never,
  });
  const taskDefinition = new ecs.Ec2TaskDefinition(stack, 'Task', {
    family: 'vgg-bulk',
    networkMode: ecs.NetworkMode.HOST,
  });
  taskDefinition.addContainer('vgg', {
    image: ecs.ContainerImage.fromRegistry('vgg'),
    memoryLimitMiB: 1024,
  });
  new BulkScoring(stack, 'BulkScoring', {
    ...{ cluster, taskDefinition, containerName: 'vgg', gpus: 4 },
    photos: s3.Bucket.fromBucketName(stack, 'Photos', 'photos'),
    results: s3.Bucket.fromBucketName(stack, 'Results', 'results'),
    ...props,
  });
  return stack;
}
