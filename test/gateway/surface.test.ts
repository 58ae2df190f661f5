// What is beside classifying: models, probes, metrics, help, and the headers of every answer.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Stack } from '../../cli/stack.ts';
import type { Model } from '../../sdk/index.ts';
import type { RunningGateway } from '../../services/gateway/main.ts';
import { classify, gatewayOf, metric, services, until } from './running-gateway.ts';

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

const get = (path: string, init: RequestInit = {}) => fetch(gateway.url + path, init);

describe('models', () => {
  test('are listed, with all that is known of each', async () => {
    const response = await get('/v1/models');
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    const { models } = (await response.json()) as { models: Model[] };
    expect(models).toHaveLength(1);
    const [model] = models;
    expect(model).toMatchObject({
      name: 'caltech-101-d',
      network: 'D',
      width: 0.25,
      hidden: 512,
      classes: 100,
      inputSize: 64,
      scales: [72, 92, 112],
      kernel: 'linear',
      isDefault: true,
      engine: 'onnx',
      licence: 'CC-BY-4.0',
    });
    expect(model?.labels).toHaveLength(100);
    expect(model?.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(model?.mean.red).toBeCloseTo(139.008, 3);
  });

  test('are shown by name', async () => {
    const { models } = (await (await get('/v1/models')).json()) as { models: Model[] };
    const response = await get('/v1/models/caltech-101-d');
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual(models[0]);
  });

  test.each(['nothing', '..%2F..%2Fetc%2Fpasswd', '__proto__', '%F0%9F%90%88', 'x'.repeat(300)])(
    '%s is none of them',
    async (name) => {
      const response = await get(`/v1/models/${name}`);
      expect(response.status).toBe(404);
      const { code, detail, errors } = (await response.json()) as Record<string, unknown>;
      expect(code).toBe('NOT_FOUND');
      expect(detail).toMatch(/^Expected a model of caltech-101-d but received \S+ \(model\)$/);
      expect(errors).toEqual([{ field: 'model', message: detail }]);
    },
  );
});

describe('probes', () => {
  test('GET / says how to ask', async () => {
    const response = await get('/');
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    const help = await response.text();
    for (const path of ['/v1/classify', '/v1/models', '/healthz', '/readyz', '/metrics']) {
      expect(help).toContain(path);
    }
  });

  test('alive and ready', async () => {
    const [alive, ready] = [await get('/healthz'), await get('/readyz')];
    expect([alive.status, await alive.text()]).toEqual([200, 'ok\n']);
    expect([ready.status, await ready.text()]).toEqual([200, 'ready\n']);
    expect(ready.headers.get('cache-control')).toBe('no-store');
  });

  test('HEAD has the headers alone', async () => {
    const response = await get('/healthz', { method: 'HEAD' });
    expect([response.status, await response.text()]).toEqual([200, '']);
    expect(response.headers.get('content-length')).toBe('3');
  });

  test('metrics are Prometheus text, and count what is answered by route', async () => {
    await classify(gateway, '?protocol=center-crop');
    await get('/v1/models/nobody');
    const response = await get('/metrics');
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    const lines = (await response.text()).split('\n').filter(Boolean);
    for (const line of lines) {
      expect(line).toMatch(/^(# (HELP|TYPE) \w+ .+|\w+(\{\w+="[^"]*"(,\w+="[^"]*")*\})? [-+.\deINaNf]+)$/);
    }
    expect(lines).toContain('# TYPE vgg_http_requests_total counter');
    expect(lines).toContain('# TYPE vgg_http_duration_seconds histogram');
    expect(lines).toContain('# TYPE vgg_http_in_flight gauge');
    await until('both counted', async () => {
      const classified = 'vgg_http_requests_total{route="/v1/classify",method="POST",status="200"}';
      const missed = 'vgg_http_requests_total{route="/v1/models/:name",method="GET",status="404"}';
      return (await metric(gateway, classified)) >= 1 && (await metric(gateway, missed)) >= 1;
    });
  });

  test('a scrape is itself in flight, and nothing else is', async () => {
    await until('no request in flight', async () => (await metric(gateway, 'vgg_http_in_flight')) === 0);
    const text = await (await get('/metrics')).text();
    expect(text).toContain('\nvgg_http_in_flight 1\n');
  });
});

describe('headers', () => {
  test.each([
    '/',
    '/healthz',
    '/readyz',
    '/metrics',
    '/v1/models',
    '/v1/models/none',
    '/nope',
    '/v1/classify',
  ])('of GET %s', async (path) => {
    const { headers } = await get(path, { headers: { 'x-request-id': 'my.request:1' } });
    expect(headers.get('x-request-id')).toBe('my.request:1');
    expect(headers.get('server-timing')).toMatch(/^total;dur=\d+\.\d$/);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(headers.get('strict-transport-security')).toMatch(/^max-age=/);
    expect(headers.get('x-frame-options')).toBe('SAMEORIGIN');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.has('x-powered-by')).toBe(false);
  });

  test.each(['', 'two words', 'a'.repeat(129), 'semi;colon', '<script>', 'a, b'])(
    'X-Request-Id "%s" is replaced',
    async (id) => {
      const response = await get('/healthz', { headers: { 'x-request-id': id } });
      expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    },
  );
});
