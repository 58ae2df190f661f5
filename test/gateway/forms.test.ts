// Forms: those of an answer that a client likes best, and those of a body that the gateway takes.

import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Stack } from '../../cli/stack.ts';
import type { RunningGateway } from '../../services/gateway/main.ts';
import { classify, gatewayOf, PHOTO, problemOf, services } from './running-gateway.ts';

const CENTER = '?protocol=center-crop';

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
