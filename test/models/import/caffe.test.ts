// Caffe's forms: every layer is found whatever it is called, its numbers are the file's, and opening reads headers alone.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import protobuf from 'protobufjs';
import { describe, expect, test } from 'vitest';
import { looksLikeCaffemodel } from '../../../models/import/formats/caffemodel.ts';
import { openCaffemodel } from '../../../models/import/layouts/caffe.ts';
import { finiteNumbers } from '../../../models/import/numbers.ts';
import { CAFFE_PREPROCESSING, type StoredTensor } from '../../../models/import/release.ts';
import { packageRoot } from '../../../proto/package-root.ts';
import { elements } from '../../../vgg/index.ts';
import { blob, caffeNet, convolution, ramp, vggLayers, type TestLayer } from './caffe-files.ts';
import { memoryFile, message } from './protobuf-bytes.ts';

const A = [1, 1, 2, 2, 2];
const folder = join(packageRoot, 'test/golden/checkpoints');

async function opened(bytes: Uint8Array) {
  const file = memoryFile(bytes, 'net.caffemodel');
  expect(await looksLikeCaffemodel(file)).toBe(true);
  return openCaffemodel(file);
}

async function numbers(tensor: StoredTensor): Promise<number[]> {
  return [...finiteNumbers(await tensor.read(0, elements(tensor.shape)), tensor)];
}

// An independent decoder of the same fields.
const root = protobuf
  .parse(
    `
  syntax = "proto2";
  message Blob { repeated float data = 5; }
  message Layer { optional string name = 1; repeated Blob blobs = 7; }
  message V1 { optional string name = 4; repeated Blob blobs = 6; }
  message Net { repeated V1 layers = 2; repeated Layer layer = 100; }
`,
  )
  .root.lookupType('Net');
interface DecodedLayer {
  name: string;
  blobs?: { data: number[] }[];
}

describe('golden files', () => {
  test.each([
    ['caffe/vgg19-v1.caffemodel', undefined, 'V1', 16],
    ['caffe/vgg16-training.caffemodel', undefined, 'new', 13],
    ['caffe/vgg11-lrn.caffemodel', 'A-LRN', 'new', 8],
    ['caffe/vgg13-v1-unpacked.caffemodel', undefined, 'V1', 10],
    ['caffe/vgg11-bn.caffemodel', 'A', 'new', 8],
    // It has neither pools nor parameters nor LRN: names tell the blocks, nothing tells A from A-LRN.
    ['published/caffe-vgg16-v1.caffemodel', undefined, 'V1', 13],
  ] as const)('%s', async (name, network, form, convolutions) => {
    const bytes = readFileSync(join(folder, name));
    const release = await opened(bytes);
    expect(release.network).toBe(network);
    expect(release.layout).toContain(`Caffe ${form} layers, VGG_`);
    expect(release.layers.filter((layer) => layer.name.startsWith('conv'))).toHaveLength(convolutions);
    expect(release.layers.slice(-3).map((layer) => layer.name)).toEqual(['fc6', 'fc7', 'fc8']);
    expect(release).toMatchObject({ flatten: 'CHW', preprocessing: CAFFE_PREPROCESSING, ignored: [] });
    const decoded = root.toObject(root.decode(bytes)) as { layers?: DecodedLayer[]; layer?: DecodedLayer[] };
    const weighted = (decoded.layers ?? decoded.layer ?? []).filter(
      (layer) => layer.blobs?.length === 2 && !layer.name.startsWith('scale'),
    );
    expect(weighted).toHaveLength(release.layers.length);
    for (const [i, { weight, bias }] of release.layers.entries()) {
      expect(await numbers(weight)).toEqual(weighted[i]?.blobs?.[0]?.data);
      expect(bias && (await numbers(bias))).toEqual(weighted[i]?.blobs?.[1]?.data);
      expect(weight.name).toBe(`${weighted[i]?.name ?? ''}.blobs[0]`);
    }
    await release.close();
  });
});

