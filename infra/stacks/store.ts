// What must be there, and filled, before anything can be served or scored: images, models, keys, photos. A stack of its
// own, as it outlives every deployment. Knows names of images and of files; no service.

import {
  CfnOutput,
  CfnParameter,
  Duration,
  RemovalPolicy,
  SecretValue,
  Stack,
  type StackProps,
} from 'aws-cdk-lib';
import { Repository, TagMutability } from 'aws-cdk-lib/aws-ecr';
import type { TaskDefinition } from 'aws-cdk-lib/aws-ecs';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  ObjectOwnership,
  type IBucket,
  type LifecycleRule,
} from 'aws-cdk-lib/aws-s3';
import { Secret, type ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { MODEL_FILES } from '../../models/store.ts';
import { MAP_RUNS } from '../bulk/cloud/bulk-scoring.ts';
import type { Deployment } from '../config.ts';
import { acknowledge } from '../findings.ts';

/** Images that are built of infra/images/Dockerfile, by its targets. */
export const IMAGES = ['gateway', 'aggregator', 'preprocess', 'inference', 'vgg', 'vgg-cpu'] as const;
export type ImageName = (typeof IMAGES)[number];

/** Where the folders of models are in their bucket. */
const MODELS_PREFIX = 'models';
/** Prefix of the load balancer's access logs. */
export const EDGE_LOGS = 'edge';

// Of an image that nobody refers to any more: enough to roll back to.
const KEPT_IMAGES = 20;

/** The parameter of a stack that says which version of the images runs in it. */
export function imageTagOf(stack: Stack): string {
  return new CfnParameter(stack, 'ImageTag', {
    type: 'String',
    description: 'Tag of the images: what is upgraded and rolled back by',
    allowedPattern: '[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}',
  }).valueAsString;
}

/** Where bulk scoring reads, and where it writes. */
export interface BulkBuckets {
  photos: IBucket;
  /** Jobs, a prefix each. */
  results: IBucket;
}

/** Images, models, keys, buckets of bulk scoring, and the bucket of access logs. */
export class StoreStack extends Stack {
  readonly images: Readonly<Record<ImageName, Repository>>;
  /** Folders of models: NAME/{model.json,weights.safetensors,labels.txt}. */
  readonly models: IBucket;
  /** Hashes of API keys, as services/gateway/api-keys.ts reads them. */
  readonly apiKeys: ISecret;
  /** Undefined: there is no bulk scoring. */
  readonly bulk: BulkBuckets | undefined;
  /** Where buckets and the load balancer log who asked for what. */
  readonly accessLogs: IBucket;

  constructor(scope: Construct, id: string, deployment: Deployment, props: StackProps) {
    super(scope, id, props);
    const { stage, keep, logDays } = deployment;
    const removalPolicy = keep ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY;
    const image = (name: ImageName) =>
      new Repository(this, `Image-${name}`, {
        repositoryName: `vgg-serve/${stage}/${name}`,
        imageScanOnPush: true,
        // A tag that names another image tomorrow could not be rolled back to.
        imageTagMutability: TagMutability.IMMUTABLE,
        lifecycleRules: [{ maxImageCount: KEPT_IMAGES }],
        removalPolicy,
        emptyOnDelete: !keep,
      });
    this.images = {
      gateway: image('gateway'),
      aggregator: image('aggregator'),
      preprocess: image('preprocess'),
      inference: image('inference'),
      vgg: image('vgg'),
      'vgg-cpu': image('vgg-cpu'),
    };
    const accessLogs = new Bucket(this, 'AccessLogs', {
      encryption: BucketEncryption.S3_MANAGED, // The load balancer writes to no other kind.
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      lifecycleRules: [{ expiration: Duration.days(logDays) }],
      removalPolicy,
    });
    accessLogs.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal('logdelivery.elasticloadbalancing.amazonaws.com')],
        actions: ['s3:PutObject'],
        resources: [accessLogs.arnForObjects(`${EDGE_LOGS}/AWSLogs/${this.account}/*`)],
      }),
    );
    acknowledge(accessLogs, 'AwsSolutions-S1', 'It holds access logs: of itself they would never end.');
    // The library's classes say of optional properties what this project's compiler is stricter about.
    this.accessLogs = accessLogs as IBucket;
    this.models = new Bucket(this, 'Models', {
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      versioned: true,
      serverAccessLogsBucket: this.accessLogs,
      serverAccessLogsPrefix: 'models/',
      lifecycleRules: [
        {
          noncurrentVersionExpiration: Duration.days(90),
          abortIncompleteMultipartUploadAfter: Duration.days(1),
        },
      ],
      removalPolicy,
    }) as IBucket;
    this.apiKeys = new Secret(this, 'ApiKeys', {
      description:
        'Who may ask: a line "SHA256 name" for each API key of the gateway (printf %s KEY | sha256sum)',
      // No secret: the line of a key that nobody has. What is put in later stays, as this never changes.
      secretStringValue: SecretValue.unsafePlainText(`${'0'.repeat(64)} nobody`),
      removalPolicy,
    }) as ISecret;
    acknowledge(
      this.apiKeys,
      'AwsSolutions-SMG4',
      'Hashes of keys that people hold: who gives out a new key puts its hash in (docs/how-to/operate.md).',
    );
    this.bulk = deployment.bulkGpus > 0 ? this.#bulkBuckets(deployment) : undefined;
    new CfnOutput(this, 'ModelBucket', { value: this.models.bucketName });
    new CfnOutput(this, 'ApiKeysSecret', { value: this.apiKeys.secretArn });
    new CfnOutput(this, 'Registry', {
      value: `${this.account}.dkr.ecr.${this.region}.${this.urlSuffix}/vgg-serve/${stage}`,
    });
  }

  /** Where tasks fetch models from, as they are told it. */
  get modelsSource(): string {
    return this.models.s3UrlForObject(MODELS_PREFIX);
  }

  /** Lets a task read just the models that it loads: no listing, and no other model's files. */
  letReadModels(task: TaskDefinition, models: readonly string[]): void {
    task.addToTaskRolePolicy(
      new PolicyStatement({
        actions: ['s3:GetObject'],
        resources: models.flatMap((model) =>
          Object.values(MODEL_FILES).map((file) =>
            this.models.arnForObjects(`${MODELS_PREFIX}/${model}/${file}`),
          ),
        ),
      }),
    );
  }

  // Somebody's photos, and what machines were paid for: they outlive the stack in any stage.
  #bulkBuckets({ bulkPhotos, logDays }: Deployment): BulkBuckets {
    const bucket = (id: string, lifecycleRules: LifecycleRule[]) =>
      new Bucket(this, id, {
        encryption: BucketEncryption.S3_MANAGED,
        blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
        enforceSSL: true,
        objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
        serverAccessLogsBucket: this.accessLogs,
        serverAccessLogsPrefix: `${id.toLowerCase()}/`,
        lifecycleRules: [{ abortIncompleteMultipartUploadAfter: Duration.days(1) }, ...lifecycleRules],
        removalPolicy: RemovalPolicy.RETAIN,
      }) as IBucket;
    const photos =
      bulkPhotos === undefined ? bucket('Photos', []) : Bucket.fromBucketName(this, 'Photos', bulkPhotos);
    const results = bucket('Results', [{ prefix: MAP_RUNS, expiration: Duration.days(logDays) }]);
    new CfnOutput(this, 'PhotoBucket', { value: photos.bucketName });
    new CfnOutput(this, 'ResultBucket', { value: results.bucketName });
    return { photos, results };
  }
}
