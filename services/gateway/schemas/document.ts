// The OpenAPI document: made of the schemas of the routes, and what holds for all of them.

import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../../proto/package-root.ts';
import { answerSchemas } from './answer.ts';
import { eventSchemas } from './events.ts';
import type { JsonSchema } from './json-schema.ts';
import { modelSchemas } from './model.ts';
import { problemSchemas } from './problem.ts';

const DESCRIPTION = `What is in a photo, by VGG networks that are evaluated as their paper evaluates them.

Errors are problems (RFC 9457) with a code that never changes its name. HEAD is answered wherever GET is, and OPTIONS
everywhere. A request that brings X-Request-Id keeps it.`;

const TAGS = [
  { name: 'classify', description: 'Photos become answers.' },
  { name: 'models', description: 'What can be asked.' },
  { name: 'operation', description: 'Probes, metrics and documents; no key is asked for.' },
];

const SCHEMES = {
  bearer: { type: 'http', scheme: 'bearer', description: 'Authorization: Bearer KEY' },
  apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'X-API-Key: KEY' },
} as const;

/**
 * Prepares an app to describe itself: from here on its routes' schemas go into the document.
 *
 * @param keys whether an API key is asked for
 */
export async function describeRoutes(app: FastifyInstance, keys: boolean): Promise<void> {
  // The routes read what they are given by the same tables, with better words for what is wrong.
  app.setValidatorCompiler(() => () => true);
  // Answers are sent as they are: a serializer by schema would drop, in silence, what the schema lacks.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  const schemas = { ...answerSchemas, ...modelSchemas, ...problemSchemas, ...eventSchemas };
  for (const [name, schema] of Object.entries(schemas)) app.addSchema({ ...schema, $id: name });
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'vgg-serve',
        version: version(),
        description: DESCRIPTION,
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } as { name: string },
      },
      servers: [{ url: '/' }],
      tags: TAGS,
      components: { securitySchemes: SCHEMES },
      security: keys ? [{ bearer: [] }, { apiKey: [] }] : [{}, { bearer: [] }, { apiKey: [] }],
    },
    convertConstToEnum: false,
    hideUntagged: true,
    refResolver: { buildLocalReference: ({ $id }, _base, _fragment, i) => nameOf($id, i) },
    transformObject: (document) => withLists('openapiObject' in document ? document.openapiObject : {}),
  });
}

function version(): string {
  const { version: own } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as {
    version: string;
  };
  return own;
}

function nameOf(id: unknown, i: number): string {
  return typeof id === 'string' ? id : `def-${String(i)}`;
}

// Scales are one text with commas, which a schema cannot say: it is a matter of the parameter.
function withLists<Document extends object>(document: Document): Document {
  const { paths = {} } = document as {
    paths?: Record<string, Record<string, { parameters?: Record<string, unknown>[] }>>;
  };
  for (const operation of Object.values(paths).flatMap((path) => Object.values(path))) {
    for (const parameter of operation.parameters ?? []) {
      const { type } = (parameter['schema'] ?? {}) as JsonSchema;
      if (type !== 'array') continue;
      Object.assign(parameter, { style: 'form', explode: parameter['name'] !== 'scales' });
    }
  }
  return document;
}
