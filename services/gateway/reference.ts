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
    uiConfig: {
      url: '/openapi.json',
      validatorUrl: null,
      deepLinking: true,
      docExpansion: 'list',
      layout: 'BaseLayout',
    },
    theme: { title: 'vgg-serve: HTTP API' },
    staticCSP: policy(),
  });
}

// Beside what the page may, one style that the bundle puts in for itself, by its hash: it belongs to the very version
// of the bundle, and the test in a browser complains when it is another.
const OWN_STYLE = "'sha256-RL3ie0nH+Lzz2YNqQN83mnU0J1ot4QL7b99vMdIX99w='";

function policy(): Record<string, string[]> {
  const { directives } = CONTENT_SECURITY_POLICY;
  return { ...directives, 'style-src': [...directives['style-src'], OWN_STYLE] };
}
