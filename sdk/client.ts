// The client: one object for the services that its user has addresses of.

import { VggError, expected } from '../vgg/errors.ts';
import type { Answer } from './answer.ts';
import { average, type Average, type AverageOptions, type WeightedPosterior } from './average.ts';
import { checkDeadlineMs, type CallOptions } from './call-options.ts';
import { Channel } from './channel.ts';
import { checkInteger } from './check.ts';
import { classify, classifyStream, requestOf, type ClassifyOptions, type RunningAnswer } from './classify.ts';
import { systemClock, type Clock } from './clock.ts';
import { channelCredentials, type TlsOptions } from './credentials.ts';
import { isServing } from './health.ts';
import { model, models, type Model } from './models.ts';
import { photoBytes, type Photo } from './photo.ts';
import type { PreparedPlane } from './planes.ts';
import { prepare, prepareRequestOf, type Prepared, type PrepareOptions } from './prepare.ts';
import { DEFAULT_RETRY, type RetryPolicy } from './retry.ts';
import { checkScoreOptions, score, type Score, type ScoreOptions } from './score.ts';
import { ServiceCalls } from './service-calls.ts';
import { abortedError } from './transport.ts';

/** The services that a client can talk to. */
export const SERVICES = ['aggregator', 'preprocess', 'inference'] as const;
export type ServiceName = (typeof SERVICES)[number];

/** What a client is told. At least one address. */
export interface ClientOptions {
  /** For classify, classifyStream and average. `HOST:PORT`; several between commas take turns; or a gRPC target. */
  aggregator?: string | undefined;
  /** For prepare. */
  preprocess?: string | undefined;
  /** For score, models and model. */
  inference?: string | undefined;
  /** TLS; true trusts the authorities of Node.js. Default: plain text. */
  tls?: TlsOptions | boolean | undefined;
  /** Time for a call, retries included, in milliseconds. Default: 60,000. */
  deadlineMs?: number | undefined;
  /** When a call is tried again; false: never. */
  retry?: Partial<RetryPolicy> | false | undefined;
  /**
   * Time for which a server that has a call may give no sign of life, in milliseconds; then it is taken for lost, and
   * the call is tried again elsewhere. Longer than the largest message takes to send. Default: 60,000.
   */
  silenceMs?: number | undefined;
  /** Told of each call that failed and is made again. */
  onRetry?: ((service: ServiceName, error: VggError) => void) | undefined;
  /** Largest message that is received, in bytes. Default: 256 MiB. */
  maxMessageBytes?: number | undefined;
  /** Largest photo that is sent, in bytes. Default: 64 MiB; the server may take less. */
  maxPhotoBytes?: number | undefined;
}

/** The client. All errors are VggErrors. It may be used by any number of callers at once. */
export interface VggClient {
  /** What is in the photo. */
  classify(photo: Photo, options?: ClassifyOptions): Promise<Answer>;
  /** The running answer as views arrive; the last one is the whole answer. Leaving the loop cancels the rest. */
  classifyStream(photo: Photo, options?: ClassifyOptions): AsyncGenerator<RunningAnswer, void>;
  /** The photo's planes and views, each plane as soon as it is ready. */
  prepare(photo: Photo, options: PrepareOptions): AsyncGenerator<Prepared, void>;
  /** A score for each view of the planes, in the order in which they are computed. Leaving the loop cancels the rest. */
  score(
    planes: AsyncIterable<PreparedPlane> | Iterable<PreparedPlane>,
    options?: ScoreOptions,
  ): AsyncGenerator<Score, void>;
  /** The weighted mean of posteriors. */
  average(
    posteriors: AsyncIterable<WeightedPosterior> | Iterable<WeightedPosterior>,
    options?: AverageOptions,
  ): Promise<Average>;
  /** The models, the default one first. */
  models(options?: CallOptions): Promise<Model[]>;
  /** One model; the default one unless named. */
  model(name?: string, options?: CallOptions): Promise<Model>;
  /** Whether every service that the client has an address of says that it serves. */
  ready(options?: CallOptions): Promise<boolean>;
  /** Closes the connections. Calls in flight end with an error. */
  close(): void;
}

