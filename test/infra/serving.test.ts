// What a deployment is: both stages' templates, resource by resource. No template as a whole is compared with another.

import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { aggregatorVariables, readConfig as readAggregator } from '../../services/aggregator/config.ts';
import { readConfig as readGateway } from '../../services/gateway/config.ts';
import { readConfig as readInference } from '../../services/inference/config.ts';
import { readConfig as readPreprocess } from '../../services/preprocess/config.ts';
import { SCALED_SERVICES, SCALING } from '../../infra/scaling.ts';
import { TIMES } from '../../infra/settings.ts';
import { CALLS, PORTS } from '../../infra/stacks/serving.ts';
import { meshPort } from '../../infra/workload.ts';
import {
  containersOf,
  environmentOf,
  resourcesOf,
  statementsOf,
  TEMPLATES,
  templatesOf,
  textOf,
  type Resource,
} from './templates.ts';

const READERS = {
  gateway: readGateway,
  aggregator: readAggregator,
  preprocess: readPreprocess,
  inference: readInference,
};

const BYTES = { s3: 'AWS::S3::Bucket', alarm: 'AWS::CloudWatch::Alarm' };

describe.each(TEMPLATES)('$stage', (stage) => {
  const { serving, store, deployment } = stage;
  const prod = stage.stage === 'prod';
  const services = Object.values(resourcesOf(serving, 'AWS::ECS::Service'));
  const serviceOf = (name: string) => services.find((each) => each.Properties['ServiceName'] === name);

  describe('every service', () => {
    test.each(SCALED_SERVICES)('%s reads the variables that its task has', (name) => {
      const container = containersOf(stage)[name];
      const secrets = Object.fromEntries((container.Secrets ?? []).map(({ Name }) => [Name, 'x']));
      const environment = { ...environmentOf(container), ...secrets };
      // The service's own reader refuses unknown names and wrong values.
      const config = READERS[name](environment);
      expect(config).toMatchObject({ host: '0.0.0.0', port: PORTS[name] });
      // Only inference asks AWS for anything.
      const others = Object.keys(environment).filter((each) => !each.startsWith('VGG_'));
      expect(others).toEqual(name === 'inference' ? ['AWS_REGION'] : []);
    });

    test.each(SCALED_SERVICES)('%s has read-only files, no root, logs that end, a health check', (name) => {
      const container = containersOf(stage)[name];
      expect(container).toMatchObject({
        ReadonlyRootFilesystem: true,
        User: '1000:1000',
        LogConfiguration: { LogDriver: 'awslogs' },
        HealthCheck: { Command: expect.arrayContaining(['dist/cli/main.js', 'probe', name]) as unknown },
      });
      const drain = READERS[name](environmentOf(container)).drain / 1000;
      expect(container['StopTimeout']).toBeGreaterThan(drain);
      expect(container['StopTimeout']).toBeLessThanOrEqual(120);
    });

    test.each(SCALED_SERVICES)('%s goes back to the version before if tasks do not start', (name) => {
      expect(serviceOf(name)?.Properties).toMatchObject({
        DeploymentConfiguration: { DeploymentCircuitBreaker: { Enable: true, Rollback: true } },
        NetworkConfiguration: { AwsvpcConfiguration: { AssignPublicIp: 'DISABLED' } },
        PropagateTags: 'SERVICE',
      });
      // How many tasks there are is for autoscaling alone.
      expect(serviceOf(name)?.Properties).not.toHaveProperty('DesiredCount');
    });

    test('has roles of its own, which nobody else has', () => {
      const roles = Object.values(resourcesOf(serving, 'AWS::ECS::TaskDefinition')).flatMap(
        ({ Properties }) => [
          JSON.stringify(Properties['TaskRoleArn']),
          JSON.stringify(Properties['ExecutionRoleArn']),
        ],
      );
      expect(new Set(roles).size).toBe(8);
    });
  });

  test('logs end after days', () => {
    const groups = Object.values(resourcesOf(serving, 'AWS::Logs::LogGroup'));
    expect(groups.length).toBeGreaterThanOrEqual(5);
    for (const { Properties } of groups) expect(Properties['RetentionInDays']).toBe(deployment.logDays);
  });

  test('inference has instances with one NVIDIA GPU, and one GPU a task; the others are on Fargate', () => {
    serving.hasResourceProperties('AWS::ECS::CapacityProvider', {
      ManagedInstancesProvider: {
        InstanceLaunchTemplate: {
          CapacityOptionType: 'ON_DEMAND',
          InstanceRequirements: {
            AcceleratorCount: { Min: 1, Max: 1 },
            AcceleratorManufacturers: ['nvidia'],
            AcceleratorTypes: ['gpu'],
            AllowedInstanceTypes: [...deployment.gpuTypes],
          },
        },
      },
    });
    expect(containersOf(stage).inference['ResourceRequirements']).toEqual([{ Type: 'GPU', Value: '1' }]);
    expect(serviceOf('inference')?.Properties).toHaveProperty('CapacityProviderStrategy');
    for (const name of ['gateway', 'aggregator', 'preprocess'])
      expect(serviceOf(name)?.Properties).toMatchObject({ LaunchType: 'FARGATE' });
    expect(environmentOf(containersOf(stage).inference)).toMatchObject({ VGG_DEVICE: 'gpu' });
  });

  test('the mesh speaks gRPC, and gives calls the time that services give them', () => {
    const longest = aggregatorVariables.maxDeadline.default / 1000;
    for (const name of ['aggregator', 'preprocess', 'inference'] as const) {
      const { Services } = serviceOf(name)?.Properties['ServiceConnectConfiguration'] as {
        Services: { Timeout: Record<string, number>; [key: string]: unknown }[];
      };
      expect(Services).toMatchObject([
        {
          PortName: name,
          ClientAliases: [{ DnsName: name, Port: PORTS[name] }],
          IngressPortOverride: meshPort(PORTS[name]),
        },
      ]);
      expect(Services[0]?.Timeout['PerRequestTimeoutSeconds']).toBeGreaterThan(longest);
      expect(Services[0]?.Timeout['IdleTimeoutSeconds']).toBeGreaterThan(
        Services[0]?.Timeout['PerRequestTimeoutSeconds'] ?? 0,
      );
      expect('Tls' in (Services[0] ?? {})).toBe(prod);
      expect(containersOf(stage)[name]['PortMappings']).toMatchObject([{ AppProtocol: 'grpc' }]);
    }
  });

  test('who waits has longer than whom it waits for', () => {
    const gateway = readGateway(environmentOf(containersOf(stage).gateway));
    expect(TIMES.edgeIdle * 1000).toBeGreaterThan(gateway.deadline);
    expect(gateway.keepAlive).toBeGreaterThan(TIMES.edgeIdle * 1000);
    // The load balancer cuts off what a target that leaves has not answered by then.
    for (const { Properties } of Object.values(
      resourcesOf(serving, 'AWS::ElasticLoadBalancingV2::TargetGroup'),
    )) {
      const attributes = Properties['TargetGroupAttributes'] as { Key: string; Value: string }[];
      const delay = attributes.find(({ Key }) => Key === 'deregistration_delay.timeout_seconds');
      expect(Number(delay?.Value) * 1000).toBeGreaterThan(gateway.deadline);
    }
    expect(TIMES.edgeIdle * 1000).toBeGreaterThan(aggregatorVariables.maxDeadline.default);
  });

  test('tasks may be called by whom the road says, and by nobody else', () => {
    const groups = resourcesOf(serving, 'AWS::EC2::SecurityGroup');
    const nameOf = (reference: unknown) => {
      const [id = ''] = (reference as { 'Fn::GetAtt': string[] })['Fn::GetAtt'];
      return String(groups[id]?.Properties['GroupDescription']);
    };
    const rules = Object.values(resourcesOf(serving, 'AWS::EC2::SecurityGroupIngress'))
      .map(({ Properties }) => {
        const { SourceSecurityGroupId, GroupId, FromPort } = Properties;
        return `${nameOf(SourceSecurityGroupId)} → ${nameOf(GroupId)}:${String(FromPort)}`;
      })
      .sort();
    const wanted = SCALED_SERVICES.flatMap((caller) =>
      CALLS[caller].map(
        (called) => `Tasks of ${caller} → Tasks of ${called}:${String(meshPort(PORTS[called]))}`,
      ),
    );
    wanted.push(`The load balancer → Tasks of gateway:${String(PORTS.gateway)}`);
    wanted.push(`The load balancer → Tasks of aggregator:${String(PORTS.aggregator)}`);
    expect(rules).toEqual(wanted.sort());
    // From the outside only the load balancer, and nothing out but HTTPS.
    for (const { Properties } of Object.values(groups)) {
      const open = (Properties['SecurityGroupIngress'] ?? []) as { FromPort: number }[];
      const ports = Properties['GroupDescription'] === 'The load balancer' ? [80, 443, 8443] : [];
      expect(open.map(({ FromPort }) => FromPort).sort((a, b) => a - b)).toEqual(ports);
      for (const { FromPort } of (Properties['SecurityGroupEgress'] ?? []) as { FromPort: number }[])
        expect([443, 252]).toContain(FromPort);
    }
  });

  test('apps get HTTPS with forward secrecy; the SDK gRPC, if it shows a certificate', () => {
    const TLS = 'ELBSecurityPolicy-TLS13-1-2-Res-2021-06';
    serving.hasResourceProperties('AWS::ElasticLoadBalancingV2::Listener', {
      Port: 443,
      Protocol: 'HTTPS',
      SslPolicy: TLS,
    });
    serving.hasResourceProperties('AWS::ElasticLoadBalancingV2::Listener', {
      Port: 80,
      DefaultActions: [{ Type: 'redirect', RedirectConfig: { Protocol: 'HTTPS', StatusCode: 'HTTP_301' } }],
    });
    serving.hasResourceProperties('AWS::ElasticLoadBalancingV2::Listener', {
      Port: 8443,
      SslPolicy: TLS,
      MutualAuthentication: { Mode: 'verify', TrustStoreArn: Match.anyValue() },
    });
    serving.hasResourceProperties('AWS::ElasticLoadBalancingV2::TargetGroup', {
      ProtocolVersion: 'GRPC',
      HealthCheckPath: '/grpc.health.v1.Health/Check',
      Matcher: { GrpcCode: '0' },
    });
    serving.hasResourceProperties('AWS::ElasticLoadBalancingV2::TargetGroup', {
      HealthCheckPath: '/healthz',
    });
    serving.hasResourceProperties('AWS::ElasticLoadBalancingV2::LoadBalancer', {
      LoadBalancerAttributes: Match.arrayWith([
        { Key: 'idle_timeout.timeout_seconds', Value: String(TIMES.edgeIdle) },
        { Key: 'access_logs.s3.enabled', Value: 'true' },
      ]),
    });
  });

  test('buckets are encrypted, closed and want TLS; models have versions', () => {
    for (const { Properties } of Object.values(resourcesOf(store, BYTES.s3)))
      expect(Properties).toMatchObject({
        BucketEncryption: expect.anything() as unknown,
        PublicAccessBlockConfiguration: { BlockPublicAcls: true, RestrictPublicBuckets: true },
        LifecycleConfiguration: expect.anything() as unknown,
      });
    store.hasResourceProperties(BYTES.s3, { VersioningConfiguration: { Status: 'Enabled' } });
    const denied = statementsOf(store).filter(({ statement }) => statement.effect === 'Deny');
    expect(denied.map(({ statement }) => statement.conditions)).toEqual(
      Object.keys(resourcesOf(store, BYTES.s3)).map(() => ({ Bool: { 'aws:SecureTransport': 'false' } })),
    );
  });

  test('keys come from Secrets Manager, and only the gateway may read them', () => {
    expect(containersOf(stage).gateway.Secrets?.map(({ Name }) => Name)).toEqual([
      'VGG_GATEWAY_API_KEY_LINES',
    ]);
    const readers = statementsOf(serving).filter(({ statement }) =>
      statement.actions.includes('secretsmanager:GetSecretValue'),
    );
    expect(readers.map(({ of }) => of)).toEqual([
      expect.stringMatching(/^GatewayTaskDefinitionExecutionRole/),
    ]);
  });

  test('inference may read the files of its models, and nothing else of anything', () => {
    const own = statementsOf(serving).filter(({ of }) => /TaskRole/.test(of) && !/ExecutionRole/.test(of));
    const allowed = own.filter(({ type }) => type === 'AWS::IAM::Policy');
    expect(allowed.map(({ of }) => of)).toEqual([expect.stringMatching(/^InferenceTaskDefinitionTaskRole/)]);
    expect(allowed[0]?.statement.actions).toEqual(['s3:GetObject']);
    const files = allowed[0]?.statement.resources.map((each) => textOf(each)) ?? [];
    expect(files).toHaveLength(3 * deployment.models.length);
    for (const file of files) expect(file).toMatch(/^name\/models\/[\w.-]+\/[\w.-]+$/);
  });

  // Wildcards that there are, each with why it must be one.
  const WILD: [of: RegExp, action: string, why: string][] = [
    [/TaskDefinitionExecutionRole/, 'ecr:GetAuthorizationToken', 'a login is of no repository'],
    [/InstanceRole/, 'ecs:DiscoverPollEndpoint', 'an endpoint is of no resource'],
    [/InstanceRole/, 'ecs:Poll', 'instances are named by ECS'],
    [/InstanceRole/, 'ecs:StartTelemetrySession', 'instances are named by ECS'],
    [/InstanceRole/, 'ecs:PutSystemLogEvents', 'instances are named by ECS'],
    [/EventsRole/, 'kms:GenerateDataKey*', 'actions of one key that begin so'],
    [/^NoticesKey/, 'kms:*', "of a key's own policy, * is the key"],
    [/^NoticesKey/, 'kms:Decrypt', "of a key's own policy, * is the key"],
    [/^NoticesKey/, 'kms:GenerateDataKey*', "of a key's own policy, * is the key"],
  ];

  test('no permission has a wildcard but those of the list', () => {
    const unknown = statementsOf(serving).flatMap(({ of, statement: { effect, actions, resources } }) => {
      const wild = effect === 'Allow' && resources.some((each) => textOf(each).includes('*'));
      return actions
        .filter((action) => wild || action.includes('*'))
        .filter((action) => !WILD.some(([where, known]) => where.test(of) && known === action))
        .map((action) => `${of}: ${action}`);
    });
    expect(unknown).toEqual([]);
  });

  test('each wildcard of the list is there', () => {
    const all = statementsOf(serving);
    const gone = WILD.filter(
      ([where, action]) =>
        !all.some(({ of, statement }) => where.test(of) && statement.actions.includes(action)),
    );
    expect(gone).toEqual([]);
  });

  test('each service scales by its rules, and by nothing else', () => {
    const targets = Object.values(resourcesOf(serving, 'AWS::ApplicationAutoScaling::ScalableTarget'));
    const bounds = targets.map(({ Properties }) => [Properties['MinCapacity'], Properties['MaxCapacity']]);
    expect(bounds).toEqual(
      SCALED_SERVICES.map((name) => SCALING[name].tasks[stage.stage]).map(({ min, max }) => [min, max]),
    );
    const policies = Object.values(resourcesOf(serving, 'AWS::ApplicationAutoScaling::ScalingPolicy'));
    const alarms = Object.values(resourcesOf(serving, BYTES.alarm));
    const rules = SCALED_SERVICES.flatMap((service) =>
      SCALING[service].rules.map((rule) => ({ service, rule })),
    );
    expect(policies).toHaveLength(rules.length);
    for (const { service, rule } of rules) {
      const name = `vgg-serve-${stage.stage}-${service}-${rule.name}`;
      const policy = policies.find(({ Properties }) => Properties['PolicyName'] === name);
      if (rule.type === 'step') {
        const alarm = alarms.find(({ Properties }) => Properties['AlarmName'] === name) as Resource;
        const { Metrics, ...own } = alarm.Properties as { Metrics: { Expression?: string; Id: string }[] };
        expect(own).toMatchObject({
          ComparisonOperator: rule.comparison,
          Threshold: rule.threshold,
          EvaluationPeriods: rule.evaluationPeriods,
          DatapointsToAlarm: rule.datapointsToAlarm,
          TreatMissingData: rule.treatMissingData,
        });
        expect(Metrics.map(({ Expression }) => Expression).filter(Boolean)).toEqual([rule.metric.expression]);
        expect(
          Metrics.filter(({ Expression }) => !Expression)
            .map(({ Id }) => Id)
            .sort(),
        ).toEqual(Object.keys(rule.metric.metrics).sort());
        expect(policy?.Properties['StepScalingPolicyConfiguration']).toMatchObject({
          AdjustmentType: rule.adjustmentType,
          Cooldown: rule.cooldownSeconds,
          StepAdjustments: rule.steps.map(({ adjustment, lower, upper }) => ({
            ScalingAdjustment: adjustment,
            ...(lower !== undefined && { MetricIntervalLowerBound: lower }),
            ...(upper !== undefined && { MetricIntervalUpperBound: upper }),
          })),
        });
      } else {
        expect(policy?.Properties['TargetTrackingScalingPolicyConfiguration']).toMatchObject({
          TargetValue: rule.target,
          ScaleInCooldown: rule.scaleInCooldownSeconds,
          ScaleOutCooldown: rule.scaleOutCooldownSeconds,
        });
      }
    }
  });

  test('people hear of it: a closed topic, a budget, failed deployments', () => {
    serving.hasResourceProperties('AWS::Budgets::Budget', {
      Budget: { BudgetLimit: { Amount: deployment.budgetUsd, Unit: 'USD' }, TimeUnit: 'MONTHLY' },
    });
    serving.hasResourceProperties('AWS::SNS::Topic', { KmsMasterKeyId: Match.anyValue() });
    // Fields that the event has: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_service_deployment_events.html
    serving.hasResourceProperties('AWS::Events::Rule', {
      EventPattern: {
        source: ['aws.ecs'],
        'detail-type': ['ECS Deployment State Change'],
        resources: [{ prefix: Match.anyValue() }],
        detail: Match.objectEquals({ eventName: ['SERVICE_DEPLOYMENT_FAILED'] }),
      },
      Targets: [Match.objectLike({ RoleArn: Match.anyValue() })],
    });
    const topic = statementsOf(serving).filter(({ type }) => type === 'AWS::SNS::TopicPolicy');
    expect(topic.some(({ statement }) => statement.effect === 'Deny')).toBe(true);
    // Nobody tells it but for this account.
    for (const { statement } of topic)
      if (statement.effect === 'Allow') expect(JSON.stringify(statement)).toContain('aws:SourceAccount');
  });

  test('the network has as many zones as were asked for, and a way out', () => {
    serving.resourceCountIs('AWS::EC2::Subnet', 2 * deployment.zones);
    serving.resourceCountIs('AWS::EC2::NatGateway', prod ? deployment.zones : 1);
    serving.hasResourceProperties('AWS::EC2::VPCEndpoint', { VpcEndpointType: 'Gateway' });
    serving.resourceCountIs('AWS::EC2::FlowLog', 1);
    serving.resourceCountIs('AWS::WAFv2::WebACL', prod ? 1 : 0);
    serving.resourceCountIs('AWS::ACMPCA::CertificateAuthority', prod ? 1 : 0);
  });
});

