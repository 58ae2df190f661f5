// ONNX's forms: the photo's path is followed whatever its nodes are called, and weights are read where they lie.

import { readFileSync } from 'node:fs';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openFileBytes } from '../../../models/import/formats/file-bytes.ts';
import { looksLikeOnnx } from '../../../models/import/formats/onnx-model.ts';
import { openOnnx } from '../../../models/import/layouts/onnx.ts';
import { finiteNumbers } from '../../../models/import/numbers.ts';
import {
  CAFFE_PREPROCESSING,
  TORCH_PREPROCESSING,
  type Release,
  type StoredTensor,
} from '../../../models/import/release.ts';
import { packageRoot } from '../../../proto/package-root.ts';
import { elements } from '../../../vgg/index.ts';
import { external, onnxModel, ramp, tensor, vgg, type TestModel, type TestNode } from './onnx-files.ts';
import { floats, memoryFile, message } from './protobuf-bytes.ts';

const A = [1, 1, 2, 2, 2];
const folder = join(packageRoot, 'test/golden/checkpoints');

async function opened(model: TestModel): Promise<Release> {
  const file = memoryFile(onnxModel(model), 'model.onnx');
  expect(await looksLikeOnnx(file)).toBe(true);
  return openOnnx(file);
}

async function numbers(stored: StoredTensor): Promise<number[]> {
  return [...finiteNumbers(await stored.read(0, elements(stored.shape)), stored)];
}

function layer(release: Release, name: string) {
  return release.layers.find((each) => each.name === name) ?? expect.unreachable(`no ${name}`);
}

// Network A with one node replaced.
function changed(name: string, ...by: TestNode[]): TestModel & { tensors: Uint8Array[] } {
  const { nodes, tensors } = vgg(A);
  const at = nodes.findIndex((node) => node.name === name);
  expect(at).toBeGreaterThanOrEqual(0);
  nodes.splice(at, 1, ...by);
  return { nodes, tensors: [...tensors.values()] };
}

describe('golden files', () => {
  test.each([
    ['vgg16-torchscript', undefined, 'ONNX graph of pytorch', 'CHW', 'OI', TORCH_PREPROCESSING, 13],
    ['vgg11_bn-torchscript', 'A', 'ONNX graph of pytorch', 'CHW', 'OI', TORCH_PREPROCESSING, 8],
    ['vgg13-dynamo', undefined, 'ONNX graph of pytorch', 'CHW', 'OI', TORCH_PREPROCESSING, 10],
    ['vgg19-mxnet', undefined, 'ONNX graph', 'CHW', 'OI', TORCH_PREPROCESSING, 16],
    ['vgg11-lrn-caffe2', 'A-LRN', 'ONNX graph of onnx-caffe2', 'CHW', 'OI', CAFFE_PREPROCESSING, 8],
    ['vgg16-tf2onnx', undefined, 'ONNX graph of tf2onnx', 'HWC', 'IO', CAFFE_PREPROCESSING, 13],
  ] as const)('%s', async (name, network, layout, flatten, axes, preprocessing, convolutions) => {
    const file = await openFileBytes(join(folder, 'onnx', `${name}.onnx`));
    expect(await looksLikeOnnx(file)).toBe(true);
    const release = await openOnnx(file);
    expect(release).toMatchObject({ layout, flatten, preprocessing });
    expect(release.network).toBe(network);
    expect(release.layers.filter((each) => each.axes === 'OIHW')).toHaveLength(convolutions);
    expect(release.layers.slice(-3).map((each) => [each.name, each.axes])).toEqual(
      ['fc6', 'fc7', 'fc8'].map((each) => [each, axes]),
    );
    expect(release.layers.filter(({ batchNorm }) => batchNorm)).toHaveLength(name.includes('_bn') ? 8 : 0);
    for (const each of release.layers) {
      // He-initialised: every tensor is read, and is of the size that its inputs ask for.
      const values = await numbers(each.weight);
      expect(Math.max(...values.map(Math.abs))).toBeLessThan(6);
      expect(each.bias && (await numbers(each.bias))).toHaveLength(
        each.axes === 'IO' ? (each.weight.shape[1] ?? 0) : (each.weight.shape[0] ?? 0),
      );
    }
    await release.close();
  });
});

