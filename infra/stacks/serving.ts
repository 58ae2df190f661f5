// The four services, what they stand on and what watches them. Knows who calls whom, and what each service is told.

import { CfnOutput, Fn, Stack, type StackProps } from 'aws-cdk-lib';
import { Port, type IVpc, type SecurityGroup } from 'aws-cdk-lib/aws-ec2';
import { Cluster, ContainerInsights } from 'aws-cdk-lib/aws-ecs';
import { NamespaceType } from 'aws-cdk-lib/aws-servicediscovery';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import { aggregatorVariables } from '../../services/aggregator/config.ts';
import { gatewayVariables } from '../../services/gateway/config.ts';
import { inferenceVariables } from '../../services/inference/config.ts';
import { preprocessVariables } from '../../services/preprocess/config.ts';
import { Alarms } from '../alarms.ts';
import { Autoscaling } from '../autoscaling.ts';
import { MeshAuthority } from '../certificate-authority.ts';
import type { Deployment } from '../config.ts';
import { ServingDashboard } from '../dashboard.ts';
import { Edge, SDK_PORT } from '../edge.ts';
import { GpuCapacity } from '../gpu-capacity.ts';
import { Network } from '../network.ts';
import { Notices } from '../notices.ts';
import { SCALED_SERVICES, SCALING, type ScaledService } from '../scaling.ts';
import { MODELS_FOLDER, settingsOf, TIMES } from '../settings.ts';
import { meshPort, Workload, type WorkloadProps } from '../workload.ts';
import { EDGE_LOGS, imageTagOf, type StoreStack } from './store.ts';

/** What a task of inference has: all of the smallest of the default instance types but what ECS itself needs. */
export const GPU_TASK = { vcpu: 3, memoryGb: 12, gpuMemoryGb: 15, gpus: 1 };
// MiB of memory in which models are: weights are read from there as they lie.
const MODELS_MIB = 4096;
const TMP_MIB = 64;
/** Folders in memory, in MiB, of a task that loads models. */
export const MODEL_TASK_FOLDERS = { '/tmp': TMP_MIB, [MODELS_FOLDER]: MODELS_MIB };

/** Port at which each service listens. */
export const PORTS: Readonly<Record<ScaledService, number>> = {
  gateway: gatewayVariables.port.default,
  aggregator: aggregatorVariables.port.default,
  preprocess: preprocessVariables.port.default,
  inference: inferenceVariables.port.default,
};

/** Who calls whom. */
export const CALLS: Readonly<Record<ScaledService, readonly ScaledService[]>> = {
  gateway: ['aggregator', 'inference'],
  aggregator: ['preprocess', 'inference'],
  preprocess: [],
  inference: [],
};

/** The services of a stage. */
export class ServingStack extends Stack {
  readonly workloads: Readonly<Record<ScaledService, Workload>>;
  readonly cluster: Cluster;
  readonly gpu: GpuCapacity;
  readonly vpc: IVpc;
  /** Where alarms are told of. */
  readonly topic: ITopic;
  readonly #zones: number;

