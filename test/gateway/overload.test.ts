// Too much, too late, too slow, nobody there: what a client is told, and that views nobody waits for are not
// computed.

import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Stack } from '../../cli/stack.ts';
import type { RunningGateway } from '../../services/gateway/main.ts';
import {
  classify,
  gatewayOf,
  metric,
  PHOTO,
  problemOf,
  services,
  until,
  untilQuiet,
} from './running-gateway.ts';

// The most work that one request may bring: 98 to 450 crops, and whole planes of up to 224×280.
const SLOW = '?protocol=dense-and-multi-crop&grid=10&scales=200,224&share=off';
const CANCELLED = 'vgg_inference_dropped_views_total{code="CANCELLED"}';

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

// A slow request; resolves when its views wait for the engine.
async function occupy(to: RunningGateway) {
  const leave = new AbortController();
  const answered = classify(to, SLOW, { signal: leave.signal });
  answered.catch(() => undefined); // Whoever leaves is not answered.
  await until(
    'views that wait',
    async () => (await metric(stack.inference, 'vgg_inference_backlog_views')) > 0,
  );
  return { leave, answered };
}

describe('a client that goes away', () => {
  test('before its photo is whole costs nothing at all', async () => {
    const viewsBefore = await metric(stack.inference, 'vgg_inference_views_total');
    const abandonedBefore = await metric(gateway, 'vgg_http_abandoned_total');
    const headers = { 'content-type': 'image/png', 'content-length': PHOTO.length };
    const half = request(`${gateway.url}/v1/classify`, { method: 'POST', headers });
    half.on('error', () => undefined); // It is ended here.
    half.write(PHOTO.subarray(0, 1000));
    await until('a request in flight', async () => (await metric(gateway, 'vgg_http_in_flight')) === 1);
    half.destroy();
    await untilQuiet(stack, gateway);
    expect(await metric(stack.inference, 'vgg_inference_views_total')).toBe(viewsBefore);
    expect(await metric(gateway, 'vgg_http_abandoned_total')).toBe(abandonedBefore + 1);
  });

  test('takes its views along: they are dropped, not computed', async () => {
    const gone = 'vgg_http_requests_total{route="/v1/classify",method="POST",status="499"}';
    const goneBefore = await metric(gateway, gone);
    const [droppedBefore, viewsBefore] = [
      await metric(stack.inference, CANCELLED),
      await metric(stack.inference, 'vgg_inference_views_total'),
    ];
    const { leave, answered } = await occupy(gateway);
    leave.abort();
    await expect(answered).rejects.toThrow();
    await until('dropped views', async () => (await metric(stack.inference, CANCELLED)) > droppedBefore);
    await untilQuiet(stack, gateway);
    const computed = (await metric(stack.inference, 'vgg_inference_views_total')) - viewsBefore;
    expect(computed).toBeLessThan(150);
    expect(await metric(gateway, gone)).toBe(goneBefore + 1);
  });
});

describe('a full queue', () => {
  test('is 429 with the time after which there may be room; what fits is still answered', async () => {
    const small = await services({ VGG_INFERENCE_QUEUE: '100' });
    const crowded = await gatewayOf(small);
    expect((await classify(crowded, '?protocol=center-crop')).status).toBe(200);
    const response = await classify(crowded, '?protocol=multi-crop');
    expect(response.status).toBe(429);
    expect(response.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
    const { code, title, detail } = await problemOf(response);
    expect({ code, title }).toEqual({ code: 'RESOURCE_EXHAUSTED', title: 'Too Many Requests' });
    expect(detail).toBe('Expected room for 150 views but 0 of 100 places in the queue are taken');
    expect((await classify(crowded, '?protocol=center-crop')).status).toBe(200);
    await crowded.close();
    await small.close();
  });
});

describe('a deadline', () => {
  test('that passes while views wait is 504, and drops them', async () => {
    const hasty = await gatewayOf(stack, { deadline: 150 });
    const { leave } = await occupy(gateway);
    const response = await classify(hasty, '?protocol=multi-crop&scales=200');
    expect(response.status).toBe(504);
    const { code, title, detail } = await problemOf(response);
    expect({ code, title, detail }).toEqual({
      code: 'DEADLINE_EXCEEDED',
      title: 'Gateway Timeout',
      detail: 'There was no answer in time',
    });
    leave.abort();
    await untilQuiet(stack, gateway);
    await hasty.close();
  });
});

describe('services that are gone', () => {
  test('are 503 with Retry-After, and the gateway is not ready but alive', async () => {
    const others = await services();
    const orphan = await gatewayOf(others);
    expect((await fetch(`${orphan.url}/readyz`)).status).toBe(200);
    await others.close();
    const unready = await fetch(`${orphan.url}/readyz`);
    expect([unready.status, await unready.text()]).toEqual([503, 'not ready\n']);
    expect((await fetch(`${orphan.url}/healthz`)).status).toBe(200);
    const answers = [
      classify(orphan),
      fetch(`${orphan.url}/v1/models`),
      fetch(`${orphan.url}/v1/models/caltech-101-d`),
    ];
    for (const response of await Promise.all(answers)) {
      expect(response.status).toBe(503);
      expect(response.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
      const { code, title, detail } = await problemOf(response);
      expect({ code, title }).toEqual({ code: 'UNAVAILABLE', title: 'Service Unavailable' });
      // No word of who could not be reached, and where.
      expect(detail).toBe('The services that answer cannot be reached');
    }
    await orphan.close();
  });
});
