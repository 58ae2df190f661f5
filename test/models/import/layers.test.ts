// Every number of a release in its place: against plain index formulas, and against what is wrong with it.

import { describe, expect, test } from 'vitest';
import { canonicalRelease } from '../../../models/import/layers.ts';
import type {
  BatchNorm,
  Preprocessing,
  Release,
  SourceLayer,
  StoredTensor,
} from '../../../models/import/release.ts';
import { elements, networkLayers, type NetworkSpec } from '../../../vgg/index.ts';

const PLAIN: Preprocessing = { mean: [1, 2, 3], std: [1, 1, 1], channels: 'RGB', kernel: 'linear' };
const A: NetworkSpec = { network: 'A', width: 1 / 32, hidden: 5, classes: 3, inputSize: 64 };

// A tensor in memory whose values are as good as random, and known.
function tensor(name: string, shape: number[], dtype = 'F32', value = wave): StoredTensor {
  const values = Float64Array.from({ length: elements(shape) }, (_, i) => value(i));
  const bytes = new Uint8Array((dtype === 'F64' ? values : Float32Array.from(values)).buffer);
  const size = bytes.length / values.length;
  return {
    name,
    dtype,
    shape,
    read: (start, count) => Promise.resolve(bytes.slice(start * size, (start + count) * size)),
  };
}

const wave = (i: number) => Math.fround(Math.sin(i * 1.7 + 0.3));

// Network A in a framework's axes.
function release(axes: 'OIHW' | 'HWIO', flatten: 'CHW' | 'HWC', more: Partial<Release> = {}): Release {
  const layers = networkLayers(A).flatMap((layer): SourceLayer[] => {
    if (layer.kind !== 'conv') return [];
    const { name, kernel, inChannels, outChannels } = layer;
    const bias = tensor(`${name}/b`, [outChannels]);
    if (name.startsWith('fc')) {
      const inputs = inChannels * kernel * kernel;
      const [order, shape] =
        axes === 'OIHW' ? (['OI', [outChannels, inputs]] as const) : (['IO', [inputs, outChannels]] as const);
      return [{ name, axes: order, weight: tensor(`${name}/w`, [...shape]), bias }];
    }
    const shape =
      axes === 'OIHW' ? [outChannels, inChannels, kernel, kernel] : [kernel, kernel, inChannels, outChannels];
    return [{ name, axes, weight: tensor(`${name}/w`, shape), bias }];
  });
  return {
    layout: 'made here',
    layers,
    flatten,
    preprocessing: PLAIN,
    network: 'A',
    ignored: [],
    close: () => Promise.resolve(),
    ...more,
  };
}

function changed(name: string, change: Partial<SourceLayer>, base = release('OIHW', 'CHW')): Release {
  return {
    ...base,
    layers: base.layers.map((layer) => (layer.name === name ? { ...layer, ...change } : layer)),
  };
}

async function values(from: Release, name: string, preprocessing = from.preprocessing): Promise<number[]> {
  const found = canonicalRelease(from, preprocessing).tensors.find((each) => each.name === name);
  const all: number[] = [];
  for await (const piece of found?.values() ?? []) all.push(...piece);
  return all;
}

