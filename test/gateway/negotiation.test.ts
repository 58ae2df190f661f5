// What clients may have already, what they take, and which methods paths take.

import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Stack } from '../../cli/stack.ts';
import type { RunningGateway } from '../../services/gateway/main.ts';
import { classify, gatewayOf, problemOf, raw, services } from './running-gateway.ts';

let stack: Stack;
let gateway: RunningGateway;
beforeAll(async () => {
  stack = await services();
  gateway = await gatewayOf(stack);
});
afterAll(async () => {
  await gateway.close();
  await stack.close();
});

const get = (path: string, headers: Record<string, string> = {}) => fetch(gateway.url + path, { headers });

describe.each(['/v1/models', '/v1/models/caltech-101-d', '/openapi.json'])('GET %s', (path) => {
  test('has a strong ETag that stays the same while nothing changes', async () => {
    const [first, second] = [await get(path), await get(path)];
    const etag = first.headers.get('etag') ?? '';
    expect(etag).toMatch(/^"[\w-]{43}"$/);
    expect(second.headers.get('etag')).toBe(etag);
    expect(first.headers.get('cache-control')).toMatch(/no-cache$/);
  });

  test('is not sent to a client that has it', async () => {
    const etag = (await get(path)).headers.get('etag') ?? '';
    for (const field of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const response = await get(path, { 'if-none-match': field });
      expect([response.status, await response.text()]).toEqual([304, '']);
      expect(response.headers.get('etag')).toBe(etag);
      expect(response.headers.has('content-type')).toBe(false);
    }
  });

  test.each(['"other"', 'nonsense', '""'])('is sent to one that has %s', async (field) => {
    const response = await get(path, { 'if-none-match': field });
    expect(response.status).toBe(200);
    expect(await response.json()).toBeTypeOf('object');
  });
});

test('models that differ have ETags that differ', async () => {
  const [all, one] = [await get('/v1/models'), await get('/v1/models/caltech-101-d')];
  expect(all.headers.get('etag')).not.toBe(one.headers.get('etag'));
});

describe('methods', () => {
  test.each([
    '/',
    '/healthz',
    '/readyz',
    '/metrics',
    '/v1/models',
    '/v1/models/caltech-101-d',
    '/openapi.json',
    '/docs/api',
  ])('HEAD %s has the headers of GET alone', async (path) => {
    const [head, whole] = [await fetch(gateway.url + path, { method: 'HEAD' }), await get(path)];
    expect([head.status, await head.text()]).toEqual([200, '']);
    expect(head.headers.get('content-type')).toBe(whole.headers.get('content-type'));
    expect(head.headers.get('etag')).toBe(whole.headers.get('etag'));
    // Metrics have moved on.
    if (path !== '/metrics')
      expect(head.headers.get('content-length')).toBe(whole.headers.get('content-length'));
  });

  test.each([
    ['/v1/classify?top=1', 'POST, OPTIONS'],
    ['/v1/models', 'GET, HEAD, OPTIONS'],
    ['/v1/models/any', 'GET, HEAD, OPTIONS'],
    ['/', 'GET, HEAD, OPTIONS'],
    ['/openapi.json', 'GET, HEAD, OPTIONS'],
  ])('OPTIONS %s is answered with what it takes', async (path, allow) => {
    const response = await fetch(gateway.url + path, { method: 'OPTIONS' });
    expect([response.status, await response.text()]).toEqual([204, '']);
    expect(response.headers.get('allow')).toBe(allow);
    expect(response.headers.get('x-request-id')).toMatch(/^[\w-]+$/);
    expect(response.headers.has('access-control-allow-origin')).toBe(false);
  });

  test('OPTIONS of a path that is not there', async () => {
    const response = await fetch(`${gateway.url}/nope`, { method: 'OPTIONS' });
    expect(await problemOf(response)).toMatchObject({ status: 404, code: 'NOT_FOUND' });
  });
});

describe('Accept', () => {
  const NO_MODELS = 'Expected Accept to take application/json but received';
  const NO_ANSWER =
    'Expected Accept to take application/json or text/event-stream or application/vnd.huggingface+json but received';
  test.each([
    ['/v1/models', 'text/csv', NO_MODELS],
    ['/v1/models', 'text/html, image/*;q=0.8', NO_MODELS],
    ['/v1/models', 'application/json;q=0', NO_MODELS],
    ['/v1/models', 'application/json;q=0, */*', NO_MODELS],
    ['/v1/models', '*/*;q=0.0', NO_MODELS],
    ['/v1/models/caltech-101-d', 'application/xml', NO_MODELS],
    ['/openapi.json', 'application/yaml', NO_MODELS],
    ['/', 'image/png', 'Expected Accept to take text/plain or text/html but received'],
  ])('of %s may not be %s', async (path, accept, detail) => {
    const problem = await problemOf(await get(path, { accept }));
    expect(problem).toMatchObject({
      status: 406,
      title: 'Not Acceptable',
      code: 'INVALID_ARGUMENT',
      detail: `${detail} ${accept} (Accept)`,
      errors: [{ field: 'Accept' }],
    });
  });

  test('of a photo may not be text/csv: it is said before the photo is sent', async () => {
    const headers = { 'content-type': 'image/png', accept: 'text/csv' };
    const problem = await problemOf(await classify(gateway, '', { headers }));
    expect(problem).toMatchObject({ status: 406, detail: `${NO_ANSWER} text/csv (Accept)` });
    const { hostname, port } = new URL(gateway.url);
    const status = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), hostname, () => {
        socket.write(
          'POST /v1/classify HTTP/1.1\r\nHost: a\r\nAccept: text/csv\r\nContent-Type: image/png\r\nContent-Length: 100000\r\n\r\n',
        );
      });
      socket.once('data', (chunk: Buffer) => {
        resolve(chunk.toString().split('\r\n')[0] ?? '');
        socket.destroy();
      });
      socket.once('error', reject);
    });
    expect(status).toBe('HTTP/1.1 406 Not Acceptable');
  });

  test.each([
    'application/json',
    'APPLICATION/JSON',
    'application/*',
    '*/*',
    'text/csv, application/json;q=0.1',
    'application/json; charset=utf-8',
    'nonsense',
    '',
  ])('of models may be "%s"', async (accept) => {
    expect((await get('/v1/models', { accept })).status).toBe(200);
  });

  test('need not be there', async () => {
    const answer = await raw(gateway, 'GET /v1/models HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    expect(answer.status).toBe(200);
  });

  test('does not matter to probes', async () => {
    for (const path of ['/healthz', '/readyz', '/metrics']) {
      expect((await get(path, { accept: 'application/openmetrics-text' })).status).toBe(200);
    }
  });
});

test('whoever is told that services cannot be reached is told when to come back', async () => {
  const gone = await services();
  const alone = await gatewayOf(gone);
  await gone.close();
  try {
    // Models that nobody has ever told of wait for a replica to start, which takes longer than a probe's interval.
    for (const [path, seconds] of [
      ['/readyz', '1'],
      ['/v1/models', '10'],
    ] as const) {
      const response = await fetch(alone.url + path);
      expect([response.status, response.headers.get('retry-after')]).toEqual([503, seconds]);
    }
  } finally {
    await alone.close();
  }
});
