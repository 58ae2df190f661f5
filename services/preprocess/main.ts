// Starts the preprocess service, in this process or as one.

import type { Registry } from 'prom-client';
import { createLogger, type Logger } from '../host/log.ts';
import { createRegistry } from '../host/metrics.ts';
import { runIfMain } from '../host/process.ts';
import { startServer, type RunningServer } from '../host/serve.ts';
import { limitsOf, readConfig, type PreprocessConfig } from './config.ts';
import { preprocessMetrics } from './metrics.ts';
import { createPreprocessService } from './service.ts';
import { Slots } from './slots.ts';

const NAME = 'preprocess';

/** What a caller in the same process may bring along. */
export interface PreprocessOverrides {
  log?: Logger;
  registry?: Registry;
  /** Monotonic milliseconds. */
  now?: () => number;
}

/**
 * Starts the service.
 *
 * @throws VggError INVALID_ARGUMENT for a wrong config, UNAVAILABLE if the address cannot be had
 */
export async function startPreprocess(
  config: PreprocessConfig,
  overrides: PreprocessOverrides = {},
): Promise<RunningServer> {
  const {
    log = createLogger(NAME, config.logLevel),
    registry = createRegistry({ process: config.metricsPort !== undefined }),
    now = () => performance.now(),
  } = overrides;
  const slots = new Slots({ running: config.decodes, waiting: config.queue, now });
  const metrics = preprocessMetrics(registry, slots);
  const service = createPreprocessService({ limits: limitsOf(config), slots, metrics, now });
  return startServer({ name: NAME, services: [service], config, registry, log });
}

await runIfMain(import.meta.url, NAME, () => startPreprocess(readConfig(process.env)));