describe('places', () => {
  test('what is canonical already stays as it is', async () => {
    const { spec, tensors, changes } = canonicalRelease(release('OIHW', 'CHW'), PLAIN);
    expect(spec).toEqual(A);
    expect(changes).toEqual([]);
    expect(tensors.map(({ unchanged }) => unchanged)).toEqual(tensors.map(() => 'F32'));
    expect(await values(release('OIHW', 'CHW'), 'conv3_2.weight')).toEqual(
      Array.from({ length: 8 * 8 * 9 }, (_, i) => wave(i)),
    );
  });

  test('HWIO kernels', async () => {
    const [outputs, inputs] = [4, 2];
    const actual = await values(release('HWIO', 'HWC'), 'conv2_1.weight');
    expect(actual).toHaveLength(outputs * inputs * 9);
    for (const [at, value] of actual.entries()) {
      const [o, i, y, x] = [Math.floor(at / 18), Math.floor(at / 9) % 2, Math.floor(at / 3) % 3, at % 3];
      expect(value).toBe(wave(((y * 3 + x) * inputs + i) * outputs + o));
    }
  });

  test.each(['HWC', 'CHW'] as const)('fc6 in [in, out] after flattening %s', async (flatten) => {
    const [hidden, channels, side] = [5, 16, 2];
    const actual = await values(release('HWIO', flatten), 'fc6.weight');
    for (const [at, value] of actual.entries()) {
      const [o, c, place] = [Math.floor(at / 64), Math.floor(at / 4) % 16, at % 4];
      const input = flatten === 'HWC' ? place * channels + c : c * side * side + place;
      expect(value).toBe(wave(input * hidden + o));
    }
  });

  test('fc6 in [out, in] after flattening HWC', async () => {
    const actual = await values(release('OIHW', 'HWC'), 'fc6.weight');
    for (const [at, value] of actual.entries()) {
      const [o, c, place] = [Math.floor(at / 64), Math.floor(at / 4) % 16, at % 4];
      expect(value).toBe(wave(o * 64 + place * 16 + c));
    }
  });

  test.each(['OIHW', 'HWIO'] as const)('BGR and deviations, %s', async (axes) => {
    const preprocessing = { ...PLAIN, channels: 'BGR', std: [2, 4, 8] } as const;
    const from = release(axes, 'CHW');
    const actual = await values(from, 'conv1_1.weight', { ...preprocessing, std: [2, 4, 8] });
    const plain = await values(from, 'conv1_1.weight');
    for (const [at, value] of actual.entries()) {
      const [o, c, place] = [Math.floor(at / 27), Math.floor(at / 9) % 3, at % 9];
      expect(value).toBe((plain[o * 27 + (2 - c) * 9 + place] ?? NaN) / (preprocessing.std[c] ?? NaN));
    }
    expect(await values(from, 'conv2_1.weight', { ...preprocessing, std: [2, 4, 8] })).toEqual(
      await values(from, 'conv2_1.weight'),
    );
  });
});

describe('batch normalisation', () => {
  const norm = (more: Partial<BatchNorm> = {}): BatchNorm => ({
    scale: tensor('γ', [2], 'F32', (i) => 1.5 - i),
    shift: tensor('β', [2], 'F32', (i) => 0.25 * i + 0.5),
    mean: tensor('μ', [2], 'F32', (i) => i - 0.125),
    variance: tensor('σ²', [2], 'F32', (i) => i + 0.5),
    epsilon: 1e-5,
    ...more,
  });

  test('is folded in float64', async () => {
    const from = changed('conv1_1', { batchNorm: norm() });
    const weights = await values(from, 'conv1_1.weight');
    const biases = await values(from, 'conv1_1.bias');
    for (let o = 0; o < 2; o++) {
      const factor = (1.5 - o) / Math.sqrt(o + 0.5 + 1e-5);
      for (let i = 0; i < 27; i++) expect(weights[o * 27 + i]).toBeCloseTo(wave(o * 27 + i) * factor, 13);
      expect(biases[o]).toBeCloseTo((wave(o) - (o - 0.125)) * factor + 0.25 * o + 0.5, 13);
    }
    expect(canonicalRelease(from, PLAIN).changes).toEqual(['batch normalisation folded into 1 convolutions']);
  });

  test('without scale, shift and bias', async () => {
    const { name, weight, axes } = release('OIHW', 'CHW').layers[0] ?? expect.unreachable();
    const { mean, variance } = norm();
    const base = release('OIHW', 'CHW');
    const layers = base.layers.map((layer) =>
      layer.name === name ? { name, weight, axes, batchNorm: { mean, variance, epsilon: 0.5 } } : layer,
    );
    const biases = await values({ ...base, layers }, 'conv1_1.bias');
    for (let o = 0; o < 2; o++) expect(biases[o]).toBeCloseTo(-(o - 0.125) / Math.sqrt(o + 1), 13);
  });

  test.each([
    [{ variance: tensor('σ²', [2], 'F32', () => -1) }, 'Expected variances ≥ 0 but received -1 (σ²)'],
    [{ mean: tensor('μ', [3]) }, 'Expected shape [2] but received [3] (μ)'],
    [{ scale: tensor('γ', [2], 'F32', () => NaN) }, 'Expected finite weights but received NaN (γ)'],
  ])('%j', async (more, message) => {
    await expect(values(changed('conv1_1', { batchNorm: norm(more) }), 'conv1_1.weight')).rejects.toThrow(
      message,
    );
  });
});

