// How weights begin: by distribution, and from trained models.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exportModel } from '../../services/trainer/network/export.ts';
import { copyLayers } from '../../services/trainer/network/pre-training.ts';
import { openModel } from '../../models/store.ts';
import type { TrainingNetwork } from '../../services/trainer/network/network.ts';
import type { Recipe } from '../../services/trainer/recipe.ts';
import { hashedBatch } from './hashed.ts';
import { SMALL, smallNetwork, tensorsOf, train } from './small-network.ts';
import { describeComputing } from './tensorflow.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vgg-pre-trained-'));
});
afterAll(() => rm(folder, { recursive: true }));

describeComputing('random weights', (tf) => {
  // Enough numbers in each layer for their deviation to be that of the distribution.
  const wide = { width: 1 / 4, hidden: 256 };
  const cases: [Recipe['initialisation'], string, number][] = [
    ['glorot', 'conv3_2.weight', Math.sqrt(2 / (9 * 64 + 9 * 64))],
    ['glorot', 'fc6.weight', Math.sqrt(2 / (4 * 128 + 256))],
    ['normal', 'conv3_2.weight', 0.1],
    ['normal', 'fc7.weight', 0.1],
    ['kaiming', 'conv3_1.weight', Math.sqrt(2 / (9 * 64))],
    ['kaiming', 'fc6.weight', Math.sqrt(2 / (4 * 128))],
    ['kaiming', 'fc8.weight', Math.sqrt(1 / 256)],
  ];

  test.each(cases)('%s, %s: mean 0, deviation %f', async (initialisation, name, deviation) => {
    const network = await smallNetwork(tf, { ...wide, initialisation });
    const values = network.variables.read(name);
    const count = values.length;
    const moment = (power: number) =>
      values.reduce((sum, value) => sum + (value / deviation) ** power, 0) / count;
    // Five standard errors.
    expect(Math.abs(moment(1))).toBeLessThan(5 / Math.sqrt(count));
    expect(Math.abs(moment(2) - 1)).toBeLessThan(5 * Math.sqrt(2 / count));
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / deviation;
    if (initialisation === 'glorot') expect(largest).toBeLessThanOrEqual(Math.sqrt(3) + 1e-6);
    else expect(largest).toBeGreaterThan(2.5);
    network.dispose();
  });

  test('biases and shifts are 0, scales 1; another seed gives other weights, the same the same', async () => {
    const [one, same, other] = [
      await smallNetwork(tf),
      await smallNetwork(tf),
      await smallNetwork(tf, { seed: 2 }),
    ];
    const { variables } = one;
    for (const name of variables.names()) {
      const values = variables.read(name);
      if (/\.(bias|shift|mean)$|^momentum/.test(name))
        expect(
          values.every((value) => value === 0),
          name,
        ).toBe(true);
      if (/\.(scale|variance)$/.test(name) && !name.startsWith('momentum'))
        expect(
          values.every((value) => value === 1),
          name,
        ).toBe(true);
    }
    expect(tensorsOf(one)).toEqual(tensorsOf(same));
    expect(variables.read('fc7.weight')).not.toEqual(other.variables.read('fc7.weight'));
    for (const network of [one, same, other]) network.dispose();
  });
});

