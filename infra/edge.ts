// What the world sees: one load balancer with HTTPS for apps and, if there are client certificates to check, gRPC for
// the SDK. Knows ports and certificates; nothing of photos.
//
// The gateway has API keys; the aggregator has none, so whoever may call it from outside must show a certificate that
// the load balancer checks (VGG_DEPLOY_SDK_CLIENT_CA). Without such authorities there is no gRPC listener.
//
// The firewall counts requests of an address and knows addresses of ill repute. The common rules are left out: they
// judge bodies, of which they see 8 KB to 64 KB, and a photo is megabytes of what looks like anything.

import { CfnParameter, Duration } from 'aws-cdk-lib';
import { Port, Peer, SubnetType, type IVpc, type SecurityGroup } from 'aws-cdk-lib/aws-ec2';
import {
  ApplicationLoadBalancer,
  ApplicationProtocol,
  ApplicationProtocolVersion,
  ApplicationTargetGroup,
  ListenerAction,
  ListenerCertificate,
  MutualAuthenticationMode,
  SslPolicy,
  TargetType,
  TrustStore,
} from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { CfnWebACL, CfnWebACLAssociation } from 'aws-cdk-lib/aws-wafv2';
import { Construct } from 'constructs';
import type { Deployment } from './config.ts';
import { acknowledge } from './findings.ts';
import type { Workload } from './workload.ts';

/** What stands behind, and how long it may take. */
export interface EdgeProps {
  deployment: Deployment;
  vpc: IVpc;
  group: SecurityGroup;
  accessLogs: IBucket;
  accessLogsPrefix: string;
  gateway: Workload;
  gatewayPort: number;
  aggregator: Workload;
  aggregatorPort: number;
  /** Seconds without a byte after which a connection is closed: more than any answer takes. */
  idleSeconds: number;
  /** Seconds in which a target that leaves still answers. */
  leaveSeconds: number;
}

/** Where gRPC is offered to the SDK. */
export const SDK_PORT = 8443;
// Requests of one address in five minutes.
const WAF_REQUESTS = 3000;
// An offer of TLS 1.3 and of 1.2 with forward secrecy alone.
const TLS = SslPolicy.TLS13_RES;

/** Load balancer, listeners, firewall. */
export class Edge extends Construct {
  readonly balancer: ApplicationLoadBalancer;
  readonly gateway: ApplicationTargetGroup;
  readonly aggregator: ApplicationTargetGroup | undefined;

  constructor(scope: Construct, id: string, props: EdgeProps) {
    super(scope, id);
    const { deployment, vpc, group } = props;
    this.balancer = new ApplicationLoadBalancer(this, 'Balancer', {
      vpc,
      internetFacing: true,
      vpcSubnets: { subnetType: SubnetType.PUBLIC },
      securityGroup: group,
      idleTimeout: Duration.seconds(props.idleSeconds),
      dropInvalidHeaderFields: true,
      deletionProtection: deployment.keep,
    });
    this.balancer.setAttribute('access_logs.s3.enabled', 'true');
    this.balancer.setAttribute('access_logs.s3.bucket', props.accessLogs.bucketName);
    this.balancer.setAttribute('access_logs.s3.prefix', props.accessLogsPrefix);
    const certificate = new CfnParameter(this, 'CertificateArn', {
      type: 'String',
      description: 'Certificate of the name that clients use (AWS Certificate Manager, in this region)',
      allowedPattern: 'arn:aws[a-z-]*:acm:.+:certificate/.+',
    });
    certificate.overrideLogicalId('CertificateArn');
    const certificates = [ListenerCertificate.fromArn(certificate.valueAsString)];
    this.gateway = new ApplicationTargetGroup(this, 'Gateway', {
      vpc,
      targetType: TargetType.IP,
      protocol: ApplicationProtocol.HTTP,
      port: props.gatewayPort,
      // Alive, not ready: with inference at zero the gateway is not ready, and must still be asked.
      healthCheck: { path: '/healthz', interval: Duration.seconds(10), healthyThresholdCount: 2 },
      deregistrationDelay: Duration.seconds(props.leaveSeconds),
      targets: [props.gateway.service],
    });
    this.balancer.addListener('Https', {
      port: 443,
      protocol: ApplicationProtocol.HTTPS,
      certificates,
      sslPolicy: TLS,
      open: false,
      defaultAction: ListenerAction.forward([this.gateway]),
    });
    this.balancer.addListener('Http', {
      port: 80,
      protocol: ApplicationProtocol.HTTP,
      open: false,
      defaultAction: ListenerAction.redirect({ protocol: 'HTTPS', port: '443', permanent: true }),
    });
    group.addIngressRule(Peer.anyIpv4(), Port.tcp(443), 'Apps');
    group.addIngressRule(Peer.anyIpv4(), Port.tcp(80), 'Apps that are sent to HTTPS');
    acknowledge(
      group,
      'AwsSolutions-EC23',
      'It is what the world is to reach: HTTPS, and HTTP that only redirects.',
    );
    if (deployment.sdkClientCa !== undefined) {
      this.aggregator = this.#offerGrpc(props, deployment.sdkClientCa, certificates);
      group.addIngressRule(Peer.anyIpv4(), Port.tcp(SDK_PORT), 'SDK clients with a certificate');
    }
    if (deployment.waf) this.#protect(deployment.stage);
  }

