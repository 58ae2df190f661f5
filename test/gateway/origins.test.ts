// Pages of other sites (CORS): what browsers are told of who may ask.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Stack } from '../../cli/stack.ts';
import { readConfig } from '../../services/gateway/config.ts';
import type { RunningGateway } from '../../services/gateway/main.ts';
import { classify, gatewayOf, problemOf, services } from './running-gateway.ts';

const SITE = 'https://shop.example';
const OTHER = 'https://other.example';
const SHOWN = ['X-Request-Id', 'Server-Timing', 'Retry-After', 'ETag', 'Cache-Status'];

let stack: Stack;
let listed: RunningGateway;
let any: RunningGateway;
let none: RunningGateway;
beforeAll(async () => {
  stack = await services();
  listed = await gatewayOf(stack, { corsOrigins: [SITE, 'http://localhost:3000'] });
  any = await gatewayOf(stack, { corsOrigins: ['*'] });
  none = await gatewayOf(stack);
});
afterAll(async () => {
  for (const gateway of [listed, any, none]) await gateway.close();
  await stack.close();
});

const preflight = ({ url }: RunningGateway, origin: string, path = '/v1/classify') =>
  fetch(url + path, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type',
    },
  });
const ask = ({ url }: RunningGateway, origin: string, path = '/v1/models') =>
  fetch(url + path, { headers: { origin } });

describe('a list of origins', () => {
  test('is let in, with what it may send', async () => {
    const response = await preflight(listed, SITE);
    expect([response.status, await response.text()]).toEqual([204, '']);
    const { headers } = response;
    expect(headers.get('access-control-allow-origin')).toBe(SITE);
    expect(headers.get('access-control-allow-credentials')).toBe('true');
    expect(headers.get('access-control-allow-methods')).toBe('GET, HEAD, POST');
    expect(headers.get('access-control-allow-headers')).toMatch(/Authorization.*Content-Type/);
    expect(headers.get('access-control-max-age')).toBe('7200');
    expect(headers.get('vary')).toContain('Origin');
  });

  test('sees the headers that answers have', async () => {
    const { headers } = await ask(listed, 'http://localhost:3000');
    expect(headers.get('access-control-allow-origin')).toBe('http://localhost:3000');
    const shown = (headers.get('access-control-expose-headers') ?? '').split(', ');
    expect(shown).toEqual(expect.arrayContaining(SHOWN));
    expect(headers.get('vary')).toContain('Origin');
  });

  test('sees answers to photos, and problems', async () => {
    const headers = { 'content-type': 'image/png', origin: SITE };
    const answer = await classify(listed, '?protocol=center-crop', { headers });
    expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([200, SITE]);
    for (const path of ['/nope', '/v1/models/none', '/v1/classify']) {
      const refused = await ask(listed, SITE, path);
      expect(refused.headers.get('access-control-allow-origin')).toBe(SITE);
      await problemOf(refused);
    }
  });

  test.each([OTHER, 'https://shop.example.evil', 'http://shop.example', 'null', 'https://shop.example:444'])(
    'does not let in %s',
    async (origin) => {
      for (const response of [await preflight(listed, origin), await ask(listed, origin)]) {
        expect(response.headers.has('access-control-allow-origin')).toBe(false);
        // What is kept of it between here and there must not be given to those that are let in.
        expect(response.headers.get('vary')).toContain('Origin');
      }
    },
  );

  test('leaves a plain OPTIONS as it is', async () => {
    const response = await fetch(`${listed.url}/v1/models`, { method: 'OPTIONS' });
    expect([response.status, response.headers.get('allow')]).toEqual([204, 'GET, HEAD, OPTIONS']);
  });
});

test('* lets in all, never with credentials', async () => {
  for (const response of [await preflight(any, OTHER), await ask(any, SITE)]) {
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(response.headers.has('access-control-allow-credentials')).toBe(false);
  }
});

test('without origins nobody is let in', async () => {
  for (const response of [await preflight(none, SITE), await ask(none, SITE)]) {
    const named = [...response.headers.keys()].filter((name) => name.startsWith('access-control-'));
    expect(named).toEqual([]);
  }
});

test.each([
  'example.org',
  'https://example.org/',
  'https://user@example.org',
  'ftp://example.org',
  'https://*.org',
])('VGG_GATEWAY_CORS_ORIGINS=%s stops the start', (value) => {
  expect(() => readConfig({ VGG_GATEWAY_CORS_ORIGINS: value })).toThrow(
    /^Expected origins between commas.* \(VGG_GATEWAY_CORS_ORIGINS\)$/,
  );
});

test('origins are read between commas', () => {
  const { corsOrigins } = readConfig({ VGG_GATEWAY_CORS_ORIGINS: `${SITE}, http://[::1]:80` });
  expect(corsOrigins).toEqual([SITE, 'http://[::1]:80']);
});
