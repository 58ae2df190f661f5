// What clients say in headers: forms of answers, ETags, encodings, origins, methods.

import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Stack } from '../../cli/stack.ts';
import type { RunningGateway } from '../../services/gateway/main.ts';
import { classify, gatewayOf, PHOTO, problemOf, services } from './running-gateway.ts';

const PAGE = 'https://app.example.org';
const CENTER = '?protocol=center-crop';

let stack: Stack;
let gateway: RunningGateway;
let open: RunningGateway;
beforeAll(async () => {
  stack = await services();
  gateway = await gatewayOf(stack, { corsOrigins: [PAGE] });
  open = await gatewayOf(stack, { corsOrigins: ['*'] });
});
afterAll(async () => {
  await gateway.close();
  await open.close();
  await stack.close();
});

describe('Accept', () => {
  const accepting = (accept: string) =>
    classify(gateway, CENTER, { headers: { 'content-type': 'image/png', accept } });

  test.each([
    ['*/*', 'application/json; charset=utf-8'],
    ['application/*', 'application/json; charset=utf-8'],
    ['text/html, */*;q=0.1', 'application/json; charset=utf-8'],
    ['text/event-stream;q=0.5, application/json', 'application/json; charset=utf-8'],
    ['text/*', 'text/event-stream'],
    ['application/json;q=0, */*', 'text/event-stream'],
    ['application/vnd.huggingface+json', 'application/vnd.huggingface+json; charset=utf-8'],
  ])('%s is given %s', async (accept, type) => {
    const response = await accepting(accept);
    await response.text();
    expect([response.status, response.headers.get('content-type')]).toEqual([200, type]);
    expect(response.headers.get('vary')).toContain('Accept');
  });

  test.each(['text/html', 'image/png', 'application/json;q=0'])(
    '%s is nothing that there is',
    async (accept) => {
      expect(await problemOf(await accepting(accept))).toMatchObject({
        status: 406,
        title: 'Not Acceptable',
      });
      const models = await fetch(`${gateway.url}/v1/models`, { headers: { accept } });
      expect((await problemOf(models)).status).toBe(406);
    },
  );
});

describe('ETag', () => {
  test.each(['/v1/models', '/v1/models/caltech-101-d'])('of %s', async (path) => {
    const get = (headers: Record<string, string>, method = 'GET') =>
      fetch(gateway.url + path, { headers, method });
    const first = await get({});
    const etag = first.headers.get('etag') ?? '';
    expect(etag).toMatch(/^"[\w-]{43}"$/);
    expect(first.headers.get('cache-control')).toBe('private, no-cache');
    for (const known of [etag, `"other", ${etag}`, `W/${etag}`, '*']) {
      const again = await get({ 'if-none-match': known });
      expect([again.status, await again.text(), again.headers.get('etag')]).toEqual([304, '', etag]);
    }
    expect((await get({ 'if-none-match': '"other"' })).status).toBe(200);
    const head = await get({}, 'HEAD');
    expect([head.status, await head.text(), head.headers.get('etag')]).toEqual([200, '', etag]);
  });

  test('is not on a problem', async () => {
    const response = await fetch(`${gateway.url}/v1/models/none`, { headers: { 'if-none-match': '*' } });
    expect(response.headers.has('etag')).toBe(false);
    expect((await problemOf(response)).status).toBe(404);
  });
});

describe('bodies', () => {
  test.each(['gzip', 'deflate', 'br', 'zstd', 'identity, gzip'])('Content-Encoding %s', async (encoding) => {
    const headers = { 'content-type': 'image/png', 'content-encoding': encoding };
    const response = await classify(gateway, CENTER, { headers, body: gzipSync(Buffer.alloc(1_000_000)) });
    expect(response.headers.get('accept-encoding')).toBe('identity');
    const detail = `Expected a body without Content-Encoding but received ${encoding} (Content-Encoding)`;
    expect(await problemOf(response)).toMatchObject({ status: 415, code: 'UNSUPPORTED_FORMAT', detail });
  });

  test('Content-Encoding identity is none', async () => {
    const headers = { 'content-type': 'image/png', 'content-encoding': 'identity' };
    expect((await classify(gateway, CENTER, { headers, body: PHOTO })).status).toBe(200);
  });

  test('a URL is not fetched, and why', async () => {
    const body = JSON.stringify({ url: 'http://169.254.169.254/latest/meta-data' });
    const headers = { 'content-type': 'application/json' };
    const problem = await problemOf(await classify(gateway, CENTER, { headers, body }));
    expect(problem.status).toBe(415);
    expect(problem.detail).toContain('URLs are deliberately not fetched');
  });
});

describe('OPTIONS', () => {
  test.each([
    ['/v1/classify', 'OPTIONS, POST'],
    ['/v1/models/any', 'GET, HEAD, OPTIONS'],
  ])('%s allows %s', async (path, allow) => {
    const response = await fetch(gateway.url + path, { method: 'OPTIONS' });
    expect([response.status, response.headers.get('allow')]).toEqual([204, allow]);
  });

  test('of what is not there is not there', async () => {
    expect((await fetch(`${gateway.url}/nope`, { method: 'OPTIONS' })).status).toBe(404);
  });
});

describe('origins', () => {
  const preflight = (of: RunningGateway, origin: string) =>
    fetch(`${of.url}/v1/classify`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST' },
    });

  test('one that is listed may ask, and read what it needs', async () => {
    const before = await preflight(gateway, PAGE);
    expect(before.status).toBe(204);
    expect(before.headers.get('access-control-allow-origin')).toBe(PAGE);
    expect(before.headers.get('access-control-allow-methods')).toContain('POST');
    expect(before.headers.get('access-control-allow-headers')).toContain('X-API-Key');
    const refused = await fetch(`${gateway.url}/v1/models/none`, { headers: { origin: PAGE } });
    expect(refused.headers.get('access-control-allow-origin')).toBe(PAGE);
    expect(refused.headers.get('vary')).toContain('Origin');
    const exposed = refused.headers.get('access-control-expose-headers');
    for (const name of ['X-Request-Id', 'Server-Timing', 'Retry-After', 'ETag'])
      expect(exposed).toContain(name);
    expect(refused.headers.has('access-control-allow-credentials')).toBe(false);
  });

  test.each(['https://evil.example.org', `${PAGE}.evil.org`, 'null', 'http://app.example.org'])(
    '%s may not',
    async (origin) => {
      for (const response of [
        await preflight(gateway, origin),
        await fetch(gateway.url, { headers: { origin } }),
      ])
        expect(response.headers.has('access-control-allow-origin')).toBe(false);
    },
  );

  test('all may where * is set, never with credentials', async () => {
    const { headers } = await preflight(open, 'https://anybody.example');
    expect(headers.get('access-control-allow-origin')).toBe('*');
    expect(headers.has('access-control-allow-credentials')).toBe(false);
  });
});
