// ONNX models that are no VGG network, or no whole model: one clear error each, that names operator and node.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openOnnx } from '../../../models/import/layouts/onnx.ts';
import { packageRoot } from '../../../proto/package-root.ts';
import { VggError } from '../../../vgg/index.ts';
import { onnxModel, tensor, vgg, type TestModel, type TestNode } from './onnx-files.ts';
import { memoryFile, message } from './protobuf-bytes.ts';

const A = [1, 1, 2, 2, 2];

async function refused(bytes: Uint8Array): Promise<string> {
  const file = memoryFile(bytes, 'model.onnx');
  const error = await openOnnx(file).then(
    () => expect.unreachable('it was opened'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(VggError);
  expect((error as VggError).code).toBe('INVALID_ARGUMENT');
  expect(file.closed).toBe(1);
  return (error as VggError).message;
}

// Network A with one node replaced, and more tensors.
function changed(name: string, by: TestNode[], more: Uint8Array[] = []): TestModel {
  const { nodes, tensors } = vgg(A);
  const at = nodes.findIndex((node) => node.name === name);
  expect(at).toBeGreaterThanOrEqual(0);
  nodes.splice(at, 1, ...by);
  return { nodes, tensors: [...tensors.values(), ...more] };
}

function conv(attributes: Record<string, number | number[]>, weight = 'conv1_1.w'): TestNode {
  return {
    op: 'Conv',
    name: 'c',
    inputs: [weight],
    attributes: { kernel_shape: [3, 3], pads: [1, 1, 1, 1], ...attributes },
  };
}
const lrn = (alpha: number, bias: number): TestNode => ({
  op: 'LRN',
  name: 'lrn',
  attributes: { size: 5, alpha: { float: alpha }, beta: { float: 0.75 }, bias: { float: bias } },
});

describe('other networks', () => {
  test.each<[string, TestModel, string]>([
    [
      'AlexNet',
      changed(
        'conv1_1',
        [conv({ kernel_shape: [11, 11], strides: [4, 4] }, 'w')],
        [tensor('w', [2, 3, 11, 11])],
      ),
      'here conv1_1 of kernel 3, 1 or 5, but received kernel 11 (c)',
    ],
    [
      'ResNet',
      changed('conv1_1', [conv({ kernel_shape: [7, 7], strides: [2, 2] }, 'w')], [tensor('w', [2, 3, 7, 7])]),
      'here conv1_1 of kernel 3, 1 or 5, but received kernel 7 (c)',
    ],
    [
      'residual branches',
      changed('relu2_1', [
        { op: 'Relu', output: 'x' },
        { op: 'Conv', name: 'branch', inputs: ['conv3_1.w'], output: 'y' },
        { op: 'Add', name: 'sum', from: ['x', 'y'] },
      ]),
      'but received a branch: x feeds Conv branch and Add sum (branch)',
    ],
    [
      'a sum of one value',
      changed('relu2_1', [
        { op: 'Relu', output: 'x' },
        { op: 'Add', name: 'sum', from: ['x', 'x'] },
      ]),
      'but received Add of x and x, a branch (sum)',
    ],
    [
      'an inception module',
      changed('relu2_1', [{ op: 'Relu' }, { op: 'Concat', name: 'cat', inputs: ['other'] }]),
      'here conv2_2 or a pool, but received operator Concat (cat)',
    ],
    ['groups', changed('conv1_1', [conv({ group: 2 })]), 'received kernel 3, stride 1, pad 1, group 2 (c)'],
    [
      'strides',
      changed('conv1_1', [conv({ strides: [2, 2] })]),
      'received kernel 3, stride 2, pad 1, group 1 (c)',
    ],
    ['dilations', changed('conv1_1', [conv({ dilations: [2, 2] })]), 'dilation 2 (c)'],
    ['one-sided padding', changed('conv1_1', [conv({ pads: [0, 0, 1, 1] })]), 'pad 0,0,1,1, group 1 (c)'],
    [
      'normalisation in the graph',
      changed('conv1_1', [{ op: 'Sub', name: 'mean', inputs: ['x'] }]),
      'here conv1_1, but received operator Sub (mean)',
    ],
    ['another domain', changed('relu1_1', [{ op: 'FusedConv', name: 'f' }]), 'operator FusedConv (f)'],
    [
      'quantised weights',
      changed('conv1_1', [
        { op: 'DequantizeLinear', from: ['q', 's'], output: 'w' },
        { op: 'Conv', name: 'c', from: ['data'], inputs: ['w'] },
      ]),
      'Conv whose weights w are computed by DequantizeLinear (c)',
    ],
  ])('%s', async (_, model, came) => {
    const error = await refused(onnxModel(model));
    expect(error).toMatch(/^Expected a VGG network, here /);
    expect(error).toContain(came);
  });
});

describe('nearly VGG', () => {
  const gemm = (attributes: TestNode['attributes']): TestNode => ({
    op: 'Gemm',
    name: 'g',
    inputs: ['fc7.w', 'fc7.b'],
    attributes: attributes ?? {},
  });
  test.each<[string, TestModel, string]>([
    ['no fc8', changed('fc8', []), 'here fc8, but received no further layer (model.onnx)'],
    ['no fc7', changed('fc7', []), 'ReLU that follows no convolution (relu-fc7)'],
    [
      'an extra layer',
      changed('fc8', [gemm({ transB: 1 }), { op: 'Relu', name: 'r' }]),
      'ReLU after fc8 (r)',
    ],
    ['two last layers', changed('fc8', [gemm({ transB: 1 }), gemm({ transB: 1 })]), 'an extra layer (g)'],
    ['no ReLU', changed('relu4_1', []), 'here ReLU after conv4_1, but received none (conv4_2)'],
    [
      'a pool too many',
      changed('pool5', [
        { op: 'MaxPool', name: 'p', attributes: { kernel_shape: [2, 2], strides: [2, 2] } },
        { op: 'MaxPool', name: 'q', attributes: { kernel_shape: [2, 2], strides: [2, 2] } },
      ]),
      'here fc6, but received a pool (q)',
    ],
    [
      'overlapping pools',
      changed('pool1', [{ op: 'MaxPool', name: 'p', attributes: { kernel_shape: [3, 3], strides: [2, 2] } }]),
      'here max-pooling of kernel 2, stride 2, pad 0, but received kernel 3, stride 2',
    ],
    [
      'average pools',
      changed('pool1', [
        { op: 'AveragePool', name: 'p', attributes: { kernel_shape: [2, 2], strides: [2, 2] } },
      ]),
      'AveragePool of kernel 2,2 (p)',
    ],
    [
      'the mean of a map',
      changed('pool1', [{ op: 'GlobalAveragePool', name: 'p' }]),
      'a map that is not 1×1 (p)',
    ],
    [
      'flattening in a block',
      changed('pool1', [{ op: 'Reshape', name: 'r', inputs: ['s'] }]),
      'received Reshape (r)',
    ],
    [
      'transposing in a block',
      changed('pool1', [{ op: 'Transpose', name: 't', attributes: { perm: [0, 2, 3, 1] } }]),
      'Transpose of axes 0 2 3 1 (t)',
    ],
    [
      'a scaled Gemm',
      changed('fc7', [gemm({ transB: 1, alpha: { float: 0.5 } })]),
      'Gemm with transA, alpha or beta (g)',
    ],
    [
      'a Gemm whose weight comes first',
      changed('fc7', [{ op: 'Gemm', name: 'g', from: ['fc7.w', 'value19'] }]),
      'received',
    ],
    [
      'LRN of other constants',
      changed('relu1_1', [{ op: 'Relu' }, lrn(1e-4, 1)]),
      'here LRN of k 2, n 5, alpha 0.0001, beta 0.75 (alpha not divided by size), but received LRN of k 1, n 5, alpha 0.00002, beta 0.75 (lrn)',
    ],
    [
      'LRN before ReLU',
      changed('relu1_1', [lrn(5e-4, 2), { op: 'Relu' }]),
      'LRN once, after conv1_1 and its ReLU',
    ],
    [
      'no weights',
      changed('fc7', [{ op: 'Gemm', name: 'g', inputs: ['nowhere'] }]),
      'weights nowhere are missing (g)',
    ],
    [
      'a bias of two axes',
      changed('fc7', [{ op: 'Gemm', name: 'g', inputs: ['fc7.w', 'fc7.w'], attributes: { transB: 1 } }]),
      'Expected a vector but received [3,3] (fc7.w)',
    ],
    [
      'a statistic too few',
      changed('relu1_1', [{ op: 'BatchNormalization', name: 'b', inputs: ['fc7.b'] }]),
      'BatchNormalization without running statistics (b)',
    ],
  ])('%s', async (_, model, came) => {
    expect(await refused(onnxModel(model))).toContain(came);
  });
});

test('weights of integers are no numbers', async () => {
  const { nodes, tensors } = vgg(A);
  tensors.set('fc8.b', tensor('fc8.b', [4], { type: 6 }));
  const release = await openOnnx(memoryFile(onnxModel({ nodes, tensors: [...tensors.values()] })));
  const bias = release.layers.at(-1)?.bias;
  expect(bias?.dtype).toBe('I32');
  await expect(bias?.read(0, 4)).rejects.toThrow('Expected floating-point weights but received I32 (fc8.b)');
});

test.each([
  ['of 17 bits', [1, 2, 3, 0x10000], 'Expected halves of 16 bits but received 65536 (fc8.b)'],
  ['too few', [1, 2, 0x8000], 'Expected 4 halves but received 3 (fc8.b)'],
])('halves %s are refused where they are read', async (_, packedInts, came) => {
  const { nodes, tensors } = vgg(A);
  tensors.set('fc8.b', tensor('fc8.b', [4], { type: 10, data: [[5, { packedInts }]] }));
  const release = await openOnnx(memoryFile(onnxModel({ nodes, tensors: [...tensors.values()] })));
  await expect(release.layers.at(-1)?.bias?.read(0, 4)).rejects.toThrow(came);
});

describe('hostile models', () => {
  const { nodes, tensors } = vgg(A);
  const without = (name: string, ...more: Uint8Array[]) =>
    onnxModel({
      nodes,
      tensors: [...[...tensors].flatMap(([key, bytes]) => (key === name ? [] : [bytes])), ...more],
    });

  test.each<[string, Uint8Array, string]>([
    ['no graph', message([1, 8], [2, 'x']), 'an ONNX model with a graph but received none (model.onnx)'],
    ['no input', onnxModel({ nodes, tensors: [], inputs: [] }), 'one input, the photo but received nothing'],
    [
      'two inputs',
      onnxModel({ nodes, tensors: [...tensors.values()], inputs: ['data', 'mask'] }),
      'but received data, mask',
    ],
    [
      'a shape that claims more',
      without('fc8.b', tensor('fc8.b', [4096], { data: [] })),
      'Expected 4096 elements of shape [4096] but received 0 (fc8.b)',
    ],
    [
      'a shape of 2^62',
      without('fc8.b', tensor('fc8.b', [2 ** 31, 2 ** 31], { data: [] })),
      'a tensor with sides ≥ 0',
    ],
    [
      'a negative side',
      without('fc8.b', tensor('fc8.b', [-4], { data: [] })),
      'a tensor with sides ≥ 0 but received [-4] (fc8.b)',
    ],
    [
      'half a float',
      without('fc8.b', tensor('fc8.b', [4], { data: [[9, new Uint8Array(15)]] })),
      'elements of 4 bytes but received 15 (fc8.b)',
    ],
    [
      'two of a name',
      without('', tensor('fc8.b', [4])),
      'Expected one initializer of a name but received two (fc8.b)',
    ],
  ])('%s', async (_, bytes, came) => {
    expect(await refused(bytes)).toContain(came);
  });

  test('a cycle ends', async () => {
    const circle: TestNode[] = [
      { op: 'Identity', name: 'a', from: ['data'], output: 'x' },
      { op: 'Identity', name: 'b', from: ['x'], output: 'data' },
    ];
    expect(await refused(onnxModel({ nodes: circle, tensors: [] }))).toContain('a cycle (a)');
    const weights = changed('fc7', [
      { op: 'Gemm', name: 'g', inputs: ['u'], output: 'after' },
      { op: 'Identity', from: ['v'], output: 'u' },
      { op: 'Identity', from: ['u'], output: 'v' },
    ]);
    expect(await refused(onnxModel(weights))).toContain('weights u are computed by Identity (g)');
  });

  test('cut off anywhere', async () => {
    const bytes = onnxModel({ nodes, tensors: [...tensors.values()] });
    // The graph is all but the last four bytes.
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: bytes.length - 5 }), async (length) => {
        expect(await refused(bytes.subarray(0, length))).toMatch(/^Expected /);
      }),
    );
  });

  test('changed anywhere: opened or refused, never anything else', async () => {
    const bytes = readFileSync(join(packageRoot, 'test/golden/checkpoints/onnx/vgg11_bn-torchscript.onnx'));
    await fc.assert(
      fc.asyncProperty(fc.nat(6000), fc.nat(255), async (at, byte) => {
        const file = memoryFile(Uint8Array.from(bytes).fill(byte, at, at + 1));
        try {
          const release = await openOnnx(file);
          await release.close();
        } catch (error) {
          expect(error).toBeInstanceOf(VggError);
        }
        expect(file.closed).toBe(1);
      }),
    );
  });
});
