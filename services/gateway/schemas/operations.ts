// What each route takes and gives, in the form that fastify's routes have and the OpenAPI document is made of.

import { LABELS_TYPE } from '../negotiation.ts';
import type { JsonSchema } from './json-schema.ts';
import { exactly, the } from './json-schema.ts';
import { ANSWER_EXAMPLE } from './answer.ts';
import { querySchema } from './parameters.ts';
import { bare, refusals, response } from './responses.ts';

const photo = { type: 'string', contentMediaType: 'application/octet-stream' };
const text = { 'text/plain': { schema: { type: 'string' } } };
const RATE = ['RateLimit-Policy', 'RateLimit'];
// Of models that are from before, as nobody can be asked, when that was.
const MODEL_HEADERS = [...RATE, 'ETag', 'Age', 'Cache-Status'];
const EVENTS = `event: answer
data: {"viewsDone":50,"viewsTotal":150,"photo":"","model":"caltech-101-d",…}

event: done
data: {"photo":"","model":"caltech-101-d",…}

`;

const ifNoneMatch: JsonSchema = {
  type: 'object',
  properties: {
    'if-none-match': {
      type: 'string',
      description: 'ETag of what the client has: it is answered 304 if nothing changed.',
    },
  },
};

const cacheControl: JsonSchema = {
  type: 'object',
  properties: {
    'cache-control': { type: 'string', description: 'no-cache: an answer that was kept is not wanted.' },
  },
};

const body: JsonSchema = {
  content: {
    'image/*': { schema: photo },
    'application/octet-stream': { schema: photo },
    'multipart/form-data': {
      schema: exactly({
        photo: {
          anyOf: [photo, { type: 'array', items: photo, minItems: 1 }],
          description: 'The file of the photo; several are answered together.',
        },
      }),
    },
  },
};

const classifyRefusals = refusals(400, 401, 404, 405, 406, 408, 413, 415, 429, 500, 503, 504);
const modelRefusals = refusals(400, 401, 405, 406, 408, 429, 500, 503, 504);
const probeRefusals = refusals(405, 406);
const { 404: noSuchModel } = refusals(404);

/** Routes' schemas by the document's operationId. */
export const operations = {
  classify: {
    operationId: 'classify',
    tags: ['classify'],
    summary: 'What is in a photo',
    description:
      'The photo is the body, or the field photo of a form. With Accept: text/event-stream the answer comes as it forms: events answer, each better than the one before, then done or problem; with Accept: application/vnd.huggingface+json labels and scores alone.',
    querystring: querySchema,
    headers: cacheControl,
    body,
    response: {
      200: response(
        'The answer: of one photo, or of several, in their order.',
        {
          'application/json': {
            schema: { anyOf: [the('Answer'), the('BatchAnswer')] },
            example: ANSWER_EXAMPLE,
          },
          [LABELS_TYPE]: { schema: the('Labels') },
          'text/event-stream': {
            schema: {
              type: 'string',
              description: 'Events answer (AnswerEvent), then done (DoneEvent) or problem (ProblemEvent).',
            },
            example: EVENTS,
          },
        },
        [...RATE, 'Cache-Status'],
      ),
      ...classifyRefusals,
    },
  },
  classifyLabels: {
    operationId: 'classifyLabels',
    tags: ['classify'],
    summary: 'Labels of what is in a photo',
    description: 'As classify, but the answer is only the labels of the most probable classes.',
    querystring: querySchema,
    headers: cacheControl,
    body,
    response: {
      200: response(
        'The labels, most probable first.',
        { 'application/json': { schema: the('Labels') }, [LABELS_TYPE]: { schema: the('Labels') } },
        [...RATE, 'Cache-Status'],
      ),
      ...classifyRefusals,
    },
  },
  listModels: {
    operationId: 'listModels',
    tags: ['models'],
    summary: 'The models that can be asked',
    headers: ifNoneMatch,
    response: {
      200: response('The models.', { 'application/json': { schema: the('Models') } }, MODEL_HEADERS),
      304: bare('The client has them already.', ['ETag']),
      ...modelRefusals,
    },
  },
  getModel: {
    operationId: 'getModel',
    tags: ['models'],
    summary: 'One model',
    headers: ifNoneMatch,
    params: {
      type: 'object',
      required: ['name'],
      properties: {
        name: {
          type: 'string',
          minLength: 1,
          description: 'Name of the model.',
          examples: ['caltech-101-d'],
        },
      },
    },
    response: {
      200: response('The model.', { 'application/json': { schema: the('Model') } }, MODEL_HEADERS),
      304: bare('The client has it already.', ['ETag']),
      404: noSuchModel,
      ...modelRefusals,
    },
  },
  alive: {
    operationId: 'alive',
    tags: ['operation'],
    summary: 'Whether the process runs',
    security: [],
    response: { 200: response('It does.', text), ...probeRefusals },
  },
  ready: {
    operationId: 'ready',
    tags: ['operation'],
    summary: 'Whether requests are answered',
    security: [],
    response: {
      200: response('They are.', text),
      503: response('They are not.', text, ['Retry-After']),
      ...probeRefusals,
    },
  },
  metrics: {
    operationId: 'metrics',
    tags: ['operation'],
    summary: 'Metrics, for Prometheus',
    security: [],
    response: { 200: response('Text exposition format 0.0.4.', text), ...probeRefusals },
  },
  help: {
    operationId: 'help',
    tags: ['operation'],
    summary: 'How to ask; for browsers, the page',
    security: [],
    response: {
      200: response('Help.', { ...text, 'text/html': { schema: { type: 'string' } } }),
      ...probeRefusals,
    },
  },
  openapi: {
    operationId: 'openapi',
    tags: ['operation'],
    summary: 'This document',
    security: [],
    headers: ifNoneMatch,
    response: {
      200: response('OpenAPI 3.1.', { 'application/json': { schema: { type: 'object' } } }, ['ETag']),
      304: bare('The client has it already.', ['ETag']),
      ...probeRefusals,
    },
  },
} as const;