describeComputing('pre-training', (tf) => {
  async function modelOf(
    name: string,
    changes: Partial<Recipe>,
  ): Promise<{ network: TrainingNetwork; path: string }> {
    const network = await smallNetwork(tf, { seed: 5, ...changes });
    train(network, 2);
    const labels = Array.from({ length: SMALL.classes }, (_, i) => String(i));
    const facts = {
      ...{ name, mean: [128, 128, 128] as [number, number, number], scales: [73] },
      ...{ kernel: 'linear' as const, provenance: '', licence: '' },
    };
    const path = await exportModel(network, facts, { to: folder, labels, dtype: 'F32', weights: 'now' });
    return { network, path };
  }

  test('a deeper network takes the first layers and the fully connected ones of A, where names agree', async () => {
    const { network: a, path } = await modelOf('a-first', { batchNorm: false });
    const recipe = { network: 'D', batchNorm: false } as const;
    const from = { model: path, layers: 'first-layers' } as const;
    const [d, random] = [await smallNetwork(tf, { ...recipe, from }), await smallNetwork(tf, recipe)];
    const copied = ['conv1_1', 'conv2_1', 'conv3_1', 'conv3_2', 'fc6', 'fc7', 'fc8'];
    for (const name of d.variables.names().filter((each) => !each.startsWith('momentum'))) {
      const [layer = ''] = name.split('.');
      const source = copied.includes(layer) ? a : random;
      expect(d.variables.read(name), name).toEqual(source.variables.read(name));
    }
    expect(await copyLayers(d, await openModel(path), 'first-layers')).toEqual(copied);
    for (const network of [a, d, random]) network.dispose();
  });

  test('fine-tuning goes on with every layer; fc8 is new where classes are others', async () => {
    const { network: c, path } = await modelOf('c-all', { network: 'C', batchNorm: false });
    const from = { model: path, layers: 'all' } as const;
    const same = await smallNetwork(tf, { network: 'C', batchNorm: false, from });
    const { pixels } = hashedBatch(c.spec, 0, 2);
    expect(same.evaluate(pixels)).toEqual(c.evaluate(pixels));
    const wider = await smallNetwork(tf, { network: 'C', batchNorm: false, hidden: 13 });
    const copied = await copyLayers(wider, await openModel(path), 'all');
    expect(copied).toContain('conv5_3');
    expect(copied.filter((name) => name.startsWith('fc'))).toEqual([]);
    for (const network of [c, same, wider]) network.dispose();
  });

  describe('of a network with batch normalisation', () => {
    test('begins as what the model computes, in both forms', async () => {
      const { network: b, path } = await modelOf('b-norm', { network: 'B', batchNorm: true });
      const from = { model: path, layers: 'all' } as const;
      const next = await smallNetwork(tf, { network: 'B', batchNorm: true, dropout: 0, from });
      const batch = hashedBatch(b.spec, 40, 4);
      const wanted = b.evaluate(batch.pixels);
      const largest = Math.max(...wanted.map(Math.abs));
      const expectSame = (scores: Float32Array, tolerance: number) => {
        for (const [i, score] of scores.entries())
          expect(Math.abs(score - (wanted[i] ?? NaN)) / largest).toBeLessThan(tolerance);
      };
      expect(next.progress.uncalibrated).toHaveLength(10);
      expectSame(next.evaluate(batch.pixels), 1e-5);
      const loss = next.accumulate(batch).loss;
      expect(next.progress.uncalibrated).toEqual([]);
      // Running variances are a tenth of the way to the unbiased one: 1 + 1/63 in block 5.
      expectSame(next.evaluate(batch.pixels), 1e-2);
      expect(loss).toBeCloseTo(crossEntropy(wanted, batch.classes), 4);
      for (const network of [b, next]) network.dispose();
    });
  });

  test('a model that does not fit is refused, by what does not', async () => {
    const { network: a, path } = await modelOf('a-misfit', { batchNorm: false });
    const from = (layers: 'all' | 'first-layers') => ({ from: { model: path, layers }, batchNorm: false });
    await expect(smallNetwork(tf, { ...from('all'), network: 'B' })).rejects.toThrow(
      'Expected a model of network B but received A (from.model)',
    );
    await expect(smallNetwork(tf, { ...from('first-layers'), network: 'B', hidden: 13 })).rejects.toThrow(
      'Expected fc6 of shape [13,16,2,2] but received [12,16,2,2] (from.model)',
    );
    await expect(smallNetwork(tf, { ...from('first-layers'), network: 'B-5x5' })).rejects.toThrow('conv1_1');
    await expect(smallNetwork(tf, { ...from('all'), width: 1 / 16 })).rejects.toThrow(
      'a model of width 0.0625',
    );
    a.dispose();
  });
});

function crossEntropy(scores: Float32Array, classes: Int32Array): number {
  return (
    classes.reduce((sum, index, image) => {
      const row = [...scores.subarray(image * SMALL.classes, (image + 1) * SMALL.classes)];
      const total = row.reduce((partial, score) => partial + Math.exp(score), 0);
      return sum + Math.log(total) - (row[index] ?? NaN);
    }, 0) / classes.length
  );
}
