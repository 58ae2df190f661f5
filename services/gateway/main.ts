// Starts the gateway, in this process or as one.

import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { setTimeout as setTimer } from 'node:timers/promises';
import { createSecureContext } from 'node:tls';
import type { Registry } from 'prom-client';
import { createClient } from '../../sdk/index.ts';
import { VggError } from '../../vgg/errors.ts';
import { createLogger, type Logger } from '../host/log.ts';
import { createRegistry } from '../host/metrics.ts';
import { runIfMain } from '../host/process.ts';
import { startPublishing } from '../host/publishing.ts';
import { Answers } from './answers/answers.ts';
import { parseApiKeys, readApiKeys, type Authenticate } from './api-keys.ts';
import { checkProxies } from './client-name.ts';
import { upstreamTls } from '../host/upstream-variables.ts';
import { readConfig, type GatewayConfig } from './config.ts';
import { answerMetrics, gatewayMetrics } from './metrics.ts';
import { retryPolicy } from './retries.ts';
import { createGateway } from './service.ts';

const NAME = 'gateway';
const SWEEP_MS = 250;
const DRAIN_POLL_MS = 20;

/** What a caller in the same process may bring along. */
export interface GatewayOverrides {
  log?: Logger;
  registry?: Registry;
  /** Monotonic milliseconds. */
  now?: () => number;
}

/** A running gateway. */
export interface RunningGateway {
  /** `http://127.0.0.1:8080` */
  readonly url: string;
  readonly registry: Registry;
  /** Takes no new requests, lets those in flight finish, ends the rest after the drain time. */
  drain(): Promise<void>;
  /** Ends at once. */
  close(): Promise<void>;
}

/**
 * Starts the gateway.
 *
 * @throws VggError INVALID_ARGUMENT for a wrong config, UNAVAILABLE if the address cannot be had
 */
export async function startGateway(
  config: GatewayConfig,
  overrides: GatewayOverrides = {},
): Promise<RunningGateway> {
  const {
    log = createLogger(NAME, config.logLevel),
    registry = createRegistry({ process: true }),
    now = () => performance.now(),
  } = overrides;
  const { host, port, aggregator, inference } = config;
  const authenticate = await readKeys(config);
  const https = readTls(config);
  checkProxies(config.trustedProxies, 'VGG_GATEWAY_TRUSTED_PROXIES');
  const metrics = gatewayMetrics(registry);
  const client = createClient({
    aggregator,
    inference,
    deadlineMs: config.deadline,
    retry: retryPolicy(config.attempts),
    silenceMs: config.upstreamSilence,
    onRetry: (service, error) => {
      metrics.retried(service);
      log.warn({ service, err: error }, 'call lost, trying again');
    },
    tls: upstreamTls(config),
  });
  const keeping = { bytes: config.answerCache, ttlMs: config.answerTtl, deadlineMs: config.deadline };
  let open = true;
  const app = await createGateway({
    client,
    answers: new Answers(client, keeping, answerMetrics(registry), now),
    authenticate,
    metrics,
    registry,
    log,
    limits: { bodyBytes: config.maxBody, photos: config.maxPhotos, deadlineMs: config.deadline },
    corsOrigins: config.corsOrigins,
    rate: { perSecond: config.rateLimit, burst: config.rateBurst },
    trustedProxies: config.trustedProxies,
    keepAliveMs: config.keepAlive,
    open: () => open,
    ...(https && { https }),
    now,
  });
  const onError = (error: unknown) => {
    log.warn({ err: error }, 'metrics not published');
  };
  let endPublishing = () => Promise.resolve();
  try {
    endPublishing = startPublishing({ registry, service: NAME, config, onError });
    await app.listen({ host, port, listenTextResolver: (address) => `listening at ${address}` });
  } catch (cause) {
    await endPublishing();
    await app.close();
    client.close();
    if (cause instanceof VggError) throw cause;
    throw new VggError('UNAVAILABLE', `Cannot listen at ${host}:${String(port)}`, { cause });
  }
  const bound = (app.server.address() as AddressInfo).port;
  const end = async (patienceMs: number) => {
    open = false;
    const force = setTimeout(() => {
      app.server.closeAllConnections();
    }, patienceMs);
    // What is on its way over a connection that looks idle, or waits to be accepted, is refused with a status as long as
    // others are answered: closing now would reset it.
    const patience = now() + patienceMs;
    while (metrics.inFlight > 0 && now() < patience) await setTimer(DRAIN_POLL_MS);
    // An answer that was half sent when this began leaves its connection open and idle.
    const sweep = setInterval(() => {
      app.server.closeIdleConnections();
    }, SWEEP_MS);
    await app.close();
    clearTimeout(force);
    clearInterval(sweep);
    client.close();
    await endPublishing();
  };
  return {
    url: `${https ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${String(bound)}`,
    registry,
    drain: () => end(config.drain),
    close: () => end(0),
  };
}

async function readKeys({ apiKeys, apiKeyLines }: GatewayConfig): Promise<Authenticate | undefined> {
  if (apiKeys !== undefined && apiKeyLines !== undefined) {
    throw new VggError(
      'INVALID_ARGUMENT',
      'Expected VGG_GATEWAY_API_KEYS or VGG_GATEWAY_API_KEY_LINES, not both',
    );
  }
  if (apiKeyLines !== undefined) return parseApiKeys(apiKeyLines, 'VGG_GATEWAY_API_KEY_LINES');
  return apiKeys === undefined ? undefined : readApiKeys(apiKeys);
}

function readTls({ tlsCert, tlsKey }: GatewayConfig): { cert: Buffer; key: Buffer } | undefined {
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    throw new VggError(
      'INVALID_ARGUMENT',
      'Expected both VGG_GATEWAY_TLS_CERT and VGG_GATEWAY_TLS_KEY, or neither',
    );
  }
  if (tlsCert === undefined || tlsKey === undefined) return undefined;
  try {
    const pair = { cert: readFileSync(tlsCert), key: readFileSync(tlsKey) };
    createSecureContext(pair);
    return pair;
  } catch (cause) {
    throw new VggError(
      'INVALID_ARGUMENT',
      'Expected a certificate and its key in VGG_GATEWAY_TLS_CERT and VGG_GATEWAY_TLS_KEY but cannot use them',
      {
        cause,
      },
    );
  }
}

await runIfMain(import.meta.url, NAME, () => startGateway(readConfig(process.env)));
