// Bulk scoring in AWS as a construct: the definition by its language's schema, and what roles may do. It is run in
// cloud-run.test.ts.

import validate from 'asl-validator';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { definitionOf } from './definition.ts';
import { bulkStack } from './stack.ts';

describe('the construct', () => {
  test('makes a definition that the schema of the language allows', () => {
    for (const props of [{}, { capacityProvider: 'gpus' }]) {
      const definition = definitionOf(bulkStack(props));
      const { isValid, errors } = validate(definition);
      expect({ isValid, errors }).toEqual({ isValid: true, errors: [] });
    }
  });

  test('hands out as many shards at a time as there are GPUs, tries again, and ends with the reckoning', () => {
    const { States, StartAt } = definitionOf(bulkStack({ gpus: 32, capacityProvider: 'gpus' }));
    expect(StartAt).toBe('Job');
    expect(States['Map']).toMatchObject({
      ...{ Type: 'Map', MaxConcurrency: 32, ToleratedFailurePercentage: 5, Next: 'Verify' },
      ItemReader: { Parameters: { Bucket: 'results', 'Key.$': "States.Format('{}todo.json', $.prefix)" } },
      ResultWriter: { Parameters: { Bucket: 'results', Prefix: 'map-runs' } },
      Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Verify' }],
    });
    const task = States['Map']?.ItemProcessor?.States['Shards'];
    expect(task).toMatchObject({
      Resource: 'arn:aws:states:::ecs:runTask.sync',
      Retry: [{ ErrorEquals: ['States.ALL'], MaxAttempts: 6, BackoffRate: 2, JitterStrategy: 'FULL' }],
      Parameters: { CapacityProviderStrategy: [{ CapacityProvider: 'gpus', Weight: 1 }] },
    });
    expect(States['Verify']).toMatchObject({ Next: 'Done' });
    expect(States['Anything']).toMatchObject({
      Type: 'Choice',
      Choices: [{ Variable: '$.todo.count.batches', NumericEquals: 0, Next: 'Verify' }],
      Default: 'Map',
    });
  });

  test('lets tasks read photos, write results, and delete nothing that is committed', () => {
    const template = Template.fromStack(bulkStack());
    const policies = template.findResources('AWS::IAM::Policy', {
      Properties: { Roles: [{ Ref: Match.stringLikeRegexp('^TaskTaskRole') }] },
    });
    const statements = Object.values(policies).flatMap(
      (policy) =>
        (policy['Properties'] as { PolicyDocument: { Statement: { Action: unknown; Resource: unknown }[] } })
          .PolicyDocument.Statement,
    );
    const resources = (action: string) =>
      statements
        .filter(({ Action }) => [Action].flat().includes(action))
        .flatMap(({ Resource }) => [Resource].flat())
        .map((each) => /:s3:::([^"]*)/.exec(JSON.stringify(each))?.[1]);
    expect(new Set(statements.flatMap(({ Action }) => [Action].flat()))).toEqual(
      new Set(['s3:ListBucket', 's3:GetObject', 's3:PutObject', 's3:DeleteObject']),
    );
    expect(resources('s3:PutObject')).toEqual(['results/*']);
    expect(resources('s3:GetObject')).toEqual(['photos/*', 'results/*']);
    expect(resources('s3:DeleteObject')).toEqual([
      'results/*/partial/*',
      'results/*/deaths/*',
      'results/*/failures.jsonl',
    ]);
    Annotations.fromStack(bulkStack()).hasNoError('*', Match.anyValue());
  });
});