describe.each(['V1', 'new'] as const)('%s layers', (form) => {
  test('are VGG in order, with axes and shapes', async () => {
    const file = memoryFile(caffeNet(vggLayers(A), form));
    const release = await openCaffemodel(file);
    expect(release.network).toBe('A');
    expect(
      release.layers.map(({ name, axes, weight, bias }) => [name, axes, weight.shape, bias?.shape]),
    ).toEqual([
      ['conv1_1', 'OIHW', [2, 3, 3, 3], [2]],
      ['conv2_1', 'OIHW', [2, 2, 3, 3], [2]],
      ['conv3_1', 'OIHW', [2, 2, 3, 3], [2]],
      ['conv3_2', 'OIHW', [2, 2, 3, 3], [2]],
      ['conv4_1', 'OIHW', [2, 2, 3, 3], [2]],
      ['conv4_2', 'OIHW', [2, 2, 3, 3], [2]],
      ['conv5_1', 'OIHW', [2, 2, 3, 3], [2]],
      ['conv5_2', 'OIHW', [2, 2, 3, 3], [2]],
      ['fc6', 'OI', [3, 2], [3]],
      ['fc7', 'OI', [3, 3], [3]],
      ['fc8', 'OI', [4, 3], [4]],
    ]);
    expect(file.closed).toBe(0);
    await release.close();
    expect(file.closed).toBe(1);
  });

  test('of four axes are those of two and of one', async () => {
    const layers = vggLayers(A).map((layer): TestLayer => {
      const shapes: Record<string, number[]> = { fc6: [3, 2], fc7: [3, 3], fc8: [4, 3] };
      const shape = shapes[layer.name];
      return shape ? { ...layer, blobs: [blob(shape, 0, true), blob(shape.slice(0, 1), 1000, true)] } : layer;
    });
    const release = await opened(caffeNet(layers, form));
    const fc8 = release.layers.at(-1);
    expect(fc8?.weight.shape).toEqual([4, 3]);
    expect(fc8?.bias?.shape).toEqual([4]);
    expect(fc8 && (await numbers(fc8.weight))).toEqual(ramp([4, 3]));
    expect(fc8?.bias && (await numbers(fc8.bias))).toEqual(ramp([4], 1000));
  });

  test('of any names, with fc6 to fc8 as convolutions', async () => {
    const layers = vggLayers([2, 2, 3, 3, 3]).map((layer, i): TestLayer => {
      const conv: Record<string, TestLayer> = {
        fc6: convolution('', 2, 3, 1),
        fc7: convolution('', 3, 3, 1),
        fc8: convolution('', 3, 4, 1),
      };
      return { ...(conv[layer.name] ?? layer), name: `layer${String(i)}` };
    });
    const release = await opened(caffeNet(layers, form));
    expect(release.layers.map(({ name }) => name).join(' ')).toBe(
      'conv1_1 conv1_2 conv2_1 conv2_2 conv3_1 conv3_2 conv3_3 conv4_1 conv4_2 conv4_3 conv5_1 conv5_2 conv5_3 fc6 fc7 fc8',
    );
    expect(release.layers.slice(-3).map(({ axes }) => axes)).toEqual(['OIHW', 'OIHW', 'OIHW']);
  });

  test('without biases', async () => {
    const layers = vggLayers(A).map((layer) => ({ ...layer, blobs: layer.blobs?.slice(0, 1) ?? [] }));
    const release = await opened(caffeNet(layers, form));
    expect(release.layers.every(({ bias }) => bias === undefined)).toBe(true);
  });
});

test('layers that are not linked need neither ReLUs nor parameters', async () => {
  const layers = vggLayers(A)
    .filter(({ type }) => type !== 'ReLU')
    .map((layer): TestLayer => ({ ...layer, bottom: [], top: [], parameter: [] }));
  const release = await opened(caffeNet(layers));
  expect(release.network).toBe('A');
  expect(release.layers).toHaveLength(11);
  // Without pools, names tell the blocks; what else was left out, nobody knows.
  const named = await opened(caffeNet(layers.filter(({ type }) => type !== 'Pooling')));
  expect(named.network).toBeUndefined();
  expect(named.layers.map(({ name }) => name)).toEqual(release.layers.map(({ name }) => name));
});

test('running statistics are divided by their factor', async () => {
  const layers = vggLayers(A);
  const factor = message([7, message([1, { packedInts: [1] }])], [5, { packed: [4] }]);
  layers.splice(1, 0, { name: 'bn', type: 'BatchNorm', top: ['conv1_1'], parameter: [[3, { float: 0.5 }]] });
  layers.splice(2, 0, {
    name: 'scale',
    type: 'Scale',
    top: ['conv1_1'],
    blobs: [blob([2], 8), blob([2], 16)],
  });
  layers[1] = { ...layers[1], name: 'bn', type: 'BatchNorm', blobs: [blob([2], 64), blob([2], 128), factor] };
  const release = await opened(caffeNet(layers));
  const norm = release.layers[0]?.batchNorm;
  if (!norm?.scale || !norm.shift) expect.unreachable('no batch normalisation');
  expect(norm.epsilon).toBe(0.5);
  expect(await numbers(norm.mean)).toEqual(ramp([2], 64).map((value) => value / 4));
  expect(await numbers(norm.variance)).toEqual(ramp([2], 128).map((value) => value / 4));
  expect(await numbers(norm.scale)).toEqual(ramp([2], 8));
  expect(await numbers(norm.shift)).toEqual(ramp([2], 16));
});

test('LRN with Krizhevsky’s constants tells A-LRN: Caffe divides alpha by n', async () => {
  const layers = vggLayers(A);
  const constants: TestLayer['parameter'] = [
    [1, 5],
    [2, { float: 5e-4 }],
    [3, { float: 0.75 }],
    [5, { float: 2 }],
  ];
  layers.splice(2, 0, { name: 'norm1', type: 'LRN', parameter: constants });
  expect((await opened(caffeNet(layers))).network).toBe('A-LRN');
});

test('opening reads headers alone, and reading a tensor its bytes alone', async () => {
  const layers = vggLayers(A).map((layer) =>
    layer.name === 'fc6' ? { ...layer, blobs: [blob([512, 4096]), blob([512])] } : layer,
  );
  const file = memoryFile(caffeNet(layers));
  const release = await openCaffemodel(file);
  expect(file.size).toBeGreaterThan(8 << 20);
  expect(file.bytesRead).toBeLessThan(1 << 20);
  const before = file.bytesRead;
  await release.layers.at(-3)?.weight.read(4096, 100);
  expect(file.bytesRead - before).toBe(400);
});

describe('what does not begin as a Caffe network', () => {
  test.each(['package.json', 'README.md', 'test/golden/photo.png'])('%s', async (path) => {
    expect(await looksLikeCaffemodel(memoryFile(readFileSync(join(packageRoot, path))))).toBe(false);
  });

  test.each(['published/keras-vgg16.h5', 'published/torchvision-vgg11.pth', 'onnx/vgg16-torchscript.onnx'])(
    '%s',
    async (path) => {
      expect(await looksLikeCaffemodel(memoryFile(readFileSync(join(folder, path))))).toBe(false);
    },
  );
});
