// Bulk scoring as a stack of each stage: what its tasks are, what they may do, where they run, who hears of a failure.

import validate from 'asl-validator';
import type { Template } from 'aws-cdk-lib/assertions';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { packageRoot } from '../../../proto/package-root.ts';
import { readConfig as readInference } from '../../../services/inference/config.ts';
import { GPU_TASK } from '../../../infra/stacks/serving.ts';
import {
  containersOf,
  environmentOf,
  resourcesOf,
  statementsOf,
  TEMPLATES,
  templatesOf,
  textOf,
  type Container,
} from '../templates.ts';
import { definitionIn } from './definition.ts';

const MACHINE = 'AWS::StepFunctions::StateMachine';

function present(template: Template | undefined): Template {
  if (!template) throw new Error('There is no bulk scoring');
  return template;
}

function tasksOf(bulk: Template): Record<string, Record<string, unknown>> {
  return Object.fromEntries(
    Object.values(resourcesOf(bulk, 'AWS::ECS::TaskDefinition')).map(({ Properties }) => [
      String(Properties['Family']).replace(/^vgg-serve-(dev|prod)-/, ''),
      Properties,
    ]),
  );
}

const containerOf = (properties: Record<string, unknown> | undefined) =>
  (properties?.['ContainerDefinitions'] as Container[])[0] as Container & Record<string, unknown>;

describe.each(TEMPLATES)('$stage', (stage) => {
  const bulk = present(stage.bulk);
  const { bulk: shard, 'bulk-control': control } = tasksOf(bulk);

  test('the task that scores has a GPU, the models of inference, and what inference is told of them', () => {
    expect(shard).toMatchObject({
      RequiresCompatibilities: ['MANAGED_INSTANCES'],
      Cpu: String(GPU_TASK.vcpu * 1024),
      Memory: String(GPU_TASK.memoryGb * 1024),
    });
    const container = containerOf(shard);
    expect(container).toMatchObject({
      ResourceRequirements: [{ Type: 'GPU', Value: '1' }],
      ReadonlyRootFilesystem: true,
      User: '1000:1000',
      StopTimeout: 120,
      LogConfiguration: { LogDriver: 'awslogs' },
    });
    expect(JSON.stringify(container['Image'])).toMatch(/RefImagevgg[0-9A-F]/);
    const environment = environmentOf(container);
    // The service's own reader takes them; a GPU it must have, and models it fetches.
    const config = readInference(environment);
    const inference = readInference(environmentOf(containersOf(stage).inference));
    for (const name of ['engine', 'device', 'models', 'modelsSource', 'load', 'precision'] as const)
      expect(config[name], name).toEqual(inference[name]);
    expect(environment).toHaveProperty('AWS_REGION');
    // What the services scale by is theirs alone.
    expect(Object.keys(environment).filter((name) => name.includes('METRICS'))).toEqual([]);
    const folders = (container['LinuxParameters'] as { Tmpfs: { ContainerPath: string }[] }).Tmpfs;
    expect(folders.map(({ ContainerPath }) => ContainerPath).sort()).toEqual(['/models', '/tmp']);
  });

  test('the task that counts is on Fargate, without a GPU, from the image without CUDA', () => {
    expect(control).toMatchObject({ RequiresCompatibilities: ['FARGATE'] });
    const container = containerOf(control);
    expect(container['ResourceRequirements']).toBeUndefined();
    expect(container).toMatchObject({ ReadonlyRootFilesystem: true, User: '1000:1000' });
    expect(JSON.stringify(container['Image'])).toMatch(/RefImagevggcpu[0-9A-F]/);
  });

  test('the machine runs them there, with a network and tags, as many at once as was said', () => {
    const definition = definitionIn(bulk);
    const { isValid, errors } = validate(definition);
    expect({ isValid, errors }).toEqual({ isValid: true, errors: [] });
    const { Map: map, Todo, Verify } = definition.States;
    expect(map).toMatchObject({ MaxConcurrency: stage.deployment.bulkGpus });
    for (const each of [Todo, Verify, map?.ItemProcessor?.States['Shards']])
      expect(each).toMatchObject({
        Resource: 'arn:aws:states:::ecs:runTask.sync',
        Parameters: {
          PropagateTags: 'TASK_DEFINITION',
          NetworkConfiguration: { AwsvpcConfiguration: { SecurityGroups: ['name'] } },
        },
      });
    for (const each of [Todo, Verify]) expect(each).toMatchObject({ Parameters: { LaunchType: 'FARGATE' } });
    const parameters = map?.ItemProcessor?.States['Shards']?.['Parameters'];
    expect(parameters).not.toHaveProperty('LaunchType');
    expect(parameters).toMatchObject({ CapacityProviderStrategy: [{ CapacityProvider: 'name', Weight: 1 }] });
  });

  test('its tasks reach HTTPS, and are reached by nobody', () => {
    const groups = Object.values(resourcesOf(bulk, 'AWS::EC2::SecurityGroup'));
    expect(groups.map(({ Properties }) => Properties['SecurityGroupIngress'])).toEqual([undefined]);
    expect(groups[0]?.Properties['SecurityGroupEgress']).toMatchObject([{ FromPort: 443, ToPort: 443 }]);
    bulk.resourceCountIs('AWS::EC2::SecurityGroupIngress', 0);
  });

  test('scoring reads its models and photos, and nobody deletes what is committed', () => {
    const allowed = (of: RegExp, action: string) =>
      statementsOf(bulk)
        .filter((each) => of.test(each.of) && each.statement.actions.includes(action))
        .flatMap(({ statement }) => statement.resources.map(textOf));
    expect(allowed(/^ShardDefinitionTaskRole/, 's3:GetObject')).toHaveLength(
      3 * stage.deployment.models.length + 2,
    );
    expect(allowed(/^ControlDefinitionTaskRole/, 's3:GetObject')).toHaveLength(1);
    for (const of of [/^ShardDefinitionTaskRole/, /^ControlDefinitionTaskRole/]) {
      expect(allowed(of, 's3:DeleteObject').sort()).toEqual([
        'name/*/deaths/*',
        'name/*/failures.jsonl',
        'name/*/partial/*',
      ]);
      expect(allowed(of, 's3:PutObject')).toEqual(['name/*']);
    }
  });

  test('the machine starts these two tasks alone, and touches none of another cluster', () => {
    const own = statementsOf(bulk)
      .filter(({ of }) => of.startsWith('ScoringStateMachineRole'))
      .map(({ statement }) => statement);
    const starts = own.filter(({ effect, actions }) => effect === 'Allow' && actions.includes('ecs:RunTask'));
    const refs = starts.flatMap(({ resources }) => resources);
    const definitions = Object.keys(resourcesOf(bulk, 'AWS::ECS::TaskDefinition'));
    expect(refs.map((each) => (each as { Ref: string }).Ref).sort()).toEqual(definitions.sort());
    expect(own.filter(({ effect }) => effect === 'Deny')).toMatchObject([
      {
        actions: ['ecs:DescribeTasks', 'ecs:RunTask', 'ecs:StopTask'],
        conditions: { ArnNotEquals: { 'ecs:cluster': expect.anything() as unknown } },
      },
    ]);
  });

  test('buckets are kept in any stage, and photos and results are closed', () => {
    const buckets = Object.entries(resourcesOf(stage.store, 'AWS::S3::Bucket')).filter(([id]) =>
      /^(Photos|Results)/.test(id),
    );
    expect(buckets).toHaveLength(2);
    for (const [, bucket] of buckets)
      expect(bucket).toMatchObject({
        DeletionPolicy: 'Retain',
        UpdateReplacePolicy: 'Retain',
        Properties: {
          PublicAccessBlockConfiguration: { BlockPublicAcls: true, RestrictPublicBuckets: true },
          BucketEncryption: expect.anything() as unknown,
        },
      });
  });

  test('logs end, and a failed job is told of and explained', () => {
    const groups = Object.values(resourcesOf(bulk, 'AWS::Logs::LogGroup'));
    expect(groups).toHaveLength(3);
    for (const { Properties } of groups) expect(Properties['RetentionInDays']).toBe(stage.deployment.logDays);
    const alarms = Object.values(resourcesOf(bulk, 'AWS::CloudWatch::Alarm'));
    expect(alarms.map(({ Properties }) => Properties['AlarmName'])).toEqual([
      `vgg-serve-${stage.stage}-bulk-failed`,
    ]);
    expect(alarms[0]?.Properties['AlarmActions']).toMatchObject([
      { 'Fn::ImportValue': expect.any(String) as unknown },
    ]);
    expect(readFileSync(join(packageRoot, 'docs/how-to/operate.md'), 'utf8')).toContain('`bulk-failed`');
  });
});

