// The variables of the aggregator: the only place in it that reads the environment.

import { readEnv, type EnvValues } from '../host/env.ts';
import { hostVariables } from '../host/host-variables.ts';
import { addressVariable, upstreamVariables } from '../host/upstream-variables.ts';
import { bytes, duration, integer } from '../host/variables.ts';

/** Every variable of the service, by the name that the code uses: VGG_AGGREGATOR_PORT is `port`. */
export const aggregatorVariables = {
  ...hostVariables({ port: 50051 }),
  preprocess: addressVariable('preprocess', '127.0.0.1:50052'),
  inference: addressVariable('inference', '127.0.0.1:50053'),
  ...upstreamVariables,
  modelsAge: duration({
    description: 'Time for which facts of a model are kept before they are asked for again.',
    default: 30_000,
    max: 3_600_000,
  }),
  maxPhoto: bytes({
    description: "Most bytes of a photo's file.",
    default: 20 * 1024 ** 2,
    min: 1,
    max: 512 * 1024 ** 2,
  }),
  maxModels: integer({ description: 'Most models of one answer.', default: 8, min: 1, max: 64 }),
  maxViews: integer({
    description: "Most views of one model's evaluation.",
    default: 512,
    min: 1,
    max: 100_000,
  }),
  attempts: integer({
    description: 'How often a call that is lost (UNAVAILABLE) is begun, in all.',
    default: 3,
    min: 1,
    max: 10,
  }),
  replicaStart: duration({
    description:
      'How long a replica of inference is expected to take to start, until one was measured. Where inference is scaled to zero, photos wait so long if their deadline allows, or are told when to come back; 0: they do not wait.',
    default: 0,
    max: 3_600_000,
  }),
};

/** Values of {@link aggregatorVariables}. Durations in milliseconds, sizes in bytes. */
export type AggregatorConfig = EnvValues<typeof aggregatorVariables>;

/**
 * The service's config.
 *
 * @throws VggError INVALID_ARGUMENT naming every variable that is unknown or wrong
 */
export function readConfig(env: NodeJS.ProcessEnv): AggregatorConfig {
  return readEnv(env, 'aggregator', aggregatorVariables);
}