describe('what is wrong', () => {
  test.each(['F32', 'F64'])('a value that is not finite, %s', async (dtype) => {
    const weight = tensor('w7', [5, 5], dtype, (i) => (i === 24 ? Infinity : 0));
    await expect(values(changed('fc7', { weight }), 'fc7.weight')).rejects.toThrow(
      'Expected finite weights but received Infinity (w7)',
    );
  });

  test('a type that weights cannot have', async () => {
    const weight = { ...tensor('w7', [5, 5]), dtype: 'I64' };
    await expect(values(changed('fc7', { weight }), 'fc7.weight')).rejects.toThrow(
      'Expected types F64, F32, F16, BF16 but received I64 (w7)',
    );
  });

  test.each<[string, Partial<SourceLayer>, string]>([
    [
      'fc7',
      { weight: tensor('w7', [5, 6]) },
      'Expected inputs of 5 channels of a square map but received 6 (w7)',
    ],
    ['fc7', { weight: tensor('w7', [25]) }, 'Expected a tensor of 2 axes but received [25] (w7)'],
    ['fc8', { bias: tensor('b8', [4]) }, 'Expected shape [3] but received [4] (b8)'],
    [
      'conv4_2',
      { weight: tensor('w', [16, 16, 5, 5]) },
      'Expected shape [16,16,3,3] of conv4_2.weight for network A but received [16,16,5,5] (w)',
    ],
    ['conv1_1', { weight: tensor('w', [2, 4, 3, 3]) }, 'Expected shape [2,3,3,3] of conv1_1.weight'],
  ])('%s', async (name, change, message) => {
    await expect(values(changed(name, change), `${name}.bias`)).rejects.toThrow(message);
  });

  test('networks that contradict the tensors, or are not known from them', () => {
    const unknown = release('OIHW', 'CHW');
    delete unknown.network;
    expect(() => canonicalRelease(unknown, PLAIN)).toThrow(
      'Expected a network to be named but received tensors that fit A and A-LRN (network)',
    );
    expect(canonicalRelease(unknown, PLAIN, 'A-LRN').spec.network).toBe('A-LRN');
    expect(() => canonicalRelease(unknown, PLAIN, 'D')).toThrow(
      'Expected the tensors of network D, as told but received those of A or A-LRN (network)',
    );
    expect(() => canonicalRelease(release('OIHW', 'CHW'), PLAIN, 'A-LRN')).toThrow(
      'Expected network A-LRN but received made here of network A (network)',
    );
    const without = release('OIHW', 'CHW');
    without.layers = without.layers.filter(({ name }) => name !== 'conv5_2');
    expect(() => canonicalRelease(without, PLAIN)).toThrow(
      'Expected tensor conv5_2.weight [16,16,3,3] of network A but received none (conv5_2.weight)',
    );
    delete without.network;
    expect(() => canonicalRelease(without, PLAIN)).toThrow(
      'Expected the convolutions of one of A, A-LRN, B, C, D, E, B-5x5 but received 7, in blocks of 1, 1, 2, 2, 1',
    );
  });
});
