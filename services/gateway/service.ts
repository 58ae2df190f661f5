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
import { VggError } from '../../vgg/errors.ts';
import { systemClock } from '../host/deadline.ts';
import type { Logger } from '../host/log.ts';
import { unacceptable } from './acceptance.ts';
import { Admission } from './admission.ts';
import { callOf, type Answers, type Asker } from './answers/answers.ts';
import { LABELS_PATH } from './answers/labels.ts';
import { recalled } from './answers/cache-status.ts';
import { classifyHandler } from './answers/route.ts';
import { keyHash, type Authenticate } from './api-keys.ts';
import { Arrivals, requestIdOf } from './arrivals.ts';
import { KnownModels } from './known-models.ts';
import type { GatewayMetrics } from './metrics.ts';
import { sendTagged } from './entity-tag.ts';
import { checkEncoding, FORMS, JSON_TYPE, LABEL_FORMS } from './negotiation.ts';
import { allowOrigins } from './origins.ts';
import { CONTENT_SECURITY_POLICY, PERMISSIONS_POLICY, servePage } from './page-files.ts';
import { checkContentType, type FormLimits } from './photo.ts';
import { sendProblem } from './problem.ts';
import { readQuery } from './query.ts';
import type { RatePolicy } from './rate-limit.ts';
import { serveReference } from './reference.ts';
import {
  bodyTooLarge,
  discardRest,
  fromBehind,
  readError,
  refuseSocket,
  unroutable,
  type Route,
} from './refusals.ts';
import { describeRoutes } from './schemas/document.ts';
import { operations } from './schemas/operations.ts';

/** What the routes stand on. */
export interface GatewayDependencies {
  client: VggClient;
  answers: Answers;
  /** Checks a credential; undefined: none is asked for. */
  authenticate: Authenticate | undefined;
  metrics: GatewayMetrics;
  registry: Registry;
  log: Logger;
  limits: FormLimits & { deadlineMs: number };
  /** Origins whose pages may ask. */
  corsOrigins: readonly string[];
  /** What a client may do; none each second: as much as it likes. */
  rate: RatePolicy;
  /** Proxies whose X-Forwarded-For is believed. */
  trustedProxies: readonly string[];
  /** Milliseconds for which an idle connection is kept. */
  keepAliveMs: number;
  /** Whether the gateway takes requests: false while it drains. */
  open: () => boolean;
  https?: { cert: Buffer; key: Buffer };
  /** Monotonic milliseconds. */
  now: () => number;
}

const READY_MS = 1000;
// Of its client alone, which asks each time whether it changed.
const REVALIDATED = 'private, no-cache';
// Of a form, what is not the photo: boundaries and headers.
const FORM_BYTES = 64 * 1024;
// Node.js takes 16 KiB of request line and headers: a name in a path is never cut short before that.
const LONGEST_NAME = 16 * 1024;

const HELP = `vgg-serve: what is in this photo?

  curl -H 'Content-Type: image/jpeg' --data-binary @photo.jpg HOST/v1/classify
  curl -F photo=@photo.jpg 'HOST/v1/classify?protocol=dense&top=3'

  Accept: text/event-stream gives the answer as it forms.

  POST /v1/classify    ?model= &protocol= &scales= &grid= &align= &kernel= &scoreOrder= &share= &stop= &top= &posterior= &views= &scoreMaps=
  POST /v1/classify/labels                  labels and scores alone
  GET  /v1/models      GET /v1/models/{name}
  GET  /healthz        GET /readyz        GET /metrics
  GET  /openapi.json   GET /docs/api
`;

