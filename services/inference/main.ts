// Starts the inference service, in this process or as one.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Registry } from 'prom-client';
import { fetchModels } from '../../models/fetch.ts';
import { openSource } from '../../models/fetch/source.ts';
import { packageRoot } from '../../proto/package-root.ts';
import { createLogger, type Logger } from '../host/log.ts';
import { createRegistry } from '../host/metrics.ts';
import { runIfMain } from '../host/process.ts';
import { startServer, type RunningServer } from '../host/serve.ts';
import { Batcher } from './batcher.ts';
import { readConfig, type InferenceConfig } from './config.ts';
import type { Engine, Unit, UnitScores } from './engine.ts';
import { startEngine } from './engines.ts';
import { inferenceMetrics, type InferenceMetrics, type StartPhase } from './metrics.ts';
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
 * Starts the service; every model is loaded and warm when this resolves. It listens before, and says that it is not
 * ready.
 *
 * @throws VggError INVALID_ARGUMENT for a wrong config or model, UNAVAILABLE if the address cannot be had; what
 *   models/fetch.ts throws
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
  const given = new AbortController();
  const phase = (name: StartPhase, ms: number, model?: string) => {
    metrics.started(name, ms, model);
    log.info({ phase: name, ...(model !== undefined && { model }), ms: Math.round(ms) }, 'start phase ended');
  };
  const arrivals = await fetching(config, { log, metrics, phase, signal: given.signal });
  const ends: (() => Promise<void>)[] = [];
  try {
    const engine = overrides.engine ?? (await chosenEngine(config, log, metrics));
    ends.push(() => engine.close());
    log.info({ facts: engine.facts() }, 'engine started');
    const models = new Models(engine);
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
      ready: () => models.loaded && health().ready,
    });
    ends.unshift(() => server.close());
    await models.load(
      {
        directory: config.models,
        names: config.load,
        defaultName: config.defaultModel,
        verify: config.verify,
      },
      {
        ...(arrivals && { arrivals }),
        onPhase: (model, name, ms) => {
          phase(name, ms, model);
        },
        onLoaded: (model, ms) => {
          metrics.modelLoaded(model, ms);
          log.info({ model, ms: Math.round(ms) }, 'model loaded');
        },
      },
    );
    await server.checkReady();
    phase('ready', performance.now());
    return {
      ...server,
      get inFlight() {
        return server.inFlight;
      },
      drain: () => server.drain().finally(() => engine.close()),
      close: () => server.close().finally(() => engine.close()),
    };
  } catch (error) {
    given.abort(error);
    for (const end of ends) await end();
    throw error;
  }
}

interface Telling {
  log: Logger;
  metrics: InferenceMetrics;
  phase: (name: StartPhase, ms: number, model?: string) => void;
}

// Models begin to come before anything else is done; undefined if they are here.
async function fetching(
  { modelsSource, models: directory, load }: InferenceConfig,
  { log, metrics, phase, signal }: Telling & { signal: AbortSignal },
): Promise<ReadonlyMap<string, Promise<unknown>> | undefined> {
  if (modelsSource === undefined) return undefined;
  log.info({ source: modelsSource, models: load }, 'fetching models');
  const fetched = fetchModels(load, {
    ...{ source: await openSource(modelsSource), directory, signal },
    onBytes: (bytes) => {
      metrics.fetched(bytes);
    },
    onRetry: (why, waitMs) => {
      log.warn({ why, waitMs }, 'a model does not come, trying again');
    },
  });
  for (const [name, model] of fetched) {
    void model.then(
      ({ fetchMs, verifyMs, transferred }) => {
        log.info({ model: name, bytes: transferred }, 'model fetched');
        phase('fetch', fetchMs, name);
        phase('verify', verifyMs, name);
      },
      // Whoever waits for it is told.
      () => undefined,
    );
  }
  return fetched;
}

function chosenEngine(config: InferenceConfig, log: Logger, metrics: InferenceMetrics): Promise<Engine> {
  return startEngine(config.engine, {
    device: config.device,
    precision: config.precision,
    sharing: config.sharing,
    ...(config.threads !== undefined && { threads: config.threads }),
    onFallback: (reason) => {
      log.warn({ err: reason }, 'this machine has a GPU that is not used: networks are computed on the CPU');
    },
    onFailure: (reason) => {
      metrics.workerFailed();
      log.error({ err: reason }, 'engine worker failed');
    },
  });
}

function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as {
    version: string;
  };
  return version;
}

await runIfMain(import.meta.url, NAME, () => startInference(readConfig(process.env)));
