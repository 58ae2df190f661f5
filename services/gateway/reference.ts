// The OpenAPI document at /openapi.json, and for people at /docs/api. Knows routes and headers; not what is in it.

import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { sendTagged } from './entity-tag.ts';
import { CONTENT_SECURITY_POLICY } from './page-files.ts';
import { operations } from './schemas/operations.ts';

const PATH = '/docs/api';

/** The routes. */
export async function serveReference(app: FastifyInstance): Promise<void> {
  app.get(
    '/openapi.json',
    { schema: operations.openapi, config: { gives: ['application/json'] } },
    (request, reply) => sendTagged(request, reply.header('cache-control', 'no-cache'), app.swagger()),
  );
  await app.register(swaggerUi, {
    routePrefix: PATH,
    logLevel: 'silent',
    // All of it is served from here, and nothing outside is asked.
    uiConfig: { url: '/openapi.json', validatorUrl: null, deepLinking: true, docExpansion: 'list' },
    theme: { title: 'vgg-serve: HTTP API' },
    staticCSP: policy(),
  });
}

function policy(): Record<string, string[]> {
  return CONTENT_SECURITY_POLICY.directives;
}
