// The routes of the gateway: what apps can ask over HTTP, and how every answer looks.
// Knows HTTP; answers come from the client SDK.

import helmet from '@fastify/helmet';
import multipart from '@fastify/multipart';
import fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyServerOptions,
} from 'fastify';
import { randomUUID } from 'node:crypto';
import type { Registry } from 'prom-client';
import { answerJson, type VggClient } from '../../sdk/index.ts';
import { VggError, asVggError, expected } from '../../vgg/errors.ts';
import type { Logger } from '../host/log.ts';
import type { Authenticate } from './api-keys.ts';
import type { GatewayMetrics } from './metrics.ts';
import { photoOf } from './photo.ts';
import { sendProblem } from './problem.ts';
import { readQuery } from './query.ts';

/** What the routes stand on. */
export interface GatewayDependencies {
  client: VggClient;
  /** Checks a credential; undefined: none is asked for. */
  authenticate: Authenticate | undefined;
  metrics: GatewayMetrics;
  registry: Registry;
  log: Logger;
  limits: { bodyBytes: number; deadlineMs: number };
  /** Whether the gateway takes requests: false while it drains. */
  open: () => boolean;
  https?: { cert: Buffer; key: Buffer };
  /** Monotonic milliseconds. */
  now: () => number;
}

const REQUEST_ID = /^[\w.:-]{1,128}$/;
const READY_MS = 1000;

const HELP = `vgg-serve: what is in this photo?

  curl -H 'Content-Type: image/jpeg' --data-binary @photo.jpg HOST/v1/classify
  curl -F photo=@photo.jpg 'HOST/v1/classify?protocol=dense&top=3'

  POST /v1/classify    ?model= &protocol= &scales= &grid= &align= &kernel= &scoreOrder= &top= &posterior= &views= &scoreMaps=
  GET  /v1/models      GET /v1/models/{name}
  GET  /healthz        GET /readyz        GET /metrics
`;

interface Arrival {
  at: number;
  timing?: { prepareMs: number; queueMs: number; computeMs: number };
}

