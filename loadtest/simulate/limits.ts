// The bounds that services have, as their own variables say. Knows the services' configurations; nothing of deployments.

import { aggregatorVariables, readConfig as aggregatorConfig } from '../../services/aggregator/config.ts';
import { readConfig as gatewayConfig } from '../../services/gateway/config.ts';
import { envName } from '../../services/host/env.ts';
import { readConfig as inferenceConfig } from '../../services/inference/config.ts';
import { preprocessVariables, readConfig as preprocessConfig } from '../../services/preprocess/config.ts';
import type { ServiceLimits } from './settings.ts';

const DECODES = envName('preprocess', preprocessVariables, 'decodes');
const REPLICA_START = envName('aggregator', aggregatorVariables, 'replicaStart');

/**
 * The bounds of services with an environment.
 *
 * @param unset what holds where a variable does not say otherwise: photos that a task of preprocess decodes at once, and
 *   seconds that a task of inference is expected to take to start
 * @throws VggError INVALID_ARGUMENT for a variable that a service would refuse
 */
export function serviceLimits(
  env: NodeJS.ProcessEnv,
  unset: { decodes: number; replicaStart: number },
): ServiceLimits {
  const all = {
    [DECODES]: String(unset.decodes),
    [REPLICA_START]: `${String(unset.replicaStart)}s`,
    ...env,
  };
  const aggregator = aggregatorConfig(all);
  const gateway = gatewayConfig(all);
  const preprocess = preprocessConfig(all);
  const inference = inferenceConfig(all);
  return {
    queueViews: inference.queue,
    decodes: preprocess.decodes,
    waitingPhotos: preprocess.queue,
    streams: inference.maxStreams,
    attempts: { gateway: gateway.attempts, aggregator: aggregator.attempts },
    replicaStartMs: aggregator.replicaStart,
    modelsAgeMs: aggregator.modelsAge,
    deadlineMs: gateway.deadline,
  };
}
