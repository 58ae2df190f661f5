// What leaves training as a model computes what the network in training computes.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openModel } from '../../models/store.ts';
import { exportModel, type ModelFacts } from '../../services/trainer/network/export.ts';
import { planeOf, viewOf } from '../inference/engine-conformance/fixtures.ts';
import { referenceScoreMap } from '../inference/engine-conformance/reference.ts';
import { hashedBatch } from './hashed.ts';
import { SMALL, smallNetwork, train } from './small-network.ts';
import { describeComputing } from './tensorflow.ts';

let to: string;
beforeAll(async () => {
  to = await mkdtemp(join(tmpdir(), 'vgg-export-'));
});
afterAll(() => rm(to, { recursive: true }));

const MEAN: [number, number, number] = [128, 128, 128];
const labels = Array.from({ length: SMALL.classes }, (_, i) => `class ${String(i)}`);
const factsOf = (name: string): ModelFacts => ({
  ...{ name, mean: MEAN, scales: [73], kernel: 'linear', provenance: 'a test', licence: 'CC0-1.0' },
});

describeComputing('an exported model', (tf) => {
  test.each([
    { network: 'A-LRN', batchNorm: false },
    { network: 'C', batchNorm: true },
    { network: 'B-5x5', batchNorm: true },
    // 64 · 0.05 rounds to 3 channels, which is no width of 0.05.
    { network: 'A', batchNorm: true, width: 0.05 },
  ] as const)('scores as its network does: %o', async (changes) => {
    const network = await smallNetwork(tf, changes);
    train(network, 3);
    const name = `${changes.network}-${String(changes.batchNorm)}`.toLowerCase();
    const options = { to, labels, dtype: 'F32', weights: 'now' } as const;
    const model = await openModel(await exportModel(network, factsOf(name), options), { verify: true });
    expect(model.json).toMatchObject({ name, network: changes.network, mean: MEAN, provenance: 'a test' });
    expect(model.labels).toEqual(labels);
    const { pixels } = hashedBatch(network.spec, 0, 2);
    const scores = network.evaluate(pixels);
    for (const image of [0, 1]) {
      const levels = pixels
        .subarray(image * 64 * 64 * 3, (image + 1) * 64 * 64 * 3)
        .map((each) => each + 128);
      const plane = planeOf(64, 64, levels);
      const wanted = referenceScoreMap(model, plane, viewOf(plane)).values;
      const size = Math.max(...wanted.map(Math.abs));
      for (const [index, score] of wanted.entries())
        expect(Math.abs((scores[image * SMALL.classes + index] ?? NaN) - score) / size).toBeLessThan(1e-5);
    }
    network.dispose();
  });

  test('can be the best so far, in halves', async () => {
    const network = await smallNetwork(tf, { batchNorm: false });
    network.keepBest();
    const best = network.variables.read('fc8.weight');
    train(network, 2);
    const folder = await exportModel(network, factsOf('best'), { to, labels, dtype: 'F16', weights: 'best' });
    const { weightsPath, tensors } = await openModel(folder);
    const entry = tensors.find(({ name }) => name === 'fc8.weight');
    expect(entry?.dtype).toBe('F16');
    const bytes = await readFile(weightsPath);
    // fc8 is [out, in, 1, 1] there, [in, out] here; a half has 11 bits.
    const stored = new Uint16Array(
      bytes.buffer.slice(entry?.offset, (entry?.offset ?? 0) + (entry?.bytes ?? 0)),
    );
    const kept = Float32Array.from({ length: best.length }, (_, i) => {
      const [out, input] = [Math.floor(i / SMALL.hidden), i % SMALL.hidden];
      return best[input * SMALL.classes + out] ?? NaN;
    });
    for (const [i, value] of kept.entries())
      expect(Math.abs(half(stored[i] ?? 0) - value)).toBeLessThanOrEqual(Math.abs(value) / 2048 + 1e-7);
    network.dispose();
  });

  test('is not made of weights that are no numbers', async () => {
    const network = await smallNetwork(tf);
    network.variables.write('conv1_1.mean', network.variables.read('conv1_1.mean').fill(NaN));
    const options = { to, labels, dtype: 'F32', weights: 'now' } as const;
    await expect(exportModel(network, factsOf('nan'), options)).rejects.toThrow('finite weights');
    network.dispose();
  });
});

function half(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const size = exponent === 0 ? (bits & 1023) * 2 ** -24 : (1024 + (bits & 1023)) * 2 ** (exponent - 25);
  return bits & 0x8000 ? -size : size;
}
