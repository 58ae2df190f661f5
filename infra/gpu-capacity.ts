// Instances with a GPU that ECS starts and ends with the tasks on them: none when no task is wanted. Knows instance
// types; nothing of what runs there.

import { Size } from 'aws-cdk-lib';
import {
  AcceleratorManufacturer,
  AcceleratorType,
  BareMetal,
  BurstablePerformance,
  type ISecurityGroup,
  type IVpc,
} from 'aws-cdk-lib/aws-ec2';
import {
  CapacityOptionType,
  CfnCapacityProvider,
  ManagedInstancesCapacityProvider,
  PropagateManagedInstancesTags,
  type CapacityProviderStrategy,
  type Cluster,
} from 'aws-cdk-lib/aws-ecs';
import { Construct } from 'constructs';
import { acknowledge } from './findings.ts';

/** What the instances must have. */
export interface GpuCapacityProps {
  vpc: IVpc;
  cluster: Cluster;
  group: ISecurityGroup;
  /** Instance types, * for any ending. */
  types: readonly string[];
  /** Whether tasks beyond the least number run on spot instances. */
  spot: boolean;
  /** Least number of tasks: they never run on spot instances. */
  leastTasks: number;
  /** What a task needs. */
  task: { vcpu: number; memoryGb: number; gpuMemoryGb: number };
}

// GiB of an instance's disk, for images: CUDA's libraries are five.
const DISK_GB = 80;
// Of an instance without a task, until it is ended: long enough for a task that is replaced to find it warm.
const IDLE_SECONDS = 120;

/** One capacity provider of on-demand instances, and one of spot instances if they are wanted. */
export class GpuCapacity extends Construct {
  /** How tasks of inference are spread. */
  readonly strategy: readonly CapacityProviderStrategy[];
  /** Provider for work that loses nothing when its instance is taken away: of spot instances, if there are any. */
  readonly restartable: string;

  constructor(scope: Construct, id: string, props: GpuCapacityProps) {
    super(scope, id);
    const { spot, leastTasks } = props;
    const onDemand = this.#provider('OnDemand', CapacityOptionType.ON_DEMAND, props);
    if (!spot) {
      this.restartable = onDemand;
      this.strategy = [{ capacityProvider: onDemand, weight: 1 }];
      return;
    }
    const cheap = this.#provider('Spot', CapacityOptionType.SPOT, props);
    this.restartable = cheap;
    this.strategy = [
      ...(leastTasks > 0 ? [{ capacityProvider: onDemand, base: leastTasks, weight: 0 }] : []),
      { capacityProvider: cheap, weight: 1 },
    ];
  }

  #provider(name: string, capacityOptionType: CapacityOptionType, props: GpuCapacityProps): string {
    const { vpc, cluster, group, types, task } = props;
    const provider = new ManagedInstancesCapacityProvider(this, name, {
      capacityOptionType,
      subnets: vpc.privateSubnets,
      securityGroups: [group],
      taskVolumeStorage: Size.gibibytes(DISK_GB),
      propagateTags: PropagateManagedInstancesTags.CAPACITY_PROVIDER,
      instanceRequirements: {
        vCpuCountMin: task.vcpu,
        memoryMin: Size.gibibytes(task.memoryGb),
        allowedInstanceTypes: [...types],
        acceleratorTypes: [AcceleratorType.GPU],
        acceleratorManufacturers: [AcceleratorManufacturer.NVIDIA],
        acceleratorCountMin: 1,
        acceleratorCountMax: 1,
        acceleratorTotalMemoryMin: Size.gibibytes(task.gpuMemoryGb),
        bareMetal: BareMetal.EXCLUDED,
        burstablePerformance: BurstablePerformance.EXCLUDED,
      },
    });
    const resource = provider.node.defaultChild as CfnCapacityProvider;
    resource.addPropertyOverride(
      'ManagedInstancesProvider.InfrastructureOptimization.ScaleInAfter',
      IDLE_SECONDS,
    );
    cluster.addManagedInstancesCapacityProvider(provider);
    acknowledge(
      provider,
      'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/AmazonECSInfrastructureRolePolicyForManagedInstances]',
      'The policy by which ECS starts and ends the instances: it is bound to what ECS itself has tagged, and kept in step with ECS by AWS.',
    );
    for (const finding of [
      'Resource::*',
      'Resource::arn:<AWS::Partition>:ecs:<AWS::Region>:<AWS::AccountId>:container-instance/*',
    ])
      acknowledge(
        provider,
        `AwsSolutions-IAM5[${finding}]`,
        "An instance registers itself: its name is not known before, and finding ECS's endpoint is of no resource.",
      );
    return provider.capacityProviderName;
  }
}
