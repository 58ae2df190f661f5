// The services as processes, two of each behind one client: answers survive the loss of one of them, a
// drain loses nothing, a cancelled call computes nothing more.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startService, type ServiceProcess } from '../../bench/services.ts';
import { importWeights } from '../../models/import.ts';
import { packageRoot } from '../../proto/package-root.ts';
import { createClient, VggError, type VggClient } from '../../sdk/index.ts';

const PHOTO = join(packageRoot, 'test/golden/photo.png');

let folder: string;
let preprocess: ServiceProcess[];
let inference: ServiceProcess[];
let aggregator: ServiceProcess[];
let client: VggClient;

const addresses = (services: readonly ServiceProcess[]) => services.map(({ address }) => address).join(',');
const sum = async (services: readonly ServiceProcess[], metric: string, labels?: string) =>
  (await Promise.all(services.map((each) => each.metric(metric, labels)))).reduce((a, b) => a + b, 0);

// Waits until a condition holds, looking again after each answer of a metrics page.
async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 2000; i++) if (await condition()) return;
  throw new Error('the condition never held');
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vgg-processes-'));
  await importWeights(join(packageRoot, 'test/golden/networks/D/weights.safetensors'), {
    name: 'd',
    to: folder,
  });
  const two = (start: () => Promise<ServiceProcess>) => Promise.all([start(), start()]);
  [preprocess, inference] = await Promise.all([
    two(() => startService('preprocess', {})),
    two(() => startService('inference', { VGG_MODELS: folder, VGG_INFERENCE_THREADS: '1' })),
  ]);
  const upstream = {
    VGG_AGGREGATOR_PREPROCESS: addresses(preprocess),
    VGG_AGGREGATOR_INFERENCE: addresses(inference),
  };
  aggregator = await two(() => startService('aggregator', upstream));
  client = createClient({ aggregator: addresses(aggregator), inference: addresses(inference) });
});

afterAll(async () => {
  client.close();
  await Promise.all([...aggregator, ...inference, ...preprocess].map((service) => service.stop()));
  await rm(folder, { recursive: true });
});

test('requests are shared by the replicas of each service', async () => {
  // Replicas measure by themselves whether sharing pays.
  const how = { protocol: 'CENTER_CROP', scales: [256], share: 'OFF' } as const;
  const answers = await Promise.all(Array.from({ length: 12 }, () => client.classify(PHOTO, how)));
  expect(new Set(answers.map(({ predictions }) => JSON.stringify(predictions))).size).toBe(1);
  const served = async (services: readonly ServiceProcess[], method: string) =>
    Promise.all(
      services.map((each) => each.metric('vgg_rpc_requests_total', `method="${method}",code="OK"`)),
    );
  for (const counts of [
    await served(aggregator, 'vgg.v1.AggregatorService/Classify'),
    await served(preprocess, 'vgg.v1.PreprocessService/Prepare'),
    await served(inference, 'vgg.v1.InferenceService/Score'),
  ]) {
    expect(Math.min(...counts), `calls of each replica: ${counts.join(', ')}`).toBeGreaterThan(0);
  }
});

test('a cancelled request: no view is computed after it, at the engine', async () => {
  const before = await sum(inference, 'vgg_inference_views_total');
  const controller = new AbortController();
  const asked = client.classify(PHOTO, { scales: [256, 400, 512, 600], signal: controller.signal });
  const cancelled = expect(asked).rejects.toMatchObject({ code: 'CANCELLED' });
  await until(async () => (await sum(inference, 'vgg_inference_views_total')) > before);
  controller.abort();
  await cancelled;
  await until(async () => (await sum(aggregator, 'vgg_rpc_in_flight')) === 0);
  await until(async () => (await sum(inference, 'vgg_rpc_in_flight')) === 0);
  expect(await sum(inference, 'vgg_inference_queued_views')).toBe(0);
  expect(await sum(inference, 'vgg_inference_dropped_views_total', 'code="CANCELLED"')).toBeGreaterThan(0);
  // What the engine had in hand may still be counted; the rest of the 200 never is.
  const computed = (await sum(inference, 'vgg_inference_views_total')) - before;
  expect(computed).toBeLessThan(200);
  await client.classify(PHOTO, { protocol: 'CENTER_CROP', scales: [256] });
  expect((await sum(inference, 'vgg_inference_views_total')) - before).toBeLessThan(200);
});

test('a deadline passes through every hop', async () => {
  const asked = client.classify(PHOTO, { scales: [512, 600, 700, 800], deadlineMs: 300 });
  await expect(asked).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  await until(
    async () => (await sum([...aggregator, ...inference, ...preprocess], 'vgg_rpc_in_flight')) === 0,
  );
  expect(await sum(inference, 'vgg_inference_queued_views')).toBe(0);
});

test('50 requests in flight at SIGTERM of an inference process: 50 answers', async () => {
  const [first] = inference;
  // Each replica measures for itself what is faster shared, and the two ways round differently.
  const asked = Array.from({ length: 50 }, () =>
    client.classify(PHOTO, { protocol: 'TEN_CROP', scales: [256], posterior: true, share: 'OFF' }),
  );
  await until(
    async () => (await first?.metric('vgg_rpc_in_flight', 'method="vgg.v1.InferenceService/Score"')) !== 0,
  );
  await first?.stop();
  const answers = await Promise.all(asked);
  expect(new Set(answers.map(({ posterior }) => JSON.stringify([...(posterior ?? [])]))).size).toBe(1);
  expect(answers.every(({ views }) => views === 10)).toBe(true);
});

test('the loss of one preprocess and one aggregator by SIGKILL: the others answer', async () => {
  const asked = Array.from({ length: 10 }, () =>
    client.classify(PHOTO, { protocol: 'TEN_CROP', scales: [256] }),
  );
  await Promise.all([preprocess[0]?.kill(), aggregator[0]?.kill()]);
  const outcomes = await Promise.allSettled(asked);
  for (const outcome of outcomes) {
    // A call that the killed aggregator had may be lost, with the table's error; never answered wrongly.
    if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'UNAVAILABLE' });
    else expect(outcome.value.views).toBe(10);
  }
  const again = await client.classify(PHOTO, { protocol: 'CENTER_CROP', scales: [256] });
  expect(again.views).toBe(1);
});

test('no replica left: UNAVAILABLE, not a hang', async () => {
  await inference[1]?.kill();
  const asked = client.classify(PHOTO, { protocol: 'CENTER_CROP', scales: [256], deadlineMs: 20_000 });
  await expect(asked).rejects.toBeInstanceOf(VggError);
  await expect(asked).rejects.toMatchObject({ code: 'UNAVAILABLE' });
});
