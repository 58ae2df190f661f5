// Inference scaled to zero, with real processes: a photo waits for a replica and is answered; one that cannot wait is
// told when to come back; both are in the backlog that a replica is started for.

import { createServer, type AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startService, type ServiceProcess } from '../../bench/services.ts';
import { createClient } from '../../sdk/index.ts';
import { BACKLOG, REPLICA_START } from '../../services/aggregator/metrics.ts';
import { MODELS_AWAITED } from '../../services/gateway/metrics.ts';
import type { GatewayConfig } from '../../services/gateway/config.ts';
import type { RunningGateway } from '../../services/gateway/main.ts';
import type { Problem } from '../../services/gateway/problem.ts';
import { classify, gatewayOf, PHOTO } from '../gateway/running-gateway.ts';

const closing: (() => Promise<unknown>)[] = [];
let preprocess: ServiceProcess;
// Where inference will be; nobody is.
let port: number;

beforeAll(async () => {
  port = await freePort();
  preprocess = await startService('preprocess', {});
  closing.push(() => preprocess.stop());
});

afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** An aggregator that expects a replica after so long, and a gateway before it. */
async function roadTo(
  replicaStart: string,
  config: Partial<GatewayConfig>,
): Promise<{ aggregator: ServiceProcess; gateway: RunningGateway }> {
  const inference = { address: `127.0.0.1:${String(port)}` };
  const aggregator = await startService('aggregator', {
    VGG_AGGREGATOR_PREPROCESS: preprocess.address,
    VGG_AGGREGATOR_INFERENCE: inference.address,
    VGG_AGGREGATOR_REPLICA_START: replicaStart,
  });
  closing.push(() => aggregator.stop());
  const gateway = await gatewayOf({ aggregator, inference }, config);
  closing.push(() => gateway.close());
  return { aggregator, gateway };
}

async function awaited({ registry }: RunningGateway): Promise<number | undefined> {
  const metric = await registry.getSingleMetric(MODELS_AWAITED)?.get();
  return metric?.values[0]?.value;
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 20_000; i++) if (await condition()) return;
  throw new Error('the condition never held');
}

test('a deadline before the expected start: 503 at once, with the time to come back, and in the backlog', async () => {
  const { aggregator, gateway } = await roadTo('240s', { deadline: 60_000 });
  const response = await classify(gateway);
  expect(response.status).toBe(503);
  expect(response.headers.get('retry-after')).toBe('240');
  expect((await response.json()) as Problem).toMatchObject({
    code: 'UNAVAILABLE',
    detail: 'The services that answer are starting: come back after the time in Retry-After',
  });
  expect(await aggregator.metric(BACKLOG)).toBe(150);
  // The same for who asks over gRPC: the SDK waits as long, or says so if it may not.
  const client = createClient({ aggregator: aggregator.address });
  const asked = client.classify(PHOTO, { protocol: 'CENTER_CROP', deadlineMs: 30_000 });
  await expect(asked).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    retryAfterMs: expect.any(Number) as number,
  });
  client.close();
  expect(await aggregator.metric(BACKLOG)).toBe(153);
});

test('a start that takes longer than the deadline: 503 and not 504', async () => {
  const { gateway } = await roadTo('1s', { deadline: 3000 });
  const response = await classify(gateway);
  expect(response.status).toBe(503);
  expect(Number(response.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
});

test('models that nobody knows yet are wanted: 503, and counted; a look at readiness wants nothing', async () => {
  const { gateway } = await roadTo('240s', { deadline: 60_000 });
  expect((await fetch(`${gateway.url}/readyz`)).status).toBe(503);
  expect(await awaited(gateway)).toBe(0);
  const response = await fetch(`${gateway.url}/v1/models`);
  expect(response.status).toBe(503);
  expect(response.headers.get('retry-after')).toBe('10');
  expect((await response.json()) as Problem).toMatchObject({ code: 'UNAVAILABLE' });
  expect(await awaited(gateway)).toBe(1);
  expect((await fetch(`${gateway.url}/v1/models/caltech-101-d`)).status).toBe(503);
  expect(await awaited(gateway)).toBe(2);
});

test('models that were there are known while nobody is, and are no reason to start a replica', async () => {
  const { gateway } = await roadTo('240s', { deadline: 60_000 });
  const inference = await startService('inference', { VGG_INFERENCE_PORT: String(port) });
  closing.push(() => inference.stop());
  // The channel that was refused tries again in its own time.
  const ask = (path = '') => fetch(`${gateway.url}/v1/models${path}`);
  await until(async () => (await ask()).status === 200);
  const there = await ask();
  expect(there.headers.get('age')).toBeNull();
  expect(there.headers.get('cache-status')).toBeNull();
  const models = (await there.json()) as { models: { name: string }[] };
  const before = await awaited(gateway);

  await inference.stop();
  const gone = await ask();
  expect(gone.status).toBe(200);
  expect(gone.headers.get('age')).toMatch(/^\d+$/);
  expect(gone.headers.get('cache-status')).toMatch(/^vgg-serve; hit; ttl=-\d+; detail=nobody-to-ask$/);
  expect(await gone.json()).toEqual(models);
  const one = await ask('/caltech-101-d');
  expect(one.headers.get('age')).toMatch(/^\d+$/);
  expect(await one.json()).toEqual(models.models[0]);
  expect(await awaited(gateway)).toBe(before);
  // It may be one that came with a newer version.
  expect((await ask('/another')).status).toBe(503);
  expect(await awaited(gateway)).toBe((before ?? 0) + 1);
});

test('photos wait, are the backlog, and are answered when a replica has started', async () => {
  const { aggregator, gateway } = await roadTo('1s', { deadline: 55_000, answerCache: 0 });
  const asked = [classify(gateway), classify(gateway, '?protocol=center-crop')];
  await until(async () => (await aggregator.metric(BACKLOG)) === 153);
  const inference = await startService('inference', { VGG_INFERENCE_PORT: String(port) });
  closing.push(() => inference.stop());
  const answers = await Promise.all(asked);
  expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  expect(await aggregator.metric(BACKLOG)).toBe(0);
  expect(await aggregator.metric(REPLICA_START)).toBeGreaterThan(0);

  // It leaves again, and what was known of its models with it: a photo on the road waits as well.
  await inference.stop();
  const later = classify(gateway);
  await until(async () => (await aggregator.metric(BACKLOG)) > 0);
  const next = await startService('inference', { VGG_INFERENCE_PORT: String(port) });
  closing.push(() => next.stop());
  expect((await later).status).toBe(200);
});
