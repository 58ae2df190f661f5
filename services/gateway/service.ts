// The routes of the gateway: what apps can ask over HTTP, and how every answer looks.
// Knows HTTP; answers come from the client SDK.

import helmet from '@fastify/helmet';
import multipart from '@fastify/multipart';
import fastify, {
  LogController,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyServerOptions,
} from 'fastify';
import type { Registry } from 'prom-client';
import type { VggClient } from '../../sdk/index.ts';
import { VggError, expected } from '../../vgg/errors.ts';
import type { Logger } from '../host/log.ts';
import type { Answers } from './answers/answers.ts';
import { LABELS_PATH } from './answers/labels.ts';
import { classifyHandler } from './answers/route.ts';
import { keyHash, type Authenticate } from './api-keys.ts';
import { Arrivals, requestIdOf } from './arrivals.ts';
import type { GatewayMetrics } from './metrics.ts';
import { checkEncoding, FORMS, formOf, JSON_TYPE, LABEL_FORMS, sendTagged } from './negotiation.ts';
import { Origins } from './origins.ts';
import { CONTENT_SECURITY_POLICY, PERMISSIONS_POLICY, servePage } from './page-files.ts';
import { checkContentType, type FormLimits } from './photo.ts';
import { sendProblem } from './problem.ts';
import { readQuery } from './query.ts';
import { addressOf, Rates, type Rate } from './rates.ts';
import {
  bodyTooLarge,
  discardRest,
  fromBehind,
  readError,
  refuseSocket,
  unroutable,
  type Route,
} from './refusals.ts';

/** What the routes stand on. */
export interface GatewayDependencies {
  client: VggClient;
  answers: Answers;
  /** Checks a credential; undefined: none is asked for. */
  authenticate: Authenticate | undefined;
  metrics: GatewayMetrics;
  registry: Registry;
  log: Logger;
  limits: FormLimits & { deadlineMs: number; key: Rate; address: Rate };
  /** Proxies whose X-Forwarded-For is believed. */
  trustedProxies: readonly string[];
  /** Whose pages may ask; `*`: anybody's. */
  corsOrigins: readonly string[];
  /** Whether the gateway takes requests: false while it drains. */
  open: () => boolean;
  https?: { cert: Buffer; key: Buffer };
  /** Monotonic milliseconds. */
  now: () => number;
}

const READY_MS = 1000;
// Of a form, what is not the photo: boundaries and headers.
const FORM_BYTES = 64 * 1024;
// Node.js takes 16 KiB of request line and headers: a name in a path is never cut short before that.
const LONGEST_NAME = 16 * 1024;

const HELP = `vgg-serve: what is in this photo?

  curl -H 'Content-Type: image/jpeg' --data-binary @photo.jpg HOST/v1/classify
  curl -F photo=@photo.jpg 'HOST/v1/classify?protocol=dense&top=3'

  Accept: text/event-stream gives the answer as it forms; several fields photo give {answers: […]}.

  POST /v1/classify/labels gives [{label, score}] alone.

  POST /v1/classify    ?model= &protocol= &scales= &grid= &align= &kernel= &scoreOrder= &share= &stop= &top= &posterior= &views= &scoreMaps=
  GET  /v1/models      GET /v1/models/{name}
  GET  /healthz        GET /readyz        GET /metrics
`;

