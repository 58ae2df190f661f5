// The OpenAPI document: that it is one, and that what the server really answers is what it says.

import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Stack } from '../../cli/stack.ts';
import type { RunningGateway } from '../../services/gateway/main.ts';
import { PARAMETERS } from '../../services/gateway/schemas/parameters.ts';
import { classify, form, gatewayOf, PHOTO, services } from './running-gateway.ts';

interface Operation {
  operationId: string;
  summary: string;
  parameters?: { name: string; in: string; description?: string; schema: Record<string, unknown> }[];
  responses: Record<string, { content?: Record<string, { schema: object; example?: unknown }> }>;
}

interface Document {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, { examples?: unknown[] }> };
}

let stack: Stack;
let gateway: RunningGateway;
let document: Document;
let ajv: Ajv2020;
beforeAll(async () => {
  stack = await services();
  gateway = await gatewayOf(stack);
  document = (await (await get('/openapi.json')).json()) as Document;
  ajv = new Ajv2020({ strict: false, allErrors: true });
  ajv.addSchema(document, 'document');
});
afterAll(async () => {
  await gateway.close();
  await stack.close();
});

const get = (path: string, init: RequestInit = {}) => fetch(gateway.url + path, init);

// References are to the document.
function check(schema: object, value: unknown): void {
  const text = JSON.stringify(schema).replaceAll('"#/', '"document#/');
  const validate = ajv.compile(JSON.parse(text) as object);
  validate(value);
  expect(validate.errors ?? []).toEqual([]);
}

// What the document says of a status of an operation, for an answer that came.
async function checkAnswer(operationId: string, response: Response): Promise<unknown> {
  const operations = Object.values(document.paths).flatMap((path) => Object.values(path));
  const operation = operations.find((each) => each.operationId === operationId);
  const [media = ''] = (response.headers.get('content-type') ?? '').split(';');
  const said = operation?.responses[String(response.status)];
  expect(said, `${operationId} says nothing of ${String(response.status)}`).toBeDefined();
  const body: unknown = await response.json();
  const schema = said?.content?.[media]?.schema;
  expect(schema, `${operationId} gives no ${media} with ${String(response.status)}`).toBeDefined();
  check(schema ?? {}, body);
  return body;
}

describe('the document', () => {
  test('is OpenAPI 3.1', async () => {
    const response = await get('/openapi.json');
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    const validator = new Validator();
    const { valid, errors } = await validator.validate({ ...structuredClone(document) });
    expect(errors ?? []).toEqual([]);
    expect(valid).toBe(true);
    expect(document.openapi).toMatch(/^3\.1\./);
    expect(validator.version).toBe('3.1');
  });

  test('has every route that answers, each with a name of its own', () => {
    expect(Object.keys(document.paths).filter((path) => !path.startsWith('/v1/classify/'))).toEqual(
      expect.arrayContaining([
        ...['/', '/healthz', '/readyz', '/metrics', '/openapi.json'],
        ...['/v1/classify', '/v1/models', '/v1/models/{name}'],
      ]),
    );
    const operations = Object.values(document.paths).flatMap((path) => Object.values(path));
    const names = operations.map(({ operationId }) => operationId);
    expect(new Set(names).size).toBe(names.length);
    for (const { operationId, summary } of operations) {
      expect(operationId).toMatch(/^[a-z][A-Za-z]+$/);
      expect(summary).not.toBe('');
    }
  });

  test('has every status that classify and the models may have', () => {
    const statuses = (path: string, method: string) =>
      Object.keys(document.paths[path]?.[method]?.responses ?? {});
    const refused = ['400', '401', '405', '406', '408', '429', '500', '503', '504'];
    expect(statuses('/v1/classify', 'post')).toEqual(
      expect.arrayContaining(['200', '404', '413', '415', ...refused]),
    );
    expect(statuses('/v1/models', 'get')).toEqual(expect.arrayContaining(['200', '304', ...refused]));
    expect(statuses('/v1/models/{name}', 'get')).toEqual(
      expect.arrayContaining(['200', '304', '404', ...refused]),
    );
  });

  test('has the parameters that queries are read by', async () => {
    const parameters = document.paths['/v1/classify']?.['post']?.parameters ?? [];
    const said = parameters.filter((each) => each.in === 'query');
    expect(said.map(({ name }) => name)).toEqual(Object.keys(PARAMETERS));
    for (const { description } of said) expect(description).toMatch(/\.$/);
    // And every word in it is one that the server takes.
    for (const { name, schema } of said) {
      for (const word of (schema['enum'] ?? []) as string[]) {
        const response = await classify(gateway, `?scales=72&${name}=${word}`);
        expect(response.status, `${name}=${word}`).toBe(200);
        await response.body?.cancel();
      }
    }
  });

  test('has examples that are what they are examples of', () => {
    let examples = 0;
    for (const schema of Object.values(document.components.schemas)) {
      for (const example of schema.examples ?? []) {
        check(schema, example);
        examples++;
      }
    }
    const operations = Object.values(document.paths).flatMap((path) => Object.values(path));
    for (const { responses } of operations) {
      for (const { content = {} } of Object.values(responses)) {
        for (const { schema, example } of Object.values(content)) {
          if (example === undefined) continue;
          check(schema, example);
          examples++;
        }
      }
    }
    expect(examples).toBeGreaterThan(20);
  });

  test('is not sent again to who has it', async () => {
    const etag = (await get('/openapi.json')).headers.get('etag') ?? '';
    expect(etag).toMatch(/^"[\w-]+"$/);
    expect((await get('/openapi.json', { headers: { 'if-none-match': etag } })).status).toBe(304);
  });
});

