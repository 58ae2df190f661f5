// What only deploying shows, in an emulator of AWS: references resolve, in an order that there is; what one stack imports
// another has exported; policies are ones that IAM takes; tasks and the state machine, with what only a deployment knows
// put in, are ones that the services and the language take. The emulator starts nothing, and some types it has not.

import validate from 'asl-validator';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { packageRoot } from '../../../proto/package-root.ts';
import { readConfig as readAggregator } from '../../../services/aggregator/config.ts';
import { readConfig as readGateway } from '../../../services/gateway/config.ts';
import { readConfig as readInference } from '../../../services/inference/config.ts';
import { readConfig as readPreprocess } from '../../../services/preprocess/config.ts';
import { python } from '../bulk/python.ts';
import { TEMPLATES } from '../templates.ts';

interface Deployed {
  stacks: {
    name: string;
    status: string;
    /** Types that the emulator has not. */
    leftOut: string[];
    wanted: string[];
    made: Record<string, string | null>;
    outputs: Record<string, string>;
  }[];
  exports: string[];
  policies: {
    role: string;
    document: { Statement: { Resource: string | string[] }[] };
    refused: string | null;
  }[];
  machines: string[];
  tasks: {
    family: string;
    taskRoleArn: string;
    containerDefinitions: { image: string; environment: { name: string; value: string }[] }[];
  }[];
  /** What has the deleted stack's name and is there. */
  left: string[];
}

// What this test says nothing of. A type that the emulator has learnt is to be taken off.
const LEFT_OUT = [
  'AWS::ACMPCA::Certificate',
  'AWS::ACMPCA::CertificateAuthority',
  'AWS::ACMPCA::CertificateAuthorityActivation',
  'AWS::ApplicationAutoScaling::ScalableTarget',
  'AWS::ApplicationAutoScaling::ScalingPolicy',
  'AWS::Budgets::Budget',
  'AWS::CloudWatch::Alarm',
  'AWS::EC2::SecurityGroupEgress',
  'AWS::ECS::CapacityProvider',
  'AWS::ElasticLoadBalancingV2::TrustStore',
  'AWS::S3::BucketPolicy',
  'AWS::SNS::TopicPolicy',
  'AWS::SecretsManager::Secret',
  'AWS::ServiceDiscovery::HttpNamespace',
  'AWS::WAFv2::WebACL',
  'AWS::WAFv2::WebACLAssociation',
];

const READERS: Record<string, (env: NodeJS.ProcessEnv) => unknown> = {
  gateway: readGateway,
  aggregator: readAggregator,
  preprocess: readPreprocess,
  inference: readInference,
  bulk: readInference,
};

const emulator = python('moto', 'boto3', 'cfnlint');
if (!emulator) process.stderr.write('Deploying in an emulator is left out: there is no Python with moto\n');

describe.skipIf(!emulator).each(TEMPLATES)(
  '$stage in an emulator of AWS',
  ({ stage, store, serving, bulk }) => {
    let deployed: Deployed;

    beforeAll(() => {
      const stacks = [
        { name: `vgg-serve-${stage}-store`, template: store.toJSON() },
        { name: `vgg-serve-${stage}`, template: serving.toJSON() },
        { name: `vgg-serve-${stage}-bulk`, template: bulk?.toJSON() },
      ];
      const script = join(packageRoot, 'test/infra/emulated/deploy.py');
      const { status, stdout, stderr } = spawnSync(emulator?.command ?? '', [script], {
        ...{ env: emulator?.env, encoding: 'utf8', maxBuffer: 2 ** 28 },
        input: JSON.stringify({ stacks }),
      });
      if (status !== 0) throw new Error(stderr);
      deployed = JSON.parse(stdout) as Deployed;
    });

    test('each stack is made, one after the other, with all that the emulator has', () => {
      expect(deployed.stacks.map(({ status }) => status)).toEqual(Array(3).fill('CREATE_COMPLETE'));
      for (const { made, wanted } of deployed.stacks) expect(Object.keys(made).sort()).toEqual(wanted);
      expect(LEFT_OUT).toEqual(expect.arrayContaining(deployed.stacks.flatMap(({ leftOut }) => leftOut)));
    });

    test('everything that is exported has a name of its own, and outputs have values', () => {
      expect(new Set(deployed.exports).size).toBe(deployed.exports.length);
      const [first, , last] = deployed.stacks;
      expect(first?.outputs['PhotoBucket']).toMatch(/photos/);
      expect(first?.outputs['Registry']).toMatch(/^\d{12}\.dkr\.ecr\.us-east-1\.amazonaws\.com\/vgg-serve\//);
      expect(last?.outputs['StateMachine']).toMatch(/^arn:aws:states:/);
    });

    test('IAM takes each policy, and what it is of has an ARN', () => {
      expect(deployed.policies.length).toBeGreaterThan(10);
      for (const { role, document, refused } of deployed.policies) {
        expect(refused, role).toBeNull();
        for (const { Resource } of document.Statement)
          for (const each of [Resource].flat()) expect(each, role).toMatch(/^(\*$|arn:aws:)/);
      }
    });

    test('each task reads its variables as they were deployed, and has an image of this stage', () => {
      const names = deployed.tasks.map(({ family }) => family.replace(`vgg-serve-${stage}-`, ''));
      expect(names.sort()).toEqual([...Object.keys(READERS), 'bulk-control'].sort());
      const [models] = Object.values(deployed.stacks[0]?.made ?? {}).filter((each) =>
        each?.includes('models'),
      );
      for (const { family, containerDefinitions } of deployed.tasks) {
        const name = family.replace(`vgg-serve-${stage}-`, '');
        const [container] = containerDefinitions;
        expect(container?.image).toMatch(
          new RegExp(`^\\d{12}\\.dkr\\.ecr\\.us-east-1\\.amazonaws\\.com/vgg-serve/${stage}/[\\w-]+:v1$`),
        );
        const environment = Object.fromEntries(
          (container?.environment ?? []).map((each) => [each.name, each.value]),
        );
        const { AWS_REGION: region, ...own } = environment;
        READERS[name]?.({ ...own, ...(name === 'gateway' && { VGG_GATEWAY_API_KEY_LINES: '' }) });
        if (name === 'inference' || name.startsWith('bulk')) expect(region, name).toBe('us-east-1');
        if (name === 'inference' || name === 'bulk')
          expect(own['VGG_MODELS_SOURCE']).toBe(`s3://${String(models)}/models`);
      }
    });

    test('the state machine is one that the language allows, and names what is there', () => {
      expect(deployed.machines).toHaveLength(1);
      const [text = ''] = deployed.machines;
      const { isValid, errors } = validate(JSON.parse(text) as object);
      expect({ isValid, errors }).toEqual({ isValid: true, errors: [] });
      const outputs = deployed.stacks[0]?.outputs ?? {};
      expect(text).toContain(`s3://${String(outputs['ResultBucket'])}/{}`);
      const network = Object.values(deployed.stacks[1]?.made ?? {});
      for (const subnet of text.match(/subnet-[0-9a-f]+/g) ?? ['none']) expect(network).toContain(subnet);
      for (const group of text.match(/sg-[0-9a-f]+/g) ?? ['none'])
        expect(Object.values(deployed.stacks[2]?.made ?? {})).toContain(group);
    });

    test('of bulk scoring that is taken down only logs are left, where a stage keeps them', () => {
      expect(deployed.left).toEqual(
        stage === 'prod'
          ? [expect.stringContaining('ControlLogs'), expect.stringContaining('ShardLogs')]
          : [],
      );
    });
  },
);
