// The bounds that services have, as their own variables say. Knows the services' configurations; nothing of deployments.

import { readConfig as aggregatorConfig } from '../../services/aggregator/config.ts';
import { readConfig as gatewayConfig } from '../../services/gateway/config.ts';
import { envName } from '../../services/host/env.ts';
import { readConfig as inferenceConfig } from '../../services/inference/config.ts';
import { preprocessVariables, readConfig as preprocessConfig } from '../../services/preprocess/config.ts';
import type { ServiceLimits } from './settings.ts';

const DECODES = envName('preprocess', preprocessVariables, 'decodes');

/**
 * The bounds of services with an environment.
 *
 * @param cores of a task of preprocess: so many photos are decoded at once unless a variable says otherwise
 * @throws VggError INVALID_ARGUMENT for a variable that a service would refuse
 */
export function serviceLimits(env: NodeJS.ProcessEnv, cores: number): ServiceLimits {
  const aggregator = aggregatorConfig(env);
  const gateway = gatewayConfig(env);
  const inference = inferenceConfig(env);
  const preprocess = preprocessConfig({ [DECODES]: String(cores), ...env });
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
