// Starts the inference service, in this process or as one.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Registry } from 'prom-client';
import { packageRoot } from '../../proto/package-root.ts';
import { createLogger, type Logger } from '../host/log.ts';
import { createRegistry } from '../host/metrics.ts';
import { runIfMain } from '../host/process.ts';
import { startServer, type RunningServer } from '../host/serve.ts';
import { Batcher } from './batcher.ts';
import { readConfig, type InferenceConfig } from './config.ts';
import type { Engine, Unit, UnitScores } from './engine.ts';
import { startEngine } from './engines.ts';
import { inferenceMetrics } from './metrics.ts';
import { Models } from './models.ts';
import { createOpenInferenceService } from './open-inference.ts';
import { Scoring } from './scoring.ts';
import { createInferenceService } from './service.ts';

const NAME = 'inference';

/** What a caller in the same process may bring along. */
export interface InferenceOverrides {
  log?: Logger;
  registry?: Registry;
  /** Replaces the engine that the config names; it is closed with the service. */
  engine?: Engine;
}

/**
 * Starts the service; every model is loaded and warm when this resolves.
 *
 * @throws VggError INVALID_ARGUMENT for a wrong config or model, UNAVAILABLE if the address cannot be had
 */
export async function startInference(
  config: InferenceConfig,
  overrides: InferenceOverrides = {},
): Promise<RunningServer> {
  const {
    log = createLogger(NAME, config.logLevel),
    registry = createRegistry({ process: config.metricsPort !== undefined }),
  } = overrides;
  const metrics = inferenceMetrics(registry);
  const engine =
    overrides.engine ??
    (await startEngine(config.engine, {
      device: config.device,
      precision: config.precision,
      sharing: config.sharing,
      ...(config.threads !== undefined && { threads: config.threads }),
      onFallback: (reason) => {
        log.warn(
          { err: reason },
          'this machine has a GPU that is not used: networks are computed on the CPU',
        );
      },
      onFailure: (reason) => {
        metrics.workerFailed();
        log.error({ err: reason }, 'engine worker failed');
      },
    }));
  try {
    log.info({ facts: engine.facts() }, 'engine started');
    const models = await Models.load(
      engine,
      {
        directory: config.models,
        names: config.load,
        defaultName: config.defaultModel,
        verify: config.verify,
      },
      (model, ms) => {
        metrics.modelLoaded(model, ms);
        log.info({ model, ms: Math.round(ms) }, 'model loaded');
      },
    );
    const batcher = new Batcher<Unit, UnitScores>({ queueViews: config.queue, ...metrics });
    const scoring = new Scoring(batcher, { viewsPerCall: config.maxViews, planeBytes: config.planeMemory });
    metrics.watch(batcher, scoring);
    const health = () => engine.health();
    const server = await startServer({
      name: NAME,
      services: [
        createInferenceService({ models, scoring }),
        createOpenInferenceService({ models, scoring, health, version: packageVersion() }),
      ],
      config,
      registry,
      log,
      ready: () => health().ready,
    });
    return {
      ...server,
      get inFlight() {
        return server.inFlight;
      },
      drain: () => server.drain().finally(() => engine.close()),
      close: () => server.close().finally(() => engine.close()),
    };
  } catch (error) {
    await engine.close();
    throw error;
  }
}

function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as {
    version: string;
  };
  return version;
}

await runIfMain(import.meta.url, NAME, () => startInference(readConfig(process.env)));
