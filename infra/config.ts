// What a deployment may be told, from the environment of whoever deploys: VGG_DEPLOY_…. The only place in infra/ that
// reads it. Nothing here names an account, so that a template can be made anywhere and checked by anybody.

import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { readEnv } from '../services/host/env.ts';
import { choice, integer, list, path, text } from '../services/host/variables.ts';
import { expected } from '../vgg/errors.ts';
import type { Stage } from './scaling.ts';

/** Stages, from the one for trying things out. */
export const STAGES: readonly Stage[] = ['dev', 'prod'];

/** Every variable, by the name that the code uses: VGG_DEPLOY_GPU_TYPES is `gpuTypes`. */
const deployVariables = {
  gpuTypes: list({
    description: 'Instance types that inference may run on, * for any ending; each has one NVIDIA GPU.',
    default: ['g6.xlarge', 'g5.xlarge', 'g4dn.xlarge'],
    expects: 'instance types between commas, such as g6.xlarge or g5.*',
    matches: /^[a-z][a-z0-9-]*\.[a-z0-9*-]+$/,
  }),
  spot: choice({
    description: 'Whether inference beyond its least number of tasks runs on spot instances.',
    default: 'off',
    of: ['off', 'on'],
  }),
  models: list({
    description:
      'Models that inference loads, by their folders in the model bucket; the first is the default one.',
    default: ['caltech-101-d'],
    expects: 'names of models between commas',
    matches: /^[\w.-]+$/,
  }),
  zones: integer({
    description: 'Availability zones; 2 for dev and 3 for prod unless set.',
    default: undefined,
    min: 2,
    max: 3,
  }),
  cidr: text({
    description: 'Addresses of the network.',
    default: '10.64.0.0/16',
    expects: 'an IPv4 range of 16 bits, such as 10.64.0.0/16',
    matches: /^\d{1,3}\.\d{1,3}\.0\.0\/16$/,
  }),
  sdkClientCa: path({
    description:
      'Authorities of the certificates that SDK clients must show, PEM; without it gRPC is not offered to the outside.',
    default: undefined,
  }),
  waf: choice({
    description:
      'Whether a web application firewall stands before the load balancer; prod has one unless told off.',
    default: 'stage',
    of: ['stage', 'on', 'off'],
  }),
  encryptInside: choice({
    description:
      'Whether services encrypt what they say to each other, by certificates of a private authority; prod does unless told off.',
    default: 'stage',
    of: ['stage', 'on', 'off'],
  }),
  bulkGpus: integer({
    description:
      'GPUs that bulk scoring may have at once, beside those of inference; 0: no bulk scoring. 1 for dev and 4 for prod unless set.',
    default: undefined,
    min: 0,
    max: 1000,
  }),
  bulkPhotos: text({
    description:
      'Bucket that photos of bulk scoring are read from, if it is there already; else one is made.',
    default: undefined,
    expects: 'the name of a bucket',
    matches: /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
  }),
  alarmEmail: text({
    description: 'Who is told of alarms and budgets.',
    default: undefined,
    expects: 'an e-mail address',
    matches: /^[^\s@]+@[^\s@]+$/,
  }),
  budget: integer({
    description: 'US dollars a month; 300 for dev and 3000 for prod unless set.',
    default: undefined,
    min: 1,
    max: 10_000_000,
  }),
};

/** A deployment: its stage, and every choice made. */
export interface Deployment {
  stage: Stage;
  gpuTypes: readonly string[];
  spot: boolean;
  models: readonly string[];
  zones: number;
  cidr: string;
  sdkClientCa: string | undefined;
  waf: boolean;
  encryptInside: boolean;
  /** Tasks of bulk scoring at once, each with a GPU; 0: there is no bulk scoring. */
  bulkGpus: number;
  /** Name of a bucket that is there; undefined: one is made. */
  bulkPhotos: string | undefined;
  alarmEmail: string | undefined;
  budgetUsd: number;
  /** Whether what is kept outlives the stack: buckets, images, logs. */
  keep: boolean;
  /** Days for which logs are kept. */
  logDays: RetentionDays.TWO_WEEKS | RetentionDays.THREE_MONTHS;
}

/**
 * The deployment of a stage.
 *
 * @throws VggError INVALID_ARGUMENT naming every variable that is unknown or wrong
 */
export function readDeployment(stage: Stage, env: NodeJS.ProcessEnv): Deployment {
  const values = readEnv(env, 'deploy', deployVariables);
  const prod = stage === 'prod';
  const unless = (told: 'stage' | 'on' | 'off') => (told === 'stage' ? prod : told === 'on');
  if (values.models.length === 0) throw expected('at least one model', 'none', 'VGG_DEPLOY_MODELS');
  return {
    stage,
    gpuTypes: values.gpuTypes,
    spot: values.spot === 'on',
    models: values.models,
    zones: values.zones ?? (prod ? 3 : 2),
    cidr: values.cidr,
    sdkClientCa: values.sdkClientCa,
    waf: unless(values.waf),
    encryptInside: unless(values.encryptInside),
    bulkGpus: values.bulkGpus ?? (prod ? 4 : 1),
    bulkPhotos: values.bulkPhotos,
    alarmEmail: values.alarmEmail,
    budgetUsd: values.budget ?? (prod ? 3000 : 300),
    keep: prod,
    logDays: prod ? RetentionDays.THREE_MONTHS : RetentionDays.TWO_WEEKS,
  };
}