  /** Zones without names: which they are is the account's to know. The library assumes two. */
  override get availabilityZones(): string[] {
    return Array.from({ length: this.#zones }, (_, i) => Fn.select(i, Fn.getAzs()));
  }

  constructor(scope: Construct, id: string, deployment: Deployment, store: StoreStack, props: StackProps) {
    super(scope, id, props);
    this.#zones = deployment.zones;
    const { stage } = deployment;
    const imageTag = imageTagOf(this);
    const network = new Network(this, 'Network', deployment);
    const { vpc } = network;
    this.vpc = vpc;
    this.cluster = new Cluster(this, 'Cluster', {
      vpc,
      clusterName: `vgg-serve-${stage}`,
      containerInsightsV2: ContainerInsights.ENABLED,
    });
    this.cluster.addDefaultCloudMapNamespace({
      name: `${stage}.vgg-serve.internal`,
      type: NamespaceType.HTTP,
      useForServiceConnect: true,
    });
    const groups = Object.fromEntries(
      SCALED_SERVICES.map((name) => [name, network.group(`${name}-tasks`, `Tasks of ${name}`)]),
    ) as Record<ScaledService, SecurityGroup>;
    for (const caller of SCALED_SERVICES) {
      for (const called of CALLS[caller])
        groups[caller].connections.allowTo(
          groups[called],
          Port.tcp(meshPort(PORTS[called])),
          `${caller} calls ${called}`,
        );
    }
    this.gpu = new GpuCapacity(this, 'Gpu', {
      vpc,
      cluster: this.cluster,
      group: network.group('gpu-instances', 'Instances that tasks of inference are on'),
      types: deployment.gpuTypes,
      spot: deployment.spot,
      leastTasks: SCALING.inference.tasks[stage].min,
      task: GPU_TASK,
    });
    const authority = deployment.encryptInside ? new MeshAuthority(this, 'Authority', stage) : undefined;
    const settings = settingsOf(deployment, {
      ports: PORTS,
      modelsSource: store.modelsSource,
    });
    const common = (service: ScaledService) => ({
      deployment,
      cluster: this.cluster,
      service,
      imageTag,
      image: store.images[service],
      environment: settings[service],
      size: SCALING[service].size ?? GPU_TASK,
      port: PORTS[service],
      group: groups[service],
      writable: { '/tmp': TMP_MIB },
      startSeconds: 30,
      stopSeconds: TIMES.stop[service],
      healthy: { min: 100, max: 200 },
    });
    const mesh: WorkloadProps['mesh'] = {
      idleSeconds: TIMES.meshIdle,
      requestSeconds: TIMES.meshRequest,
      ...(authority && { tls: authority.tls }),
    };
    const preprocess = new Workload(this, 'Preprocess', { ...common('preprocess'), protocol: 'grpc', mesh });
    const inference = new Workload(this, 'Inference', {
      ...common('inference'),
      protocol: 'grpc',
      mesh,
      gpu: { count: GPU_TASK.gpus, strategy: this.gpu.strategy },
      writable: MODEL_TASK_FOLDERS,
      asksAws: true,
      startSeconds: TIMES.inferenceStart,
      // A second GPU for minutes is worth no gap in prod; in dev photos wait for the new task as they do at zero.
      healthy: stage === 'prod' ? { min: 100, max: 200 } : { min: 0, max: 100 },
    });
    store.letReadModels(inference.service.taskDefinition, deployment.models);
    const aggregator = new Workload(this, 'Aggregator', { ...common('aggregator'), protocol: 'grpc', mesh });
    const gateway = new Workload(this, 'Gateway', {
      ...common('gateway'),
      protocol: 'http',
      secrets: { [settings.names.apiKeyLines]: store.apiKeys },
    });
    this.workloads = { gateway, aggregator, preprocess, inference };
    for (const caller of SCALED_SERVICES) {
      // A task knows only what was in the mesh when it was deployed.
      for (const called of CALLS[caller])
        this.workloads[caller].service.node.addDependency(this.workloads[called].service);
      if (authority) this.workloads[caller].service.node.addDependency(authority.ready);
    }
    const edge = new Edge(this, 'Edge', {
      deployment,
      vpc,
      group: network.closedGroup('edge', 'The load balancer'),
      accessLogs: store.accessLogs,
      accessLogsPrefix: EDGE_LOGS,
      gateway,
      gatewayPort: PORTS.gateway,
      aggregator,
      aggregatorPort: PORTS.aggregator,
      idleSeconds: TIMES.edgeIdle,
      leaveSeconds: TIMES.leave,
    });
    const services = Object.fromEntries(
      SCALED_SERVICES.map((name) => [name, this.workloads[name].service]),
    ) as Record<ScaledService, Workload['service']>;
    for (const service of SCALED_SERVICES)
      new Autoscaling(this, `Scaling-${service}`, { stage, cluster: this.cluster, services, service });
    const { topic } = new Notices(this, 'Notices', deployment);
    this.topic = topic;
    const watched = { stage, cluster: this.cluster, services, edge };
    const { alarms } = new Alarms(this, 'Alarms', {
      ...watched,
      topic,
      deadlineSeconds: TIMES.gatewayDeadline,
    });
    new ServingDashboard(this, 'Dashboard', { ...watched, alarms });
    new CfnOutput(this, 'Address', { value: edge.balancer.loadBalancerDnsName });
    if (edge.aggregator) new CfnOutput(this, 'SdkPort', { value: String(SDK_PORT) });
  }
}