describe('answers are what the document says', () => {
  test.each([
    ['', 'predictions'],
    ['?protocol=center-crop&posterior=true', 'posterior'],
    ['?protocol=ten-crop&views=true&scales=72', 'viewScores'],
    ['?protocol=dense&scoreMaps=true&views=true&scales=72,92', 'viewScores'],
    ['?protocol=googlenet-144&views=true', 'viewScores'],
    ['?stop=exact', 'viewsTotal'],
  ])('POST /v1/classify%s', async (query, property) => {
    expect(await checkAnswer('classify', await classify(gateway, query))).toHaveProperty(property);
  });

  test('of a form', async () => {
    const body = form([['photo', PHOTO]]);
    await checkAnswer('classify', await classify(gateway, '?protocol=center-crop', { body, headers: {} }));
  });

  test('of several photos, one of which is none', async () => {
    const body = form([
      ['photo', PHOTO],
      ['photo', Buffer.from('no photo')],
    ]);
    const answer = await checkAnswer(
      'classify',
      await classify(gateway, '?protocol=center-crop', { body, headers: {} }),
    );
    expect(answer).toMatchObject({ answers: [{ model: 'caltech-101-d' }, { problem: { status: 415 } }] });
  });

  test('of labels, and of what was kept', async () => {
    const headers = { 'content-type': 'image/png' };
    const init = { method: 'POST', body: PHOTO, headers };
    const labels = await fetch(`${gateway.url}/v1/classify/labels?protocol=center-crop`, init);
    expect(await checkAnswer('classifyLabels', labels)).toHaveLength(5);
    const accept = 'application/vnd.huggingface+json';
    await checkAnswer('classify', await classify(gateway, '', { headers: { ...headers, accept } }));
    await classify(gateway, '?protocol=ten-crop');
    const kept = await checkAnswer('classify', await classify(gateway, '?protocol=ten-crop'));
    expect(kept).toMatchObject({ cached: true });
  });

  test('of models', async () => {
    await checkAnswer('listModels', await get('/v1/models'));
    await checkAnswer('getModel', await get('/v1/models/caltech-101-d'));
  });

  test('of events', async () => {
    const headers = { 'content-type': 'image/png', accept: 'text/event-stream' };
    const text = await (await classify(gateway, '?views=true', { headers })).text();
    const events = [...text.matchAll(/^event: (\w+)\ndata: (.*)$/gm)];
    const names: Record<string, string> = { answer: 'AnswerEvent', done: 'DoneEvent' };
    expect(new Set(events.map(([, type]) => type))).toEqual(new Set(Object.keys(names)));
    for (const [, type = '', data = ''] of events) {
      check({ $ref: `#/components/schemas/${names[type] ?? ''}` }, JSON.parse(data));
    }
  });

  const text = { 'content-type': 'text/plain' };
  test.each<[number, string, RequestInit]>([
    [400, '?grid=five', {}],
    [404, '?model=nobody', {}],
    [405, '', { method: 'PUT' }],
    [406, '', { headers: { 'content-type': 'image/png', accept: 'text/csv' } }],
    [413, '', { body: Buffer.alloc(3_000_000) }],
    [415, '', { headers: text }],
    [415, '', { body: 'no photo' }],
  ])('a problem, %i', async (status, query, init) => {
    const small = await gatewayOf(stack, { maxBody: 2_000_000 });
    const response = await classify(small, query, init);
    expect(response.status).toBe(status);
    await checkAnswer('classify', response);
    await small.close();
  });

  test('problems of a server that cannot reach its services, and of one that is too slow', async () => {
    const gone = await services();
    const alone = await gatewayOf(gone);
    await gone.close();
    const lost = await classify(alone);
    expect([lost.status, lost.headers.get('retry-after')]).toEqual([503, '1']);
    await checkAnswer('classify', lost);
    await alone.close();
    const hasty = await gatewayOf(stack, { deadline: 1 });
    const response = await classify(hasty, '?protocol=dense-and-multi-crop');
    expect([408, 504]).toContain(response.status);
    await checkAnswer('classify', response);
    await hasty.close();
  });
});