/** The HTTP server, not listening yet. */
export async function createGateway(dependencies: GatewayDependencies): Promise<FastifyInstance> {
  const { client, answers, authenticate, metrics, registry, log, limits, open, https, now } = dependencies;
  const { trustedProxies } = dependencies;
  const origins = new Origins(dependencies.corsOrigins);
  const rates = { key: new Rates(limits.key, now), address: new Rates(limits.address, now) };
  const arrivals = new Arrivals(metrics, log, now);
  const routes: Route[] = [];
  const options: FastifyServerOptions = {
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: limits.bodyBytes,
    genReqId: ({ headers }) => requestIdOf(headers),
    requestTimeout: limits.deadlineMs,
    routerOptions: { maxParamLength: LONGEST_NAME },
    // The routes say it themselves, as a problem.
    return503OnClosing: false,
    clientErrorHandler: (error, socket) => {
      const status = refuseSocket(error, socket);
      if (status !== undefined) metrics.unreadable(status);
    },
    frameworkErrors: (thrown, request, reply) => {
      // Such a request meets no hook.
      arrivals.begin(request, reply);
      void reply.header('server-timing', arrivals.serverTiming(request));
      refuse(request, readError(thrown, limits.bodyBytes));
      void sendProblem(reply, readError(thrown, limits.bodyBytes));
    },
    ...(trustedProxies.length > 0 && { trustProxy: [...trustedProxies] }),
    ...(https && { https }),
  };
  const app = fastify(options) as FastifyInstance;

  app.addHook('onRoute', ({ url, method }) => {
    for (const each of [method].flat()) routes.push({ url, method: each });
  });
  app.addHook('onRequest', async (request, reply) => {
    arrivals.begin(request, reply);
    if (!open()) void reply.header('connection', 'close');
    void reply.header('permissions-policy', PERMISSIONS_POLICY);
    if (origins.admit(request, reply)) await reply.code(204).send();
  });
  app.addHook('onSend', async (request, reply) => {
    void reply.header('server-timing', arrivals.serverTiming(request));
    // A connection that stays open would hold up the end of the process.
    if (!open()) void reply.header('connection', 'close');
    await Promise.resolve();
  });
  await app.register(helmet, { contentSecurityPolicy: CONTENT_SECURITY_POLICY });
  app.removeAllContentTypeParsers();
  await app.register(multipart);
  // Forms keep their own parser; everything else is bytes.
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => {
    done(null, body);
  });
  app.addHook('onRequest', async (request, reply) => {
    // The router takes /v1/models/ for a model without a name.
    if (!request.is404 && !Object.values(request.params as Record<string, string>).includes('')) return;
    const { error, status, allow } = unroutable(request, routes);
    if (allow !== undefined) void reply.header('allow', allow);
    if (allow !== undefined && request.method === 'OPTIONS') return await reply.code(204).send();
    refuse(request, error);
    await sendProblem(reply, error, status);
  });
  app.setErrorHandler((thrown, request, reply) => {
    const error = readError(thrown, limits.bodyBytes);
    refuse(request, error);
    // fastify closes the connection of a body that it does not read; here the rest is discarded.
    if (open()) void reply.removeHeader('connection');
    void sendProblem(reply, error);
  });

  await servePage(app, HELP);
  app.get('/healthz', (_request, reply) => reply.type('text/plain').send('ok\n'));
  app.get('/readyz', async (request, reply) => {
    const ready = open() && (await isReady(request));
    await reply
      .code(ready ? 200 : 503)
      .type('text/plain')
      .send(ready ? 'ready\n' : 'not ready\n');
  });
  app.get('/metrics', async (_request, reply) =>
    reply.type(registry.contentType).send(await registry.metrics()),
  );
  const asked = [guard, takes(JSON_TYPE)];
  app.get('/v1/models', { onRequest: asked }, async (request, reply) => {
    const call = callOf(request);
    return sendTagged(request, reply, { models: await fromBehind(() => client.models(call)) });
  });
  app.get<{ Params: { name: string } }>('/v1/models/:name', { onRequest: asked }, async (request, reply) => {
    const call = callOf(request);
    return sendTagged(request, reply, await fromBehind(() => client.model(request.params.name, call)));
  });
  const classify = classifyHandler({
    ...{ client, answers, limits, askerOf: callOf, failed: logRefusal },
    spaceOf: ({ headers }) => (authenticate ? keyHash(headers) : ''),
    timed: (request, timing) => {
      arrivals.of(request).timing = timing;
    },
  });
  app.post('/v1/classify', { onRequest: [guard, takes(...FORMS), checkClassify] }, classify);
  app.post(LABELS_PATH, { onRequest: [guard, takes(...LABEL_FORMS), checkClassify] }, classify);
  return app;

  async function guard(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    // Before the key, which may be a guess.
    rates.address.take(addressOf(request), 'address');
    const name = authenticate?.(request.headers);
    if (name !== undefined) rates.key.take(name, 'API key');
    checkEncoding(request, reply);
    if (!open()) throw new VggError('UNAVAILABLE', 'The server is shutting down');
    await Promise.resolve();
  }

  // 406 for clients that take none of the forms.
  function takes(...forms: readonly string[]) {
    return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
      void reply.header('vary', [reply.getHeader('vary'), 'Accept'].filter(Boolean).join(', '));
      if (formOf(request, forms) !== undefined) return;
      const error = expected(`Accept ${forms.join(' or ')}`, request.headers.accept, 'Accept');
      refuse(request, error);
      await sendProblem(reply, error, 406);
    };
  }

  // What is wrong before the photo is read is said before it is sent.
  async function checkClassify(request: FastifyRequest): Promise<void> {
    const { 'content-type': type, 'content-length': length } = request.headers;
    checkContentType(type);
    readQuery(request.query as Record<string, unknown>);
    if (Number(length) > limits.bodyBytes + FORM_BYTES) throw bodyTooLarge(limits.bodyBytes);
    await Promise.resolve();
  }

  async function isReady(request: FastifyRequest): Promise<boolean> {
    try {
      return await client.ready({ requestId: request.id, deadlineMs: READY_MS });
    } catch (error) {
      log.warn({ requestId: request.id, err: error }, 'services behind cannot be asked');
      return false;
    }
  }

  function callOf(request: FastifyRequest) {
    // A point in time: a call that is made again has no more of it.
    const deadline = Date.now() + limits.deadlineMs;
    return { requestId: request.id, signal: arrivals.of(request).gone, deadline };
  }

  function refuse(request: FastifyRequest, error: VggError): void {
    discardRest(request, limits.bodyBytes);
    logRefusal(request, error);
  }

  function logRefusal(request: FastifyRequest, error: VggError): void {
    const { code, message, cause } = error;
    if (code === 'INTERNAL') log.error({ requestId: request.id, err: error }, 'request failed');
    else {
      const why = {
        requestId: request.id,
        code,
        reason: message,
        ...(cause !== undefined && { err: cause }),
      };
      log.info(why, 'request refused');
    }
  }
}
