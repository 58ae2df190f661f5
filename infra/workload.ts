// A service as ECS runs it: task, place in the mesh, deployment. The same for all four; what differs is a parameter. Knows
// ECS; of the services their names and ports.

import { Duration } from 'aws-cdk-lib';
import type { ISecurityGroup } from 'aws-cdk-lib/aws-ec2';
import {
  AppProtocol,
  FargateService,
  LogDrivers,
  PropagatedTagSource,
  type CapacityProviderStrategy,
  type Cluster,
  type ICluster,
  type ServiceConnectTlsConfiguration,
} from 'aws-cdk-lib/aws-ecs';
import { Construct } from 'constructs';
import type { ScaledService } from './scaling.ts';
import { Task, type TaskProps } from './task.ts';

/** What the services differ by. */
export interface WorkloadProps extends Omit<TaskProps, 'name' | 'gpus' | 'healthCheck' | 'portMappings'> {
  cluster: Cluster;
  service: ScaledService;
  /** Where the service listens. */
  port: number;
  protocol: 'http' | 'grpc';
  /** Members of the mesh may call it by its name; without this it only calls others. */
  mesh?: { idleSeconds: number; requestSeconds: number; tls?: ServiceConnectTlsConfiguration };
  group: ISecurityGroup;
  /** Seconds in which a new task may fail its health checks. */
  startSeconds: number;
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

  constructor(scope: Construct, id: string, props: WorkloadProps) {
    super(scope, id);
    const { cluster, service, port, protocol, mesh, group, gpu } = props;
    const task = new Task(this, 'Task', {
      ...props,
      name: service,
      ...(gpu && { gpus: gpu.count }),
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
      portMappings: [
        {
          name: service,
          containerPort: port,
          appProtocol: protocol === 'grpc' ? AppProtocol.grpc : AppProtocol.http,
        },
      ],
    });
    this.service = new FargateService(this, 'Service', {
      cluster: cluster as ICluster,
      taskDefinition: task.definition,
      serviceName: service,
      securityGroups: [group],
      assignPublicIp: false,
      minHealthyPercent: props.healthy.min,
      maxHealthyPercent: props.healthy.max,
      // A version whose tasks do not start goes back to the one before by itself.
      circuitBreaker: { rollback: true },
      enableECSManagedTags: true,
      // What a stage costs is told by its tags, of tasks too.
      propagateTags: PropagatedTagSource.SERVICE,
      ...(gpu && { capacityProviderStrategies: [...gpu.strategy] }),
      serviceConnectConfiguration: {
        logDriver: LogDrivers.awsLogs({ logGroup: task.logGroup, streamPrefix: 'mesh' }),
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