describe('weights', () => {
  const halves = [0x3c00, 0xc000, 0x3555, 0x0001];
  const F16 = [1, -2, 0.333251953125, 2 ** -24];
  const bytesOf = (array: Uint16Array | Float64Array) => new Uint8Array(array.buffer);
  test.each([
    ['raw float32', { data: [[9, floats([1, 2, 3, 4])]] }, 'F32', [1, 2, 3, 4]],
    ['float_data', { data: [[4, { packed: [1, 2, 3, 4] }]] }, 'F32', [1, 2, 3, 4]],
    ['unpacked float_data', { data: [[4, [1, 2, 3, 4].map((float) => ({ float }))]] }, 'F32', [1, 2, 3, 4]],
    ['raw float64', { type: 11, data: [[9, bytesOf(Float64Array.of(0.1, 2, 3, 4))]] }, 'F64', [0.1, 2, 3, 4]],
    [
      'double_data',
      { type: 11, data: [[10, bytesOf(Float64Array.of(0.1, 2, 3, 4))]] },
      'F64',
      [0.1, 2, 3, 4],
    ],
    ['raw float16', { type: 10, data: [[9, bytesOf(Uint16Array.from(halves))]] }, 'F16', F16],
    [
      'raw bfloat16',
      { type: 16, data: [[9, bytesOf(Uint16Array.of(0x3f80, 0xc000, 0x4040, 0x4080))]] },
      'BF16',
      [1, -2, 3, 4],
    ],
    ['float16 as int32_data', { type: 10, data: [[5, { packedInts: halves }]] }, 'F16', F16],
  ] as const)('as %s', async (_, form, dtype, values) => {
    const { nodes, tensors } = vgg(A);
    tensors.set('fc8.b', tensor('fc8.b', [4], form));
    const release = await opened({ nodes, tensors: [...tensors.values()] });
    const { bias } = layer(release, 'fc8');
    expect(bias?.dtype).toBe(dtype);
    expect(bias && (await numbers(bias))).toEqual(values);
    expect(bias && finiteNumbers(await bias.read(2, 2), bias)).toEqual(
      (dtype === 'F64' ? Float64Array : Float32Array).from(values.slice(2)),
    );
  });

  test('as int32_data are read in any order', async () => {
    // Beyond one piece: two bytes each.
    const halves = Array.from({ length: 600_000 }, (_, i) => 0x1000 + (i % 0x2000));
    const { nodes, tensors } = vgg(A);
    const packed = message([1, { packedInts: halves.slice(0, 1000) }]).subarray(3);
    const whole = new Uint8Array(packed.length * 600).map((_, i) => packed[i % packed.length] ?? 0);
    tensors.set('fc6.w', tensor('fc6.w', [600, 1000], { type: 10, data: [[5, whole]] }));
    const release = await opened({ nodes, tensors: [...tensors.values()] });
    const { weight } = layer(release, 'fc6');
    for (const [start, count] of [
      [0, 10],
      [599_000, 1000],
      [10, 5],
      [15, 3],
      [0, 600_000],
    ] as const) {
      const wanted = Uint16Array.from({ length: count }, (_, i) => halves[(start + i) % 1000] ?? 0);
      expect(Buffer.compare(await weight.read(start, count), new Uint8Array(wanted.buffer))).toBe(0);
    }
  });

  test('as inputs, Constants, and behind Identity and Transpose', async () => {
    const { nodes, tensors } = vgg(A);
    const weight = tensor('', [3, 2]);
    tensors.delete('fc6.w');
    const gemm = nodes.find(({ name }) => name === 'fc6') ?? expect.unreachable();
    gemm.attributes = {};
    gemm.inputs = ['turned', 'same'];
    const model: TestModel = {
      // They come first: a graph is in topological order.
      nodes: [
        { op: 'Constant', from: [], output: 'constant', attributes: { value: { tensor: weight } } },
        { op: 'Transpose', from: ['constant'], output: 'turned', attributes: { perm: [1, 0] } },
        { op: 'Identity', from: ['fc7.b'], output: 'same' },
        { ...nodes[0], op: 'Conv', from: ['data'] },
        ...nodes.slice(1),
      ],
      tensors: [...tensors.values()],
      inputs: ['data', 'conv1_1.w', 'fc7.w'],
    };
    const release = await opened(model);
    const fc6 = layer(release, 'fc6');
    expect(fc6.axes).toBe('OI');
    expect(fc6.weight).toMatchObject({ name: 'constant', shape: [3, 2] });
    expect(await numbers(fc6.weight)).toEqual(ramp([3, 2]));
    expect(fc6.bias?.name).toBe('fc7.b');
  });
});