describe('choices', () => {
  test('without authorities of client certificates gRPC is not offered to the outside', () => {
    const { serving } = templatesOf('dev');
    serving.resourceCountIs('AWS::ElasticLoadBalancingV2::Listener', 2);
    serving.resourceCountIs('AWS::ElasticLoadBalancingV2::TargetGroup', 1);
  });

  test('on spot, the least number of tasks is not, and a task drains within two minutes', () => {
    const spot = templatesOf('prod', { VGG_DEPLOY_SPOT: 'on', VGG_DEPLOY_GPU_TYPES: 'g5.*,g6.*' });
    const options = Object.values(resourcesOf(spot.serving, 'AWS::ECS::CapacityProvider')).map(
      ({ Properties }) =>
        (Properties['ManagedInstancesProvider'] as { InstanceLaunchTemplate: { CapacityOptionType: string } })
          .InstanceLaunchTemplate.CapacityOptionType,
    );
    expect(options).toEqual(['ON_DEMAND', 'SPOT']);
    const inference = Object.values(resourcesOf(spot.serving, 'AWS::ECS::Service')).find(
      ({ Properties }) => Properties['ServiceName'] === 'inference',
    );
    expect(inference?.Properties['CapacityProviderStrategy']).toMatchObject([
      { Base: SCALING.inference.tasks.prod.min, Weight: 0 },
      { Weight: 1 },
    ]);
    expect(readInference(environmentOf(containersOf(spot).inference)).drain).toBe(90_000);
  });

  test.each([
    ['VGG_DEPLOY_GPU_TYPES', 'large', 'instance types'],
    ['VGG_DEPLOY_MODELS', ' ', 'VGG_DEPLOY_MODELS'],
    ['VGG_DEPLOY_ZONE', '2', 'did you mean VGG_DEPLOY_ZONES?'],
    ['VGG_DEPLOY_ALARM_EMAIL', 'nobody', 'an e-mail address'],
  ])('%s=%s stops the synthesis', (name, value, message) => {
    if (value === ' ') expect(() => templatesOf('dev', { [name]: ',' })).toThrow(message);
    else expect(() => templatesOf('dev', { [name]: value })).toThrow(message);
  });
});