  #offerGrpc(
    { vpc, aggregator, aggregatorPort, leaveSeconds }: EdgeProps,
    sdkClientCa: string,
    certificates: ListenerCertificate[],
  ): ApplicationTargetGroup {
    const authorities = new Asset(this, 'SdkClientCa', { path: sdkClientCa });
    const target = new ApplicationTargetGroup(this, 'Aggregator', {
      vpc,
      targetType: TargetType.IP,
      protocol: ApplicationProtocol.HTTP,
      protocolVersion: ApplicationProtocolVersion.GRPC,
      port: aggregatorPort,
      // The standard health service. It answers OK with NOT_SERVING in the message too, which no balancer reads: whether
      // a task serves is the container's own health check.
      healthCheck: {
        path: '/grpc.health.v1.Health/Check',
        healthyGrpcCodes: '0',
        interval: Duration.seconds(10),
        healthyThresholdCount: 2,
      },
      deregistrationDelay: Duration.seconds(leaveSeconds),
      targets: [aggregator.service],
    });
    this.balancer.addListener('Grpc', {
      port: SDK_PORT,
      protocol: ApplicationProtocol.HTTPS,
      certificates,
      sslPolicy: TLS,
      open: false,
      mutualAuthentication: {
        mutualAuthenticationMode: MutualAuthenticationMode.VERIFY,
        trustStore: new TrustStore(this, 'SdkClients', {
          bucket: authorities.bucket,
          key: authorities.s3ObjectKey,
        }),
      },
      defaultAction: ListenerAction.forward([target]),
    });
    return target;
  }

  #protect(stage: string): void {
    const visibility = (metricName: string) => ({
      cloudWatchMetricsEnabled: true,
      sampledRequestsEnabled: true,
      metricName: `vgg-serve-${stage}-${metricName}`,
    });
    const acl = new CfnWebACL(this, 'Firewall', {
      scope: 'REGIONAL',
      defaultAction: { allow: {} },
      visibilityConfig: visibility('firewall'),
      rules: [
        {
          name: 'rate',
          priority: 0,
          action: { block: { customResponse: { responseCode: 429 } } },
          statement: { rateBasedStatement: { aggregateKeyType: 'IP', limit: WAF_REQUESTS } },
          visibilityConfig: visibility('rate'),
        },
        {
          name: 'reputation',
          priority: 1,
          overrideAction: { none: {} },
          statement: {
            managedRuleGroupStatement: { vendorName: 'AWS', name: 'AWSManagedRulesAmazonIpReputationList' },
          },
          visibilityConfig: visibility('reputation'),
        },
      ],
    });
    new CfnWebACLAssociation(this, 'Protects', {
      resourceArn: this.balancer.loadBalancerArn,
      webAclArn: acl.attrArn,
    });
  }
}