describe('operators', () => {
  test('that do nothing at inference are passed; Softmax may end the graph', async () => {
    const { nodes, tensors } = vgg(A);
    const same = (op: string): TestNode => ({ op });
    const all = nodes.flatMap((node) =>
      node.op === 'Flatten'
        ? [
            { op: 'AveragePool', attributes: { kernel_shape: [1, 1], strides: [1, 1] } },
            { op: 'GlobalAveragePool' },
            node,
          ]
        : [same('Identity'), node, same('Dropout')],
    );
    const release = await opened({
      nodes: [same('Cast'), ...all, { op: 'Softmax' }],
      tensors: [...tensors.values(), tensor('unused', [3])],
    });
    expect(release.network).toBe('A');
    expect(release.ignored.map(({ name }) => name)).toEqual(['unused']);
  });

  test('that compute a shape feed Reshape alone', async () => {
    const release = await opened(
      changed(
        'flatten',
        { op: 'Identity', output: 'map' },
        { op: 'Shape', from: ['map'], output: 'sides' },
        { op: 'Gather', from: ['sides', 'zero'], output: 'batch' },
        { op: 'Concat', from: ['batch', 'rest'], output: 'shape' },
        { op: 'Reshape', from: ['map', 'shape'] },
      ),
    );
    expect(release.layers).toHaveLength(11);
  });

  test('MatMul and Add are a layer; its weight is [in, out]', async () => {
    const model = changed('fc8', { op: 'MatMul', inputs: ['fc7.w'] }, { op: 'Add', inputs: ['bias'] });
    const release = await opened({ ...model, tensors: [...model.tensors, tensor('bias', [1, 3])] });
    expect(layer(release, 'fc8')).toMatchObject({
      axes: 'IO',
      weight: { name: 'fc7.w' },
      bias: { shape: [3] },
    });
  });

  test('BatchNormalization belongs to the convolution before it', async () => {
    const norm: TestNode = {
      op: 'BatchNormalization',
      inputs: ['conv1_1.b', 'conv2_1.b', 'conv3_1.b', 'conv3_2.b'],
      attributes: { epsilon: { float: 0.5 } },
    };
    const release = await opened(changed('relu1_1', norm, { op: 'Relu' }));
    expect(layer(release, 'conv1_1').batchNorm).toMatchObject({
      scale: { name: 'conv1_1.b' },
      shift: { name: 'conv2_1.b' },
      mean: { name: 'conv3_1.b' },
      variance: { name: 'conv3_2.b' },
      epsilon: 0.5,
    });
  });

  test('LRN with Krizhevsky’s constants tells A-LRN: ONNX divides alpha by size', async () => {
    const attributes = { size: 5, alpha: { float: 5e-4 }, beta: { float: 0.75 }, bias: { float: 2 } };
    const release = await opened(changed('relu1_1', { op: 'Relu' }, { op: 'LRN', attributes }));
    expect(release.network).toBe('A-LRN');
  });

  test('padding SAME is VGG’s', async () => {
    const attributes = { kernel_shape: [3, 3], auto_pad: { text: 'SAME_UPPER' } };
    const release = await opened(
      changed('conv3_1', { op: 'Conv', inputs: ['conv3_1.w', 'conv3_1.b'], attributes }),
    );
    expect(release.layers).toHaveLength(11);
  });
});

