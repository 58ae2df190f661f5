// The app: for each stage what is kept, what serves and what scores in bulk, checked by cdk-nag. Knows no environment, and no account.

import { App, Tags, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import type { Deployment } from './config.ts';
import { STAGE_TAG } from './notices.ts';
import { BulkStack } from './stacks/bulk.ts';
import { ServingStack } from './stacks/serving.ts';
import { StoreStack } from './stacks/store.ts';

/** The stacks of a stage. */
export interface StageStacks {
  store: StoreStack;
  serving: ServingStack;
  /** Undefined: there is no bulk scoring. */
  bulk: BulkStack | undefined;
}

/** The stacks `vgg-serve-STAGE-store`, `vgg-serve-STAGE` and `vgg-serve-STAGE-bulk`. */
export function addStage(app: App, deployment: Deployment): StageStacks {
  const { stage, keep } = deployment;
  const name = `vgg-serve-${stage}`;
  const store = new StoreStack(app, `${name}-store`, deployment, {
    description: `vgg-serve ${stage}: images, models, keys`,
    terminationProtection: keep,
  });
  const serving = new ServingStack(app, name, deployment, store, {
    description: `vgg-serve ${stage}: the services`,
    terminationProtection: keep,
  });
  const bulk =
    store.bulk &&
    new BulkStack(app, `${name}-bulk`, deployment, {
      ...{ store, serving, buckets: store.bulk },
      description: `vgg-serve ${stage}: bulk scoring`,
      terminationProtection: keep,
    });
  for (const stack of [store, serving, ...(bulk ? [bulk] : [])]) Tags.of(stack).add(STAGE_TAG, stage);
  return { store, serving, bulk };
}

/** An app as this project has it. */
export function newApp(options: { outdir?: string; context?: Record<string, unknown> } = {}): App {
  const { outdir, context } = options;
  return new App({
    analyticsReporting: false,
    ...(outdir !== undefined && { outdir }),
    context: { ...FLAGS, ...context },
  });
}

/** The app, checked by cdk-nag: a finding that is not acknowledged with its reason stops it. */
export function checkedApp(): App {
  const app = newApp();
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  return app;
}

// Behaviour that the CDK has for new apps.
const FLAGS = {
  // The number of tasks is for autoscaling: a deployment leaves it as it is.
  '@aws-cdk/aws-ecs:removeDefaultDesiredCount': true,
  '@aws-cdk/aws-ecs:reduceEc2FargateCloudWatchPermissions': true,
  '@aws-cdk/aws-iam:minimizePolicies': true,
  // The state machine may start the revision that was deployed with it.
  '@aws-cdk/aws-stepfunctions-tasks:fixRunEcsTaskPolicy': true,
  '@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy': true,
  '@aws-cdk/core:enablePartitionLiterals': true,
  // What the services stand on cannot be taken away under them.
  '@aws-cdk/core:defaultCrossStackReferences': 'strong',
  '@aws-cdk/aws-ecs:arnFormatIncludesClusterName': true,
  '@aws-cdk/aws-ec2:uniqueImdsv2TemplateName': true,
};
