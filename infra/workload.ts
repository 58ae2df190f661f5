// A service as ECS runs it: task, container, roles, place in the mesh, deployment. The same for all four; what differs
// is a parameter. Knows ECS; of the services their names, ports and variables.

import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import type { ISecurityGroup } from 'aws-cdk-lib/aws-ec2';
import type { IRepository } from 'aws-cdk-lib/aws-ecr';
import {
  AppProtocol,
  Compatibility,
  ContainerImage,
  FargateService,
  LinuxParameters,
  LogDrivers,
  NetworkMode,
  Secret as EcsSecret,
  TaskDefinition,
  type CapacityProviderStrategy,
  type Cluster,
  type ICluster,
  type ContainerDefinition,
  type ServiceConnectTlsConfiguration,
} from 'aws-cdk-lib/aws-ecs';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { Deployment } from './config.ts';
import { acknowledge } from './findings.ts';
import type { ScaledService } from './scaling.ts';

/** What the services differ by. */
export interface WorkloadProps {
  deployment: Deployment;
  cluster: Cluster;
  service: ScaledService;
  image: IRepository;
  imageTag: string;
  /** By names as they are set. */
  environment: Record<string, string>;
  /** Variables that hold a secret's value. */
  secrets?: Record<string, ISecret>;
  /** Of Fargate, or of the instance that it is placed on. */
  size: { vcpu: number; memoryGb: number };
  /** Where the service listens. */
  port: number;
  protocol: 'http' | 'grpc';
  /** Members of the mesh may call it by its name; without this it only calls others. */
  mesh?: { idleSeconds: number; requestSeconds: number; tls?: ServiceConnectTlsConfiguration };
  group: ISecurityGroup;
  /** Seconds from SIGTERM to SIGKILL: the service's drain time and more; 120 is the most that ECS has. */
  stopSeconds: number;
  /** Seconds in which a new task may fail its health checks. */
  startSeconds: number;
  /** Folders in memory that may be written to, in MiB; everything else is read only. */
  writable: Readonly<Record<string, number>>;
  /** Instances of its own, with GPUs for each task; else Fargate. */
  gpu?: { count: number; strategy: readonly CapacityProviderStrategy[] };
  /** Percent of the wanted tasks that run at least, and at most, while a new version comes. */
  healthy: { min: number; max: number };
}

/** Port at which a task takes calls of the mesh; its own port is then its own, and only for whom the network lets. */
export function meshPort(port: number): number {
  return port + 1000;
}

/** The service `NAME` in the stack. */
export class Workload extends Construct {
  readonly service: FargateService;
  readonly container: ContainerDefinition;
  readonly logGroup: LogGroup;

  constructor(scope: Construct, id: string, props: WorkloadProps) {
    super(scope, id);
    const { deployment, cluster, service, port, protocol, mesh, group, gpu } = props;
    const removalPolicy = deployment.keep ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY;
    this.logGroup = new LogGroup(this, 'Logs', { retention: deployment.logDays, removalPolicy });
    const task = new TaskDefinition(this, 'Task', {
      compatibility: gpu ? Compatibility.MANAGED_INSTANCES : Compatibility.FARGATE,
      networkMode: NetworkMode.AWS_VPC,
      cpu: String(props.size.vcpu * 1024),
      memoryMiB: String(props.size.memoryGb * 1024),
      family: `vgg-serve-${deployment.stage}-${service}`,
    });
    const linuxParameters = new LinuxParameters(this, 'Linux', {});
    for (const [containerPath, size] of Object.entries(props.writable))
      linuxParameters.addTmpfs({ containerPath, size });
    this.container = task.addContainer(service, {
      image: ContainerImage.fromEcrRepository(props.image, props.imageTag),
      environment: props.environment,
      secrets: Object.fromEntries(
        Object.entries(props.secrets ?? {}).map(([name, secret]) => [
          name,
          EcsSecret.fromSecretsManager(secret),
        ]),
      ),
      logging: LogDrivers.awsLogs({ logGroup: this.logGroup, streamPrefix: service }),
      healthCheck: {
        // Of the gateway whether it lives: it is not ready while services behind it are not, which ending it would not mend.
        command: [
          'CMD',
          'node',
          'dist/cli/main.js',
          'probe',
          service,
          ...(protocol === 'http' ? ['--live'] : []),
        ],
        interval: Duration.seconds(10),
        timeout: Duration.seconds(5),
        retries: 3,
        startPeriod: Duration.seconds(Math.min(props.startSeconds, 300)),
      },
      readonlyRootFilesystem: true,
      linuxParameters,
      user: '1000:1000',
      stopTimeout: Duration.seconds(props.stopSeconds),
      portMappings: [
        {
          name: service,
          containerPort: port,
          appProtocol: protocol === 'grpc' ? AppProtocol.grpc : AppProtocol.http,
        },
      ],
      ...(gpu && { gpuCount: gpu.count }),
    });
    acknowledge(
      task,
      'AwsSolutions-ECS2',
      'The variables are settings that the service itself reads and checks; what is secret comes from Secrets Manager.',
    );
    acknowledge(
      task.obtainExecutionRole(),
      'AwsSolutions-IAM5[Resource::*]',
      "ecr:GetAuthorizationToken is of no resource; what the token opens is the service's own repository alone.",
    );
    this.service = new FargateService(this, 'Service', {
      cluster: cluster as ICluster,
      taskDefinition: task,
      serviceName: service,
      securityGroups: [group],
      assignPublicIp: false,
      minHealthyPercent: props.healthy.min,
      maxHealthyPercent: props.healthy.max,
      // A version whose tasks do not start goes back to the one before by itself.
      circuitBreaker: { rollback: true },
      enableECSManagedTags: true,
      ...(gpu && { capacityProviderStrategies: [...gpu.strategy] }),
      serviceConnectConfiguration: {
        logDriver: LogDrivers.awsLogs({ logGroup: this.logGroup, streamPrefix: 'mesh' }),
        ...(mesh && {
          services: [
            {
              portMappingName: service,
              dnsName: service,
              port,
              ingressPortOverride: meshPort(port),
              idleTimeout: Duration.seconds(mesh.idleSeconds),
              perRequestTimeout: Duration.seconds(mesh.requestSeconds),
              ...(mesh.tls && { tls: mesh.tls }),
            },
          ],
        }),
      },
    });
  }
}
