// The network: public subnets for the load balancer alone, private ones for every task. Knows no service.
//
// Tasks reach AWS's own services through NAT gateways, of which dev has one and prod one a zone, and the bucket through
// a gateway endpoint, which costs nothing and carries what is large: image layers and models. Interface endpoints
// instead would be seven (images' two, logs, secrets, ECS's three) in each zone: more a month than the gateways, and
// ECS names NAT as what managed instances need. That no task can speak to strangers is what security groups are for:
// nothing leaves but HTTPS.

import { RemovalPolicy } from 'aws-cdk-lib';
import {
  FlowLogDestination,
  FlowLogTrafficType,
  GatewayVpcEndpointAwsService,
  IpAddresses,
  Peer,
  Port,
  SecurityGroup,
  SubnetType,
  Vpc,
  type IVpc,
} from 'aws-cdk-lib/aws-ec2';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { Deployment } from './config.ts';

/** VPC of a deployment, with flow logs. */
export class Network extends Construct {
  // The library's classes say of optional properties what this project's compiler is stricter about.
  readonly vpc: IVpc;

  constructor(scope: Construct, id: string, { stage, zones, cidr, logDays, keep }: Deployment) {
    super(scope, id);
    const vpc = new Vpc(this, 'Vpc', {
      ipAddresses: IpAddresses.cidr(cidr),
      maxAzs: zones,
      natGateways: stage === 'prod' ? zones : 1,
      restrictDefaultSecurityGroup: false,
      subnetConfiguration: [
        { name: 'edge', subnetType: SubnetType.PUBLIC, cidrMask: 24, mapPublicIpOnLaunch: false },
        { name: 'tasks', subnetType: SubnetType.PRIVATE_WITH_EGRESS, cidrMask: 20 },
      ],
      gatewayEndpoints: { S3: { service: GatewayVpcEndpointAwsService.S3 } },
    });
    const logGroup = new LogGroup(this, 'Flows', {
      retention: logDays,
      removalPolicy: keep ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    vpc.addFlowLog('FlowLog', {
      destination: FlowLogDestination.toCloudWatchLogs(logGroup),
      trafficType: FlowLogTrafficType.REJECT,
    });
    this.vpc = vpc as IVpc;
  }

  /** A security group whose members may speak HTTPS to the outside, and whatever else is allowed to them by name. */
  group(name: string, description: string): SecurityGroup {
    return outwardGroup(this, name, this.vpc, description);
  }

  /** A security group whose members may do nothing but what is allowed to them by name. */
  closedGroup(name: string, description: string): SecurityGroup {
    return new SecurityGroup(this, name, { vpc: this.vpc, description, allowAllOutbound: false });
  }
}

/** A security group, anywhere, whose members may speak HTTPS to the outside, and nothing else. */
export function outwardGroup(scope: Construct, id: string, vpc: IVpc, description: string): SecurityGroup {
  const group = new SecurityGroup(scope, id, { vpc, description, allowAllOutbound: false });
  group.addEgressRule(Peer.anyIpv4(), Port.tcp(443), 'AWS: images, logs, secrets, models');
  return group;
}
