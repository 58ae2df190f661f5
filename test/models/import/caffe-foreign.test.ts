// Caffe files that are no VGG network, or no whole file: one clear error each, that names the layer.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openCaffemodel } from '../../../models/import/layouts/caffe.ts';
import { packageRoot } from '../../../proto/package-root.ts';
import { VggError } from '../../../vgg/index.ts';
import {
  blob,
  caffeNet,
  connected,
  convolution,
  pool,
  relu,
  vggLayers,
  type TestLayer,
} from './caffe-files.ts';
import { memoryFile, message } from './protobuf-bytes.ts';

const A = [1, 1, 2, 2, 2];

async function refused(bytes: Uint8Array): Promise<string> {
  const file = memoryFile(bytes, 'net.caffemodel');
  const error = await openCaffemodel(file).then(
    () => expect.unreachable('it was opened'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(VggError);
  expect((error as VggError).code).toBe('INVALID_ARGUMENT');
  expect(file.closed).toBe(1);
  return (error as VggError).message;
}

// Network A with one layer replaced; undefined leaves it out.
function changed(name: string, ...by: TestLayer[]): TestLayer[] {
  const layers = vggLayers(A);
  const at = layers.findIndex((layer) => layer.name === name);
  layers.splice(at, 1, ...by);
  return layers;
}

const lrn = (alpha: number, k: number): TestLayer => ({
  name: 'norm1',
  type: 'LRN',
  parameter: [
    [1, 5],
    [2, { float: alpha }],
    [3, { float: 0.75 }],
    [5, { float: k }],
  ],
});

describe('other networks', () => {
  test.each<[string, TestLayer[], string]>([
    [
      'AlexNet',
      [convolution('conv1', 3, 96, 11, [[6, 4]]), relu('relu1')],
      'here conv1_1 of kernel 3, 1 or 5, but received kernel 11 (conv1)',
    ],
    [
      'ResNet',
      [convolution('conv1', 3, 4, 7, [[6, 2]]), relu('conv1_relu')],
      'here conv1_1 of kernel 3, 1 or 5, but received kernel 7 (conv1)',
    ],
    [
      'residual branches',
      [
        convolution('conv', 3, 2),
        relu('relu'),
        { ...convolution('branch2a', 2, 2), bottom: ['relu'] },
        relu('relu2a'),
        { ...convolution('branch1', 2, 2), bottom: ['relu'] },
        { name: 'res', type: 'Eltwise', bottom: ['branch1', 'relu2a'] },
      ],
      'received Convolution of relu, a branch (branch1)',
    ],
    [
      'an inception module',
      [
        convolution('conv', 3, 2),
        relu('relu'),
        { name: 'inception_3a/output', type: 'Concat', bottom: ['relu', 'other'] },
      ],
      'received Concat of relu and other, a branch (inception_3a/output)',
    ],
    ['a group', [convolution('conv1', 3, 2, 3, [[5, 2]])], 'group 2'],
    ['a stride', [convolution('conv1', 3, 2, 3, [[6, 2]])], 'stride 2'],
    ['a dilation', [convolution('conv1', 3, 2, 3, [[18, 2]])], 'dilation 2 (conv1)'],
    ['sigmoids', [convolution('conv1', 3, 2), { name: 's', type: 'Sigmoid' }], 'a layer of type Sigmoid (s)'],
  ])('%s', async (_, layers, came) => {
    const error = await refused(caffeNet([...layers, pool('last')]));
    expect(error).toMatch(/^Expected a VGG network, here /);
    expect(error).toContain(came);
  });

  test('FCN pads its first convolution by 100', async () => {
    const first = convolution('conv1_1', 3, 2);
    const padded: TestLayer = {
      ...first,
      parameter: [
        [1, 2],
        [3, 100],
        [4, 3],
      ],
    };
    expect(await refused(caffeNet(changed('conv1_1', padded)))).toBe(
      'Expected a VGG network, here conv1_1 of kernel 3, stride 1, pad 1, group 1, dilation 1, but received kernel 3, stride 1, pad 100, group 1 (conv1_1)',
    );
  });
});

describe('nearly VGG', () => {
  test.each<[string, TestLayer[], string]>([
    ['no fc8', changed('fc8'), 'here fc8, but received Softmax (prob)'],
    ['no fc7 and fc8', vggLayers(A).slice(0, -4), 'here fc7, but received no further layer (net.caffemodel)'],
    ['no pool', changed('pool3'), 'but received'],
    ['no ReLU', changed('relu4_1'), 'here ReLU after conv4_1, but received none (conv4_2)'],
    ['two ReLUs', changed('relu4_1', relu('a'), relu('b')), 'ReLU that follows no convolution (b)'],
    [
      'a pool too many',
      changed('pool5', pool('pool5'), pool('pool6')),
      'here fc6, but received a pool (pool6)',
    ],
    ['a fully connected layer too many', changed('prob', connected('fc9', 4, 4)), 'an extra layer (fc9)'],
    [
      'a fully connected layer in a block',
      changed('conv4_2', connected('fc', 2, 2)),
      'here conv4_2, a convolution',
    ],
    ['average pools', changed('pool2', pool('pool2', [[1, 1]])), 'pooling that is not MAX (pool2)'],
    [
      'overlapping pools',
      changed('pool2', {
        ...pool('pool2'),
        parameter: [
          [2, 3],
          [3, 2],
        ],
      }),
      'kernel 3, stride 2',
    ],
    ['global pools', changed('pool5', pool('pool5', [[12, 1]])), 'global pooling (pool5)'],
    [
      'a leaky ReLU',
      changed('relu2_1', { ...relu('r'), parameter: [[1, { float: 0.1 }]] }),
      'a negative slope (r)',
    ],
    [
      'LRN of other constants',
      changed('relu1_1', relu('r'), lrn(1e-4, 1)),
      'here LRN of k 2, n 5, alpha 0.0001, beta 0.75 (alpha not divided by size), but received LRN of k 1, n 5, alpha 0.00002, beta 0.75 (norm1)',
    ],
    ['LRN elsewhere', changed('relu2_1', relu('r'), lrn(5e-4, 2)), 'LRN once, after conv1_1 and its ReLU'],
    ['LRN before ReLU', changed('relu1_1', lrn(5e-4, 2), relu('r')), 'LRN once, after conv1_1 and its ReLU'],
    [
      'a scale alone',
      changed('relu1_1', { name: 's', type: 'Scale', blobs: [blob([2])] }),
      'a scale that follows no batch',
    ],
    [
      'statistics without a factor',
      changed('relu1_1', { name: 'b', type: 'BatchNorm', blobs: [blob([2]), blob([2])] }),
      'Expected BatchNorm with mean, variance and one factor but received 2 blobs (b)',
    ],
    [
      'no weights',
      changed('fc7', { name: 'fc7', type: 'InnerProduct' }),
      'InnerProduct with one or two blobs but received 0 (fc7)',
    ],
    [
      'weights of three axes',
      changed('fc7', { ...connected('fc7', 3, 3), blobs: [blob([2, 3, 3])] }),
      'a blob of 2 axes but received [2,3,3] (fc7.blobs[0])',
    ],
  ])('%s', async (_, layers, came) => {
    expect(await refused(caffeNet(layers))).toContain(came);
  });

  test('LRN in a deeper network', async () => {
    const layers = vggLayers([1, 2, 2, 2, 2]);
    layers.splice(2, 0, lrn(5e-4, 2));
    expect(await refused(caffeNet(layers))).toContain('LRN in network A-LRN alone');
  });

  test('names that tell no block, where no pool does', async () => {
    const weights = vggLayers(A).filter(({ type }) => type !== 'Pooling');
    expect(await refused(caffeNet(weights.map((layer) => ({ ...layer, name: `x${layer.name}` }))))).toContain(
      'here conv1_1, but received xconv1_1, and no pooling layers that tell the blocks',
    );
    expect(await refused(caffeNet(weights.filter(({ name }) => name !== 'conv3_1')))).toContain(
      'here conv3_1, but received conv3_2',
    );
  });
});

describe('hostile files', () => {
  const layer = (...blobs: Uint8Array[]) =>
    message([1, 'test'], [100, message([1, 'conv'], [2, 'Convolution'], [7, blobs])]);
  const shaped = (shape: number[]) =>
    message([7, message([1, { packedInts: shape }])], [5, { packed: [1, 2] }]);

  test.each<[string, Uint8Array, string]>([
    ['no layers', message([1, 'test']), 'Expected a Caffe network with layers but received none'],
    [
      'V0 layers',
      message([2, message([1, message([1, 'conv1'], [2, 'conv'])])]),
      'but received V0 layers of 2013',
    ],
    ['both forms', message([2, message([4, 'a'])], [100, message([1, 'b'])]), 'layers of one form'],
    ['a shape that claims more', layer(shaped([4096, 4096, 7, 7])), 'Expected 822083584 elements of shape'],
    ['a shape of 2^60', layer(shaped([2 ** 30, 2 ** 30])), 'a blob with sides ≥ 1'],
    [
      'a negative side',
      layer(shaped([-2, -1])),
      'a blob with sides ≥ 1 but received [-2,-1] (conv.blobs[0])',
    ],
    ['no shape', layer(message([5, { packed: [1] }])), 'a blob with sides ≥ 1 but received [0,0,0,0]'],
    ['half a float', layer(message([7, message([1, 1])], [5, new Uint8Array(6)])), 'wire type 2 of field 5'],
    ['an unknown type', message([2, message([4, 'x'], [5, 77])]), 'a layer of type V1 type 77 (x)'],
  ])('%s', async (_, bytes, came) => {
    expect(await refused(bytes)).toContain(came);
  });

  test('a name of 60000 letters does not fill the screen', async () => {
    const error = await refused(caffeNet([{ name: 'x'.repeat(60_000), type: 'Sigmoid' }]));
    expect(error.length).toBeLessThan(600);
  });

  test('cut off anywhere', async () => {
    // Without prob: a network that ends at fc8 is whole.
    const bytes = caffeNet(vggLayers(A).slice(0, -1));
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: bytes.length - 1 }), async (length) => {
        expect(await refused(bytes.subarray(0, length))).toMatch(/^Expected /);
      }),
    );
  });

  test('changed anywhere: opened or refused, never anything else', async () => {
    const bytes = readFileSync(join(packageRoot, 'test/golden/checkpoints/caffe/vgg11-bn.caffemodel'));
    await fc.assert(
      fc.asyncProperty(fc.nat(4000), fc.nat(255), async (at, byte) => {
        const file = memoryFile(Uint8Array.from(bytes).fill(byte, at, at + 1));
        try {
          const release = await openCaffemodel(file);
          await release.close();
        } catch (error) {
          expect(error).toBeInstanceOf(VggError);
        }
        expect(file.closed).toBe(1);
      }),
    );
  });
});