/** The HTTP server, not listening yet. */
export async function createGateway(dependencies: GatewayDependencies): Promise<FastifyInstance> {
  const { client, answers, authenticate, metrics, registry, log, limits, open, https, now } = dependencies;
  const { corsOrigins, rate, trustedProxies } = dependencies;
  const arrivals = new Arrivals(metrics, log, now);
  const admission = new Admission({ authenticate, rate, metrics, open, now });
  const guard = admission.check.bind(admission);
  const routes: Route[] = [];
  const options: FastifyServerOptions = {
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: limits.bodyBytes,
    genReqId: ({ headers }) => requestIdOf(headers),
    requestTimeout: limits.deadlineMs,
    keepAliveTimeout: dependencies.keepAliveMs,
    ...(trustedProxies.length > 0 && { trustProxy: [...trustedProxies] }),
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
    await Promise.resolve();
  });
  app.addHook('onSend', async (request, reply) => {
    void reply.header('server-timing', arrivals.serverTiming(request));
    // A connection that stays open would hold up the end of the process.
    if (!open()) void reply.header('connection', 'close');
    await Promise.resolve();
  });
  await app.register(helmet, { contentSecurityPolicy: CONTENT_SECURITY_POLICY });
  app.addHook('onRequest', async (request, reply) => {
    const preflight = corsOrigins.length > 0 && 'access-control-request-method' in request.headers;
    if (request.method !== 'OPTIONS' || preflight) return;
    const { error, allow } = unroutable(request, routes);
    discardRest(request, limits.bodyBytes);
    if (allow === undefined) await sendProblem(reply, error);
    else await reply.code(204).header('allow', allow).send();
  });
  await allowOrigins(app, corsOrigins);
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
    refuse(request, error);
    await sendProblem(reply, error, status);
  });
  app.addHook('onRequest', async (request, reply) => {
    const error = unacceptable(request);
    if (!error) return;
    refuse(request, error);
    await sendProblem(reply, error, 406);
  });
  // A route for a folder of files has none of that name.
  app.setNotFoundHandler(async (request, reply) => {
    const { error, status } = unroutable(request, []);
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

  await describeRoutes(app, authenticate !== undefined);
  await serveReference(app);
  await servePage(app, HELP);
  app.get('/healthz', { schema: operations.alive }, (_request, reply) =>
    reply.type('text/plain').send('ok\n'),
  );
  app.get('/readyz', { schema: operations.ready }, async (request, reply) => {
    const ready = open() && (await isReady(request));
    if (!ready) void reply.header('retry-after', 1);
    await reply
      .code(ready ? 200 : 503)
      .type('text/plain')
      .send(ready ? 'ready\n' : 'not ready\n');
  });
  app.get('/metrics', { schema: operations.metrics }, async (_request, reply) =>
    reply.type(registry.contentType).send(await registry.metrics()),
  );
  const known = new KnownModels({
    onAwaited: () => {
      metrics.modelsAwaited();
    },
    now,
  });
  const models = { onRequest: guard, config: { gives: [JSON_TYPE] } };
  app.get('/v1/models', { ...models, schema: operations.listModels }, async (request, reply) => {
    const call = callOf(askerOf(request));
    const { what, ageS } = await known.all(() => fromBehind(() => client.models(call)));
    return sendTagged(request, dated(reply, ageS), { models: what });
  });
  app.get<{ Params: { name: string } }>(
    '/v1/models/:name',
    { ...models, schema: operations.getModel },
    async (request, reply) => {
      const call = callOf(askerOf(request));
      const { name } = request.params;
      const { what, ageS } = await known.one(name, () => fromBehind(() => client.model(name, call)));
      return sendTagged(request, dated(reply, ageS), what);
    },
  );
  const handler = classifyHandler({
    ...{ client, answers, limits, askerOf, failed: logRefusal },
    spaceOf: ({ headers }) => (authenticate ? keyHash(headers) : ''),
    timed: (request, timing) => {
      arrivals.of(request).timing = timing;
    },
  });
  const photos = { onRequest: [guard, checkClassify] };
  const { classify, classifyLabels } = operations;
  app.post('/v1/classify', { ...photos, schema: classify, config: { gives: FORMS } }, handler);
  app.post(LABELS_PATH, { ...photos, schema: classifyLabels, config: { gives: LABEL_FORMS } }, handler);
  return app;

  // Of what nobody can be asked about now, when it was said.
  function dated(reply: FastifyReply, ageS: number | undefined): FastifyReply {
    if (ageS !== undefined) void reply.header('age', ageS).header('cache-status', recalled(ageS));
    return reply.header('cache-control', REVALIDATED);
  }

  // What is wrong before the photo is read is said before it is sent.
  async function checkClassify(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    checkEncoding(request, reply);
    void reply.header('vary', [reply.getHeader('vary'), 'Accept'].filter(Boolean).join(', '));
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

  function askerOf(request: FastifyRequest): Asker {
    // A point in time: a call that is made again has no more of it.
    const deadline = systemClock.now() + limits.deadlineMs;
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
