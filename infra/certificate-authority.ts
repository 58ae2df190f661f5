// The authority whose certificates services show each other inside the mesh. Knows no service.
//
// ECS asks it for a certificate for each task, renews it every five days, and keeps the key; the services have no part
// in it, so nothing has to be put anywhere or restarted to rotate. With certificates in Secrets Manager instead, which
// the services' own TLS would take (VGG_TLS_CERT, VGG_AGGREGATOR_UPSTREAM_CA …), whoever operates would have to, and the
// mesh could see no calls, only bytes. An authority of short-lived certificates costs an eighth of a general one.

import { Duration, Stack, Tags } from 'aws-cdk-lib';
import {
  CfnCertificate,
  CfnCertificateAuthority,
  CfnCertificateAuthorityActivation,
} from 'aws-cdk-lib/aws-acmpca';
import type { ServiceConnectTlsConfiguration } from 'aws-cdk-lib/aws-ecs';
import { ManagedPolicy, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { acknowledge } from './findings.ts';

const SIGNING = 'SHA256WITHECDSA';
const YEARS = 10;

/** A root authority, ready to sign, and the role by which ECS asks it. */
export class MeshAuthority extends Construct {
  readonly tls: ServiceConnectTlsConfiguration;
  /** What signs nothing before it is there. */
  readonly ready: Construct;

  constructor(scope: Construct, id: string, stage: string) {
    super(scope, id);
    const authority = new CfnCertificateAuthority(this, 'Authority', {
      type: 'ROOT',
      usageMode: 'SHORT_LIVED_CERTIFICATE',
      keyAlgorithm: 'EC_prime256v1',
      signingAlgorithm: SIGNING,
      subject: { commonName: `vgg-serve ${stage}`, organization: 'vgg-serve' },
    });
    // What ECS's own policy for the mesh looks for.
    Tags.of(authority).add('AmazonECSManaged', 'true');
    const certificate = new CfnCertificate(this, 'Root', {
      certificateAuthorityArn: authority.attrArn,
      certificateSigningRequest: authority.attrCertificateSigningRequest,
      signingAlgorithm: SIGNING,
      templateArn: Stack.of(this).formatArn({
        service: 'acm-pca',
        region: '',
        account: '',
        resource: 'template',
        resourceName: 'RootCACertificate/V1',
      }),
      validity: { type: 'DAYS', value: Duration.days(YEARS * 365).toDays() },
    });
    this.ready = new CfnCertificateAuthorityActivation(this, 'Activation', {
      certificateAuthorityArn: authority.attrArn,
      certificate: certificate.attrCertificate,
      status: 'ACTIVE',
    });
    const role = new Role(this, 'Role', {
      description: 'ECS asks for the certificates of the mesh',
      assumedBy: new ServicePrincipal('ecs.amazonaws.com'),
      managedPolicies: [
        ManagedPolicy.fromAwsManagedPolicyName(
          'service-role/AmazonECSInfrastructureRolePolicyForServiceConnectTransportLayerSecurity',
        ),
      ],
    });
    acknowledge(
      role,
      'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonECSInfrastructureRolePolicyForServiceConnectTransportLayerSecurity]',
      'The policy by which ECS asks for certificates: it is bound to authorities and secrets that are tagged for it, and kept in step with ECS by AWS.',
    );
    this.tls = { awsPcaAuthorityArn: authority.attrArn, role };
  }
}
