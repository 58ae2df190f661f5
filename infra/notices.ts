// Where alarms and budgets are told of: one topic, encrypted, and a budget of the stage's costs by the month.

import { Stack } from 'aws-cdk-lib';
import { CfnBudget } from 'aws-cdk-lib/aws-budgets';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import type { Deployment } from './config.ts';

/** Tag of everything of a deployment, by whose value costs are told apart. */
export const STAGE_TAG = 'vgg-serve-stage';

// Who tells the topic as itself; a rule of EventBridge has a role.
const TELLERS = ['cloudwatch.amazonaws.com', 'budgets.amazonaws.com'];

/** The topic and the budget. */
export class Notices extends Construct {
  readonly topic: Topic;

  constructor(scope: Construct, id: string, { stage, budgetUsd, alarmEmail }: Deployment) {
    super(scope, id);
    const { account } = Stack.of(this);
    const key = new Key(this, 'Key', {
      description: `Notices of vgg-serve ${stage}`,
      enableKeyRotation: true,
    });
    this.topic = new Topic(this, 'Topic', {
      displayName: `vgg-serve ${stage}`,
      masterKey: key,
      enforceSSL: true,
    });
    for (const teller of TELLERS) {
      const principals = [new ServicePrincipal(teller)];
      const conditions = { StringEquals: { 'aws:SourceAccount': account } };
      key.addToResourcePolicy(
        // Of a key's own policy, `*` is the key.
        new PolicyStatement({
          principals,
          conditions,
          actions: ['kms:Decrypt', 'kms:GenerateDataKey*'],
          resources: ['*'],
        }),
      );
      this.topic.addToResourcePolicy(
        new PolicyStatement({
          principals,
          conditions,
          actions: ['sns:Publish'],
          resources: [this.topic.topicArn],
        }),
      );
    }
    if (alarmEmail !== undefined) this.topic.addSubscription(new EmailSubscription(alarmEmail));
    const subscribers = [{ subscriptionType: 'SNS', address: this.topic.topicArn }];
    const notify = (notificationType: string, threshold: number) => ({
      notification: {
        notificationType,
        comparisonOperator: 'GREATER_THAN',
        threshold,
        thresholdType: 'PERCENTAGE',
      },
      subscribers,
    });
    new CfnBudget(this, 'Budget', {
      budget: {
        budgetName: `vgg-serve-${stage}`,
        budgetType: 'COST',
        timeUnit: 'MONTHLY',
        budgetLimit: { amount: budgetUsd, unit: 'USD' },
        costFilters: { TagKeyValue: [`user:${STAGE_TAG}$${stage}`] },
      },
      notificationsWithSubscribers: [notify('ACTUAL', 80), notify('FORECASTED', 100)],
    });
  }
}
