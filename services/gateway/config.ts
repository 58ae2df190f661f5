// The variables of the gateway: the only place in it that reads the environment.

import { readEnv, type EnvValues } from '../host/env.ts';
import { LOG_LEVELS } from '../host/log.ts';
import { publishingVariables } from '../host/publishing.ts';
import { addressVariable, upstreamVariables } from '../host/upstream-variables.ts';
import { bytes, choice, duration, integer, list, path, text } from '../host/variables.ts';

/** Every variable of the service, by the name that the code uses: VGG_GATEWAY_PORT is `port`. */
export const gatewayVariables = {
  host: text({ description: 'Address to listen at.', default: '127.0.0.1' }),
  port: integer({
    description: 'Port to listen at; 0 takes any free one.',
    default: 8080,
    min: 0,
    max: 65_535,
  }),
  logLevel: choice({
    description: 'Least severe log lines that are written.',
    default: 'info',
    of: LOG_LEVELS,
    shared: true,
  }),
  ...publishingVariables,
  aggregator: addressVariable('aggregator', '127.0.0.1:50051'),
  inference: addressVariable('inference', '127.0.0.1:50053'),
  ...upstreamVariables,
  attempts: integer({
    description: 'How often a call that is lost (UNAVAILABLE) is begun, in all.',
    default: 3,
    min: 1,
    max: 10,
  }),
  tlsCert: path({
    description: "The server's certificate chain, PEM; with tlsKey it serves HTTPS.",
    default: undefined,
  }),
  tlsKey: path({ description: "The server's private key, PEM.", default: undefined }),
  apiKeys: path({
    description: 'File of API key hashes, "SHA256 name" a line; without it no key is asked for.',
    default: undefined,
  }),
  apiKeyLines: text({
    description:
      'What such a file would hold, for platforms that hand secrets over as variables; instead of apiKeys.',
    default: undefined,
    expects: 'lines of "SHA256 name"',
  }),
  maxBody: bytes({
    description: 'Most bytes of a request body.',
    default: 20 * 1024 ** 2,
    min: 1024,
    max: 512 * 1024 ** 2,
  }),
  maxPhotos: integer({
    description: 'Most photos of a form; their bytes together are bounded by maxBody.',
    default: 32,
    min: 1,
    max: 1024,
  }),
  answerCache: bytes({
    description: 'Most bytes of kept answers; 0 computes every request by itself.',
    default: 64 * 1024 ** 2,
    min: 0,
    max: 16 * 1024 ** 3,
  }),
  answerTtl: duration({
    description: 'How long an answer is kept.',
    default: 300_000,
    min: 1,
    max: 24 * 3_600_000,
  }),
  corsOrigins: list({
    description:
      'Origins whose pages may ask; `*`: all, but without credentials of the browser. Without any, CORS is off.',
    default: [],
    expects: 'origins between commas, such as https://example.org, or *',
    matches: /^(\*|https?:\/\/[^\s/?#@*]+)$/,
  }),
  rateLimit: integer({
    description:
      'Requests to /v1/ that come back each second to a client: an API key, or else an address (of IPv6, a /64); 0: no limit.',
    default: 0,
    min: 0,
    max: 100_000,
  }),
  rateBurst: integer({
    description: 'Requests that a client may make at once, with rateLimit.',
    default: 20,
    min: 1,
    max: 1_000_000,
  }),
  trustedProxies: list({
    description:
      'Proxies whose X-Forwarded-For is believed; without any, a client is the address that connects.',
    default: [],
    expects: 'addresses, address/bits, loopback, linklocal or uniquelocal between commas',
    matches: /^(loopback|linklocal|uniquelocal|[\da-fA-F.:]+(\/\d{1,3})?)$/,
  }),
  deadline: duration({ description: 'Time for an answer.', default: 60_000, min: 1, max: 3_600_000 }),
  keepAlive: duration({
    description:
      'Time for which an idle connection is kept; behind a proxy that keeps connections, longer than it does.',
    default: 72_000,
    min: 1,
    max: 3_600_000,
  }),
  drain: duration({
    description: 'Time that requests in flight have to finish when the process is told to end.',
    default: 30_000,
    max: 3_600_000,
  }),
};

/** Values of {@link gatewayVariables}. Durations in milliseconds, sizes in bytes. */
export type GatewayConfig = EnvValues<typeof gatewayVariables>;

/**
 * The service's config.
 *
 * @throws VggError INVALID_ARGUMENT naming every variable that is unknown or wrong
 */
export function readConfig(env: NodeJS.ProcessEnv): GatewayConfig {
  return readEnv(env, 'gateway', gatewayVariables);
}