describe('external data', () => {
  let home = '';
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'vgg-onnx-'));
  });
  afterEach(() => rm(home, { recursive: true }));

  async function openWith(entries: Record<string, string>): Promise<Release> {
    const { nodes, tensors } = vgg(A);
    tensors.set('fc8.b', tensor('fc8.b', [4], { data: external(entries) }));
    const path = join(home, 'model.onnx');
    await writeFile(path, onnxModel({ nodes, tensors: [...tensors.values()] }));
    return openOnnx(await openFileBytes(path));
  }

  test('is read from the file beside the model, where it lies', async () => {
    await writeFile(join(home, 'weights.bin'), floats([9, 1, 2, 3, 4]));
    for (const rest of [{ length: '16' }, {}]) {
      const release = await openWith({ location: 'weights.bin', offset: '4', ...rest });
      const { bias } = layer(release, 'fc8');
      expect(bias && (await numbers(bias))).toEqual([1, 2, 3, 4]);
      await release.close();
    }
  });

  test.each([
    ['absent', { location: 'absent.bin' }, 'it cannot be read (fc8.b)'],
    ['without a name', {}, 'a relative path in the model'],
    ['in the folder above', { location: '../weights.bin' }, 'but received ../weights.bin (fc8.b)'],
    ['above, in a roundabout way', { location: 'x/../../weights.bin' }, 'a relative path'],
    ['anywhere', { location: '/etc/passwd' }, 'but received /etc/passwd (fc8.b)'],
    ['on a drive', { location: 'C:\\weights.bin' }, 'a relative path'],
    ['with a NUL', { location: 'weights.bin\0.png' }, 'a relative path'],
    ['behind a link', { location: 'link' }, 'a link to /etc/passwd (fc8.b)'],
    ['a folder', { location: '.' }, "in the model's folder"],
    [
      'cut off',
      { location: 'weights.bin', offset: '8', length: '16' },
      'data of fc8.b within the 20 bytes of its file but received bytes 8 to 24',
    ],
    ['behind the end', { location: 'weights.bin', offset: '24' }, 'bytes 24 to 24'],
    [
      'too short',
      { location: 'weights.bin', length: '8' },
      'Expected 4 elements of shape [4] but received 2 (fc8.b)',
    ],
    ['at no byte', { location: 'weights.bin', offset: '-4' }, 'a count of bytes but received -4'],
  ])('%s is refused', async (_, entries, came) => {
    await writeFile(join(home, 'weights.bin'), floats([9, 1, 2, 3, 4]));
    await symlink('/etc/passwd', join(home, 'link'));
    await expect(openWith(entries)).rejects.toThrow(came);
  });
});

test('opening reads headers alone', async () => {
  const { nodes, tensors } = vgg(A);
  tensors.set('fc6.w', tensor('fc6.w', [512, 4096]));
  const file = memoryFile(onnxModel({ nodes, tensors: [...tensors.values()] }));
  const release = await openOnnx(file);
  expect(file.size).toBeGreaterThan(8 << 20);
  expect(file.bytesRead).toBeLessThan(1 << 20);
  const before = file.bytesRead;
  await layer(release, 'fc6').weight.read(4096, 100);
  expect(file.bytesRead - before).toBe(400);
});

test.each([
  'package.json',
  'test/golden/photo.png',
  'test/golden/checkpoints/published/caffe-vgg16-v1.caffemodel',
  'test/golden/checkpoints/published/keras-vgg16.h5',
  'test/golden/checkpoints/published/torchvision-vgg11.pth',
])('%s does not begin as ONNX', async (path) => {
  expect(await looksLikeOnnx(memoryFile(readFileSync(join(packageRoot, path))))).toBe(false);
});