/** The HTTP server, not listening yet. */
export async function createGateway(dependencies: GatewayDependencies): Promise<FastifyInstance> {
  const { client, authenticate, metrics, registry, log, limits, open, https, now } = dependencies;
  const options: FastifyServerOptions = {
    loggerInstance: log,
    disableRequestLogging: true,
    bodyLimit: limits.bodyBytes,
    genReqId: ({ headers }) => {
      const given = headers['x-request-id'];
      return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
    },
    requestTimeout: limits.deadlineMs,
    ...(https && { https }),
  };
  const app = fastify(options) as FastifyInstance;
  const arrivals = new WeakMap<FastifyRequest, Arrival>();
  await app.register(helmet);
  await app.register(multipart, { limits: { fileSize: limits.bodyBytes } });
  app.removeAllContentTypeParsers();
  await app.register(async (scope) => {
    // Multipart keeps its own parser; everything else is bytes.
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => {
      done(null, body);
    });
    scope.addContentTypeParser(/^multipart\//, (_request, _payload, done) => {
      done(null);
    });
    addRoutes(scope);
    await Promise.resolve();
  });

  app.addHook('onRequest', (request, reply, done) => {
    arrivals.set(request, { at: now() });
    metrics.arrived();
    void reply.header('x-request-id', request.id);
    done();
  });
  app.addHook('onSend', (request, reply, _payload, done) => {
    const { at, timing } = arrivals.get(request) ?? { at: now() };
    const parts = timing
      ? [
          `prepare;dur=${ms(timing.prepareMs)}`,
          `queue;dur=${ms(timing.queueMs)}`,
          `compute;dur=${ms(timing.computeMs)}`,
        ]
      : [];
    void reply.header('server-timing', [...parts, `total;dur=${ms(now() - at)}`].join(', '));
    done();
  });
  app.addHook('onResponse', (request, reply, done) => {
    const { at } = arrivals.get(request) ?? { at: now() };
    const route = request.routeOptions.url ?? 'unknown';
    metrics.answered(route, request.method, reply.statusCode, (now() - at) / 1000);
    log.debug(
      { requestId: request.id, route, status: reply.statusCode, ms: Math.round(now() - at) },
      'answered',
    );
    done();
  });
  app.setErrorHandler(async (thrown, request, reply) => {
    const error = readError(thrown, limits.bodyBytes);
    if (error.code === 'INTERNAL') log.error({ requestId: request.id, err: error }, 'request failed');
    else log.info({ requestId: request.id, code: error.code, reason: error.message }, 'request refused');
    await sendProblem(reply, error);
  });
  app.setNotFoundHandler(async (request, reply) => {
    const path = request.url.split('?')[0] ?? '';
    const allowed = (['GET', 'POST'] as const).filter((method) => app.hasRoute({ url: path, method }));
    if (allowed.length > 0) void reply.header('allow', allowed.join(', '));
    const error = expected(
      allowed.length > 0 ? `method ${allowed.join(' or ')} of ${path}` : 'a path that GET / names',
      allowed.length > 0 ? request.method : path,
      'request',
      allowed.length > 0 ? 'INVALID_ARGUMENT' : 'NOT_FOUND',
    );
    await sendProblem(reply, error, allowed.length > 0 ? 405 : undefined);
  });
  return app;

  function addRoutes(scope: FastifyInstance): void {
    scope.get('/', (_request, reply) => reply.type('text/plain; charset=utf-8').send(HELP));
    scope.get('/healthz', (_request, reply) => reply.type('text/plain').send('ok\n'));
    scope.get('/readyz', async (_request, reply) => {
      const ready = open() && (await client.ready({ deadlineMs: READY_MS }));
      await reply
        .code(ready ? 200 : 503)
        .type('text/plain')
        .send(ready ? 'ready\n' : 'not ready\n');
    });
    scope.get('/metrics', async (_request, reply) =>
      reply.type(registry.contentType).send(await registry.metrics()),
    );

    const guarded = async (request: FastifyRequest) => {
      authenticate?.(request.headers);
      if (!open()) throw new VggError('UNAVAILABLE', 'The server is shutting down');
      await Promise.resolve();
    };
    scope.get('/v1/models', { onRequest: guarded }, async (request) => ({
      models: await client.models(callOf(request)),
    }));
    scope.get<{ Params: { name: string } }>('/v1/models/:name', { onRequest: guarded }, (request) =>
      client.model(request.params.name, callOf(request)),
    );
    scope.post<{ Querystring: Record<string, unknown> }>(
      '/v1/classify',
      { onRequest: guarded },
      async (request, reply) => {
        const { models, evaluation, top, posterior, viewScores, scoreMaps } = readQuery(request.query);
        const { photo, name } = await photoOf(request, limits.bodyBytes);
        const left = abortWhenGone(reply, metrics);
        const answer = await client.classify(photo, {
          ...evaluation,
          models,
          top,
          posterior,
          viewScores,
          scoreMaps,
          ...callOf(request),
          signal: left,
        });
        const arrival = arrivals.get(request);
        if (arrival) arrival.timing = answer.timing;
        return answerJson(name, answer);
      },
    );
  }

  function callOf(request: FastifyRequest) {
    return { requestId: request.id, deadlineMs: limits.deadlineMs };
  }
}

// Aborted when the client closes its connection before it has its answer.
function abortWhenGone(reply: FastifyReply, metrics: GatewayMetrics): AbortSignal {
  const gone = new AbortController();
  reply.raw.once('close', () => {
    if (reply.raw.writableFinished) return;
    metrics.abandoned();
    gone.abort(new VggError('CANCELLED', 'The client went away'));
  });
  return gone.signal;
}

// What fastify itself found wrong, in the project's words.
function readError(thrown: unknown, bodyBytes: number): VggError {
  if (thrown instanceof VggError) return thrown;
  const { code, statusCode } = thrown as { code?: string; statusCode?: number };
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE' || statusCode === 413) {
    return expected(`a body of at most ${String(bodyBytes)} bytes`, 'more', 'body', 'TOO_LARGE');
  }
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE' || statusCode === 415) {
    return expected(
      'Content-Type image/* or multipart/form-data',
      'none',
      'Content-Type',
      'UNSUPPORTED_FORMAT',
    );
  }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new VggError('INVALID_ARGUMENT', 'Expected a well-formed request', { cause: thrown });
  }
  return asVggError(thrown);
}

function ms(value: number): string {
  return value.toFixed(1);
}