const MIB = 1024 ** 2;
const MAX_BYTES = 1024 ** 3;
// A busy process may be silent for so long.
const MIN_SILENCE_MS = 100;
const NO_RETRY: RetryPolicy = { ...DEFAULT_RETRY, attempts: 1 };

/**
 * A client. Connections are made at the first call.
 *
 * @param clock time and chance, for tests
 * @throws VggError INVALID_ARGUMENT naming the option at fault
 */
export function createClient(options: ClientOptions, clock: Clock = systemClock): VggClient {
  const { deadlineMs = 60_000, maxMessageBytes = 256 * MIB, maxPhotoBytes = 64 * MIB } = options;
  const { silenceMs = 60_000 } = options;
  checkDeadlineMs(deadlineMs, 'deadlineMs');
  checkInteger(silenceMs, MIN_SILENCE_MS, 3_600_000, 'silenceMs');
  checkInteger(maxMessageBytes, 1, MAX_BYTES, 'maxMessageBytes');
  checkInteger(maxPhotoBytes, 1, MAX_BYTES, 'maxPhotoBytes');
  const policy = options.retry === false ? NO_RETRY : retryPolicy(options.retry);
  const { tls } = options;
  const serverName = typeof tls === 'object' ? tls.serverName : undefined;
  const channelOptions = {
    credentials: channelCredentials(tls),
    maxMessageBytes,
    silenceMs,
    clock,
    ...(serverName !== undefined && { serverName }),
  };
  const channels = new Map<ServiceName, Channel>();
  const services = new Map<ServiceName, ServiceCalls>();
  for (const name of SERVICES) {
    const addresses = options[name];
    if (addresses === undefined) continue;
    const channel = new Channel(addresses, name, channelOptions);
    channels.set(name, channel);
    const onRetry = (error: VggError) => options.onRetry?.(name, error);
    services.set(name, new ServiceCalls(channel, { policy, deadlineMs, clock, onRetry }));
  }
  if (services.size === 0)
    throw expected('at least one of aggregator, preprocess, inference', 'none', 'options');
  const calls = (name: ServiceName): ServiceCalls => {
    const service = services.get(name);
    if (!service)
      throw new VggError('INVALID_ARGUMENT', `Expected an address of the ${name} service (${name})`);
    return service;
  };
  const bytes = async (photo: Photo, signal: AbortSignal | undefined) => {
    try {
      return await photoBytes(photo, maxPhotoBytes, signal);
    } catch (error) {
      if (error instanceof VggError) throw error;
      if (signal?.aborted === true) throw abortedError(signal);
      throw new VggError('INVALID_ARGUMENT', 'The photo could not be read', { cause: error });
    }
  };
  const nothing = new Uint8Array();

  return {
    async classify(photo, call = {}) {
      requestOf(nothing, call);
      return classify(calls('aggregator'), await bytes(photo, call.signal), call);
    },
    async *classifyStream(photo, call = {}) {
      requestOf(nothing, call);
      yield* classifyStream(calls('aggregator'), await bytes(photo, call.signal), call);
    },
    async *prepare(photo, call) {
      prepareRequestOf(nothing, call);
      yield* prepare(calls('preprocess'), await bytes(photo, call.signal), call);
    },
    async *score(planes, call = {}) {
      checkScoreOptions(call);
      yield* score(calls('inference'), planes, call);
    },
    average: async (posteriors, call = {}) => average(calls('aggregator'), posteriors, call),
    models: async (call = {}) => models(calls('inference'), call),
    model: async (name = '', call = {}) => model(calls('inference'), name, call),
    async ready(call = {}) {
      const all = [...services.values()].map((service) => isServing(service, call));
      return (await Promise.all(all)).every(Boolean);
    },
    close() {
      for (const channel of channels.values()) channel.close();
    },
  };
}

function retryPolicy(given: Partial<RetryPolicy> = {}): RetryPolicy {
  const policy = { ...DEFAULT_RETRY, ...given };
  checkInteger(policy.attempts, 1, 10, 'retry.attempts');
  checkInteger(policy.firstBackoffMs, 1, 60_000, 'retry.firstBackoffMs');
  checkInteger(policy.maxBackoffMs, 1, 600_000, 'retry.maxBackoffMs');
  return policy;
}
