// Which models a service loads, which one is the default, and what stops its start.

import { cp, mkdtemp, open, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MODEL_FILES, openModel } from '../../models/store.ts';
import { createClient, type VggClient } from '../../sdk/index.ts';
import { MODEL_LOAD } from '../../services/inference/metrics.ts';
import type { RunningServer } from '../../services/host/serve.ts';
import { metric, modelFolder, startService, tinyName } from './serving.ts';

let folder: string;
beforeAll(async () => {
  folder = await modelFolder();
});
afterAll(() => rm(folder, { recursive: true }));

async function withServer(
  env: Record<string, string>,
  body: (client: VggClient, server: RunningServer) => Promise<void>,
): Promise<void> {
  const server = await startService(folder, env);
  const client = createClient({ inference: server.address });
  try {
    await body(client, server);
  } finally {
    client.close();
    await server.close();
  }
}

describe('what is loaded', () => {
  test('all of the folder: the default one first, then by name, and what each is', async () => {
    const env = { VGG_INFERENCE_LOAD: '', VGG_DEFAULT_MODEL: 'golden-d' };
    await withServer(env, async (client, server) => {
      const models = await client.models();
      expect(models.map(({ name, isDefault }) => [name, isDefault])).toEqual([
        ['golden-d', true],
        ['golden-a', false],
        [tinyName, false],
      ]);
      expect((await readdir(folder)).sort()).toEqual(models.map(({ name }) => name).sort());
      expect(await client.model()).toEqual(models[0]);
      expect(await client.model('golden-a')).toMatchObject({
        ...{ network: 'A', width: 1 / 16, hidden: 64, classes: 10, inputSize: 224 },
        ...{ scales: [256, 384, 512], kernel: 'linear', engine: 'onnx', isDefault: false },
        mean: { red: 123.68, green: 116.78, blue: 103.94 },
        sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      });
      for (const { name } of models) {
        expect(await metric(server, `${MODEL_LOAD}{model="${name}"}`)).toBeGreaterThan(0);
      }
      await expect(client.model('nobody')).rejects.toMatchObject({
        code: 'NOT_FOUND',
        message: `Expected a model of golden-d, golden-a, ${tinyName} but received nobody (model)`,
      });
    });
  });

  test('the named ones, the first of them by default', async () => {
    await withServer({ VGG_INFERENCE_LOAD: `${tinyName},golden-a` }, async (client) => {
      expect((await client.models()).map(({ name }) => name)).toEqual([tinyName, 'golden-a']);
      expect((await client.model()).name).toBe(tinyName);
      await expect(client.model('golden-d')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    });
  });
});

describe('what stops the start', () => {
  test.each([
    [
      'a name that is not in the folder',
      { VGG_INFERENCE_LOAD: 'golden-a,vgg16' },
      `Expected a model of golden-a, golden-d, RANDOM but received vgg16 (model)`,
    ],
    [
      'a default model that is not loaded',
      { VGG_INFERENCE_LOAD: 'golden-a', VGG_DEFAULT_MODEL: 'golden-d' },
      'Expected a model of golden-a but received golden-d (model)',
    ],
  ])('%s', async (_name, env, message) => {
    await expect(startService(folder, env)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: message.replace('RANDOM', tinyName),
    });
  });

  test('a folder that is not there, or empty', async () => {
    const empty = await mkdtemp(join(tmpdir(), 'vgg-empty-'));
    await expect(startService(join(empty, 'none'))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(startService(empty, { VGG_INFERENCE_LOAD: '' })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: `Expected at least one model but received none (${empty})`,
    });
    await rm(empty, { recursive: true });
  });

  test('weights that are not those of the model file; weights that are no numbers', async () => {
    const parent = await mkdtemp(join(tmpdir(), 'vgg-broken-'));
    await cp(join(folder, tinyName), join(parent, tinyName), { recursive: true });
    const { weightsPath, tensors } = await openModel(join(parent, tinyName), { verify: false });
    expect(weightsPath).toBe(join(parent, tinyName, MODEL_FILES.weights));
    const bias = tensors.find(({ name }) => name === 'fc8.bias');
    const file = await open(weightsPath, 'r+');
    await file.write(Uint8Array.of(0, 0, 0xc0, 0x7f), 0, 4, bias?.offset ?? 0);
    await file.close();
    await expect(startService(parent)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(/SHA-256/i) as string,
    });
    await expect(startService(parent, { VGG_INFERENCE_VERIFY: 'false' })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: `Expected finite class scores but ${tinyName} gives NaN: its weights are broken`,
    });
    await rm(parent, { recursive: true });
  });

  test.each([
    ['VGG_INFERENCE_QUEUE', '0'],
    ['VGG_INFERENCE_MAX_VIEWS', 'many'],
    ['VGG_INFERENCE_THREDS', '2'],
    ['VGG_ENGINE', 'caffe'],
  ])('%s=%s is named', async (name, value) => {
    const failed = Promise.resolve().then(() => startService(folder, { [name]: value }));
    await expect(failed).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining(name) as string,
    });
  });
});
