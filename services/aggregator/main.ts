// Starts the aggregator service, in this process or as one.

import type { Registry } from 'prom-client';
import { systemClock as sdkClock } from '../../sdk/clock.ts';
import { createClient } from '../../sdk/index.ts';
import { systemClock } from '../host/deadline.ts';
import { createLogger, type Logger } from '../host/log.ts';
import { createRegistry } from '../host/metrics.ts';
import { runIfMain } from '../host/process.ts';
import { startServer, type RunningServer } from '../host/serve.ts';
import { upstreamTls } from '../host/upstream-variables.ts';
import { Absence } from './absence.ts';
import { readConfig, type AggregatorConfig } from './config.ts';
import { aggregatorMetrics } from './metrics.ts';
import { retriers } from './retries.ts';
import type { Road } from './road.ts';
import { sdkUpstream } from './sdk-upstream.ts';
import { createAggregatorService } from './service.ts';

const NAME = 'aggregator';
// A replica that is there says so in less.
const PROBE_MS = 2000;

/** What a caller in the same process may bring along. */
export interface AggregatorOverrides {
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
export async function startAggregator(
  config: AggregatorConfig,
  overrides: AggregatorOverrides = {},
): Promise<RunningServer> {
  const {
    log = createLogger(NAME, config.logLevel),
    registry = createRegistry({ process: config.metricsPort !== undefined }),
    now = () => performance.now(),
  } = overrides;
  const { preprocess, inference } = config;
  const client = createClient({
    preprocess,
    inference,
    deadlineMs: config.maxDeadline,
    // The road tries lost calls again itself: it knows what is missing.
    retry: false,
    silenceMs: config.upstreamSilence,
    tls: upstreamTls(config),
  });
  const roads = new Set<Road>();
  const probe = () => client.model('', { deadlineMs: PROBE_MS });
  const absence =
    config.replicaStart === 0
      ? undefined
      : new Absence({
          startMs: config.replicaStart,
          probe,
          clock: systemClock,
          onStart: (ms) => {
            metrics.replicaStarted(ms);
            log.info({ ms }, 'inference has started');
          },
        });
  const backlog = () =>
    [...roads].reduce((sum, { tally }) => sum + tally.total - tally.done, absence?.views ?? 0);
  const metrics = aggregatorMetrics(registry, backlog);
  try {
    const server = await startServer({
      name: NAME,
      services: [
        createAggregatorService({
          upstream: sdkUpstream(client, { modelsAgeMs: config.modelsAge, now }),
          limits: {
            photoBytes: config.maxPhoto,
            models: config.maxModels,
            views: config.maxViews,
            retriers: retriers(config.attempts, sdkClock),
          },
          metrics,
          absence,
          roads,
          now,
        }),
      ],
      config,
      registry,
      log,
    });
    const end = () => {
      client.close();
    };
    return {
      ...server,
      get inFlight() {
        return server.inFlight;
      },
      drain: () => server.drain().finally(end),
      close: () => server.close().finally(end),
    };
  } catch (error) {
    client.close();
    throw error;
  }
}

await runIfMain(import.meta.url, NAME, () => startAggregator(readConfig(process.env)));
