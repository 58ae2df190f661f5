// A task as ECS runs it: one container of one image, its roles, its logs, what it may write. The same for services and for
// jobs; what differs is a parameter. Knows ECS; no service.

import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import type { IRepository } from 'aws-cdk-lib/aws-ecr';
import {
  Compatibility,
  ContainerImage,
  LinuxParameters,
  LogDrivers,
  NetworkMode,
  Secret as EcsSecret,
  TaskDefinition,
  type ContainerDefinition,
  type HealthCheck,
  type PortMapping,
} from 'aws-cdk-lib/aws-ecs';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { Deployment } from './config.ts';
import { acknowledge } from './findings.ts';

/** What tasks differ by. */
export interface TaskProps {
  deployment: Deployment;
  /** Of the container, of its logs, and, after the stage, of the family. */
  name: string;
  image: IRepository;
  imageTag: string;
  /** By names as they are set. */
  environment: Record<string, string>;
  /** Whether it asks AWS for anything: then it is told in which region. */
  asksAws?: boolean;
  /** Variables that hold a secret's value. */
  secrets?: Record<string, ISecret>;
  /** Of Fargate, or of the instance that it is placed on. */
  size: { vcpu: number; memoryGb: number };
  /** Seconds from SIGTERM to SIGKILL; 120 is the most that ECS has. */
  stopSeconds: number;
  /** Folders in memory that may be written to, in MiB; everything else is read only. */
  writable: Readonly<Record<string, number>>;
  /** GPUs: it is placed on a managed instance that has them; without, it is for Fargate. */
  gpus?: number;
  healthCheck?: HealthCheck;
  portMappings?: PortMapping[];
}

/** The task `vgg-serve-STAGE-NAME`. */
export class Task extends Construct {
  readonly definition: TaskDefinition;
  readonly container: ContainerDefinition;
  readonly logGroup: LogGroup;

  constructor(scope: Construct, id: string, props: TaskProps) {
    super(scope, id);
    const { deployment, name, gpus } = props;
    const removalPolicy = deployment.keep ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY;
    this.logGroup = new LogGroup(this, 'Logs', { retention: deployment.logDays, removalPolicy });
    this.definition = new TaskDefinition(this, 'Definition', {
      compatibility: gpus === undefined ? Compatibility.FARGATE : Compatibility.MANAGED_INSTANCES,
      networkMode: NetworkMode.AWS_VPC,
      cpu: String(props.size.vcpu * 1024),
      memoryMiB: String(props.size.memoryGb * 1024),
      family: `vgg-serve-${deployment.stage}-${name}`,
    });
    const linuxParameters = new LinuxParameters(this, 'Linux', {});
    for (const [containerPath, size] of Object.entries(props.writable))
      linuxParameters.addTmpfs({ containerPath, size });
    this.container = this.definition.addContainer(name, {
      image: ContainerImage.fromEcrRepository(props.image, props.imageTag),
      environment: {
        ...props.environment,
        // Fargate says so itself; instances with an agent before April 2026 do not, and the AWS SDK asks nobody else.
        ...(props.asksAws && { AWS_REGION: Stack.of(this).region }),
      },
      secrets: Object.fromEntries(
        Object.entries(props.secrets ?? {}).map(([variable, secret]) => [
          variable,
          EcsSecret.fromSecretsManager(secret),
        ]),
      ),
      logging: LogDrivers.awsLogs({ logGroup: this.logGroup, streamPrefix: name }),
      readonlyRootFilesystem: true,
      linuxParameters,
      user: '1000:1000',
      stopTimeout: Duration.seconds(props.stopSeconds),
      ...(props.healthCheck && { healthCheck: props.healthCheck }),
      ...(props.portMappings && { portMappings: props.portMappings }),
      ...(gpus !== undefined && { gpuCount: gpus }),
    });
    acknowledge(
      this.definition,
      'AwsSolutions-ECS2',
      'The variables are settings that the program itself reads and checks; what is secret comes from Secrets Manager.',
    );
    acknowledge(
      this.definition.obtainExecutionRole(),
      'AwsSolutions-IAM5[Resource::*]',
      "ecr:GetAuthorizationToken is of no resource; what the token opens is the task's own repository alone.",
    );
  }
}