describe('choices', () => {
  test('none: neither a stack nor buckets', () => {
    const { bulk, store } = templatesOf('prod', { VGG_DEPLOY_BULK_GPUS: '0' });
    expect(bulk).toBeUndefined();
    expect(Object.keys(resourcesOf(store, 'AWS::S3::Bucket')).some((id) => /Photos|Results/.test(id))).toBe(
      false,
    );
  });

  test('photos of a bucket that is there; on spot instances, if there are any', () => {
    const told = templatesOf('dev', { VGG_DEPLOY_BULK_PHOTOS: 'holidays', VGG_DEPLOY_SPOT: 'on' });
    const bulk = present(told.bulk);
    const reads = statementsOf(bulk).flatMap(({ statement }) => statement.resources.map(textOf));
    expect(reads.some((each) => each.endsWith(':s3:::holidays/*'))).toBe(true);
    expect(JSON.stringify(bulk.findResources(MACHINE))).toMatch(/ExportsOutputRefGpuSpot/);
    expect(
      Object.keys(resourcesOf(told.store, 'AWS::S3::Bucket')).some((id) => id.startsWith('Photos')),
    ).toBe(false);
  });

  test.each([
    ['VGG_DEPLOY_BULK_GPUS', '-1'],
    ['VGG_DEPLOY_BULK_PHOTOS', 's3://holidays'],
  ])('%s=%s stops the synthesis', (name, value) => {
    expect(() => templatesOf('dev', { [name]: value })).toThrow(name);
  });
});
