// Networks by torchvision's and timm's names: every published numbering, every wrapper, and what is no VGG network.

import { describe, expect, test } from 'vitest';
import { torchRelease } from '../../../models/import/layouts/torch.ts';
import type { Checkpoint, StoredTensor } from '../../../models/import/release.ts';
import { TORCH_PREPROCESSING } from '../../../models/import/release.ts';

type Shapes = Record<string, number[]>;

function checkpoint(shapes: Shapes): Checkpoint {
  const tensors = Object.entries(shapes).map(([name, shape]): StoredTensor => {
    return { name, shape, dtype: 'F32', read: () => expect.unreachable('layouts read no numbers') };
  });
  return { format: 'test', tensors, close: () => Promise.resolve() };
}

const linear = (name: string, outputs: number, inputs: number): Shapes => ({
  [`${name}.weight`]: [outputs, inputs],
  [`${name}.bias`]: [outputs],
});

const conv = (number: number, outputs = 8, inputs = 8): Shapes => ({
  [`features.${String(number)}.weight`]: [outputs, inputs, 3, 3],
  [`features.${String(number)}.bias`]: [outputs],
});

const norm = (number: number, channels = 8): Shapes => ({
  ...Object.fromEntries(
    ['weight', 'bias', 'running_mean', 'running_var'].map((key) => [
      `features.${String(number)}.${key}`,
      [channels],
    ]),
  ),
  [`features.${String(number)}.num_batches_tracked`]: [],
});

const TORCHVISION_HEAD = {
  ...linear('classifier.0', 16, 392),
  ...linear('classifier.3', 16, 16),
  ...linear('classifier.6', 10, 16),
};
const TIMM_HEAD = {
  'pre_logits.fc1.weight': [16, 8, 7, 7],
  'pre_logits.fc1.bias': [16],
  'pre_logits.fc2.weight': [16, 16, 1, 1],
  'pre_logits.fc2.bias': [16],
  ...linear('head.fc', 10, 16),
};

const body = (numbers: readonly number[], batchNorm = false): Shapes =>
  Object.assign(
    {},
    ...numbers.map((number) => ({ ...conv(number), ...(batchNorm && norm(number + 1)) })),
  ) as Shapes;

// The numbers of the published files' convolutions, block by block.
const PUBLISHED = {
  vgg11: [[0], [3], [6, 8], [11, 13], [16, 18]],
  vgg13: [
    [0, 2],
    [5, 7],
    [10, 12],
    [15, 17],
    [20, 22],
  ],
  vgg16: [
    [0, 2],
    [5, 7],
    [10, 12, 14],
    [17, 19, 21],
    [24, 26, 28],
  ],
  vgg19: [
    [0, 2],
    [5, 7],
    [10, 12, 14, 16],
    [19, 21, 23, 25],
    [28, 30, 32, 34],
  ],
  vgg11_bn: [[0], [4], [8, 11], [15, 18], [22, 25]],
  vgg13_bn: [
    [0, 3],
    [7, 10],
    [14, 17],
    [21, 24],
    [28, 31],
  ],
  vgg16_bn: [
    [0, 3],
    [7, 10],
    [14, 17, 20],
    [24, 27, 30],
    [34, 37, 40],
  ],
  vgg19_bn: [
    [0, 3],
    [7, 10],
    [14, 17, 20, 23],
    [27, 30, 33, 36],
    [40, 43, 46, 49],
  ],
};
const VGG11 = { ...body(PUBLISHED.vgg11.flat()), ...TORCHVISION_HEAD };
const VGG11_BN = { ...body(PUBLISHED.vgg11_bn.flat(), true), ...TORCHVISION_HEAD };
const VGG16 = { ...body(PUBLISHED.vgg16.flat()), ...TORCHVISION_HEAD };

const LIBRARIES = [
  ['torchvision', TORCHVISION_HEAD, ['classifier.0', 'classifier.3', 'classifier.6'], ['OI', 'OI', 'OI']],
  ['timm', TIMM_HEAD, ['pre_logits.fc1', 'pre_logits.fc2', 'head.fc'], ['OIHW', 'OIHW', 'OI']],
] as const;

describe.each(LIBRARIES)("%s's names", (library, head, heads, axes) => {
  test.each(Object.entries(PUBLISHED))('%s', (name, blocks) => {
    const batchNorm = name.endsWith('_bn');
    // Safetensors has its names in the order of their letters.
    const shapes = Object.fromEntries(
      Object.entries({ ...body(blocks.flat(), batchNorm), ...head }).sort(([a], [b]) => (a < b ? -1 : 1)),
    );
    const release = torchRelease(checkpoint(shapes));
    const convs = blocks.flatMap((numbers, block) =>
      numbers.map((number, position) => ({
        name: `conv${String(block + 1)}_${String(position + 1)}`,
        axes: 'OIHW',
        weight: { name: `features.${String(number)}.weight` },
        bias: { name: `features.${String(number)}.bias` },
        ...(batchNorm && {
          batchNorm: {
            scale: { name: `features.${String(number + 1)}.weight` },
            shift: { name: `features.${String(number + 1)}.bias` },
            mean: { name: `features.${String(number + 1)}.running_mean` },
            variance: { name: `features.${String(number + 1)}.running_var` },
            epsilon: 1e-5,
          },
        }),
      })),
    );
    const fcs = heads.map((path, i) => ({
      name: `fc${String(6 + i)}`,
      axes: axes[i],
      weight: { name: `${path}.weight` },
      bias: { name: `${path}.bias` },
    }));
    expect(release.layers).toMatchObject([...convs, ...fcs]);
    expect(release.layers.some((layer) => layer.batchNorm)).toBe(batchNorm);
    expect(release.ignored).toHaveLength(batchNorm ? blocks.flat().length : 0);
    expect(release.network).toBe(name.startsWith('vgg11') ? 'A' : undefined);
    expect(release).toMatchObject({
      layout: `${library} names, test`,
      flatten: 'CHW',
      preprocessing: TORCH_PREPROCESSING,
    });
  });
});

describe('variants', () => {
  test.each([
    ['with LRN', [0, 4, 7, 9, 12, 14, 17, 19], false],
    ['with LRN and batch normalisation', [0, 5, 9, 12, 16, 19, 23, 26], true],
  ])('network A %s', (_, numbers, batchNorm) => {
    const release = torchRelease(checkpoint({ ...body(numbers, batchNorm), ...TORCHVISION_HEAD }));
    expect(release.network).toBe('A-LRN');
    expect(release.layers.map(({ name }) => name).join(' ')).toBe(
      'conv1_1 conv2_1 conv3_1 conv3_2 conv4_1 conv4_2 conv5_1 conv5_2 fc6 fc7 fc8',
    );
  });

  test.each([
    ['without dropout', [0, 2, 4]],
    ['with dropout first', [1, 4, 6]],
    ['with numbers of two digits', [8, 9, 10]],
  ])('a classifier %s', (_, numbers) => {
    const [fc6 = 0, fc7 = 0, fc8 = 0] = numbers;
    const release = torchRelease(
      checkpoint({
        ...body(PUBLISHED.vgg16.flat()),
        ...linear(`classifier.${String(fc8)}`, 10, 16),
        ...linear(`classifier.${String(fc7)}`, 16, 16),
        ...linear(`classifier.${String(fc6)}`, 16, 392),
      }),
    );
    expect(release.layers.slice(-3).map(({ weight }) => weight.name)).toEqual(
      numbers.map((number) => `classifier.${String(number)}.weight`),
    );
  });

  test('convolutions without biases before batch normalisation without scale and shift', () => {
    const bare = Object.entries(VGG11_BN).filter(
      ([name, shape]) => !/^features.*(bias|\.weight)$/.test(name) || shape.length === 4,
    );
    const { layers } = torchRelease(checkpoint(Object.fromEntries(bare)));
    expect(layers.slice(0, 8).every(({ bias, batchNorm }) => !bias && batchNorm && !batchNorm.scale)).toBe(
      true,
    );
    expect(layers[8]?.bias?.name).toBe('classifier.0.bias');
  });
});

const renamed = (shapes: Shapes, rename: (name: string) => string): Shapes =>
  Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [rename(name), shape]));

describe('a state_dict is found', () => {
  const beside = { 'optimizer/state/0/momentum_buffer': [8, 8, 3, 3], best_acc1: [] };
  test.each<[string, (name: string) => string, Shapes]>([
    ...['module.', 'model.', '_orig_mod.', 'backbone.', 'module.model.', 'net._orig_mod.module.'].map(
      (prefix): [string, (name: string) => string, Shapes] => [
        `under ${prefix}`,
        (name) => prefix + name,
        {},
      ],
    ),
    ...['state_dict', 'model', 'model_state_dict', 'net', 'weights', 'a/b'].map(
      (path): [string, (name: string) => string, Shapes] => [
        `in ${path}`,
        (name) => `${path}/${name}`,
        beside,
      ],
    ),
    ['in a mapping, under a prefix', (name) => `state_dict/module.${name}`, beside],
    ['with its features wrapped alone', (name) => name.replace('features.', 'features.module.'), {}],
    [
      'beside its moving average',
      (name) => `state_dict/${name}`,
      renamed(VGG11_BN, (name) => `state_dict_ema/${name}`),
    ],
    ['beside another network', (name) => `model/${name}`, { 'generator/conv1.weight': [8, 3, 3, 3] }],
  ])('%s', (_, rename, others) => {
    const own = renamed(VGG11_BN, rename);
    const release = torchRelease(checkpoint({ ...others, ...own }));
    expect(release.layers.map(({ weight }) => weight.name)).toEqual(
      Object.keys(own).filter((name) => name.endsWith('weight') && own[name]?.length !== 1),
    );
    const counters = Object.keys(own).filter((name) => name.endsWith('num_batches_tracked'));
    expect(release.ignored.map(({ name }) => name).sort()).toEqual(
      [...counters, ...Object.keys(others)].sort(),
    );
  });

  test.each<[string, Shapes, string]>([
    [
      'of two copies neither is preferred',
      { ...renamed(VGG11, (name) => `teacher/${name}`), ...renamed(VGG11, (name) => `student/${name}`) },
      'one VGG network but there are teacher/features.0.weight and student/features.0.weight',
    ],
    [
      'of two networks in one neither is preferred',
      { ...renamed(VGG11, (name) => `a.${name}`), ...renamed(VGG11, (name) => `b.${name}`) },
      'one VGG network but there are a.features.0.weight and b.features.0.weight',
    ],
    [
      'a name with and without a wrapper',
      { ...VGG11, 'module.features.0.weight': [8, 8, 3, 3] },
      'one tensor features.0.weight but there are two, one is module.features.0.weight',
    ],
    [
      'a layer beside the prefix',
      { ...renamed(VGG11, (name) => `backbone.${name}`), 'neck.weight': [8] },
      'there is also neck.weight',
    ],
  ])('%s', (_, shapes, message) => {
    expect(() => torchRelease(checkpoint(shapes))).toThrow(message);
  });
});

const without = (shapes: Shapes, name: string): Shapes =>
  Object.fromEntries(
    Object.entries(shapes).filter(([each]) => each !== name && !each.startsWith(`${name}.`)),
  );

describe('what is no VGG network is refused', () => {
  test.each<[string, Shapes, string]>([
    [
      'AlexNet',
      {
        ...body([0, 3, 6, 8, 10]),
        ...linear('classifier.1', 16, 288),
        ...linear('classifier.4', 16, 16),
        ...linear('classifier.6', 10, 16),
      },
      'five blocks of convolutions, each ending in a pooling but features has 3, of 1, 1, 3 convolutions',
    ],
    [
      'ResNet',
      {
        'conv1.weight': [64, 3, 7, 7],
        'bn1.weight': [64],
        'layer1.0.conv1.weight': [64, 64, 3, 3],
        'fc.weight': [10, 64],
      },
      'Expected features.0.weight, that of conv1_1 but its 4 tensors are conv1.weight, bn1.weight, layer1.0.conv1.weight, …',
    ],
    [
      'SqueezeNet',
      {
        ...conv(0),
        'features.3.squeeze.weight': [16, 8, 1, 1],
        'features.3.squeeze.bias': [16],
        'classifier.1.weight': [10, 16, 1, 1],
        'classifier.1.bias': [10],
      },
      'features has 1, of 1 convolutions: not a VGG network, or layers are missing',
    ],
    [
      'MobileNet',
      { 'features.0.0.weight': [16, 3, 3, 3], 'features.0.1.weight': [16] },
      'features.0.weight, that of conv1_1',
    ],
    [
      'nothing but features',
      body(PUBLISHED.vgg16.flat()),
      'three fully connected layers, classifier.0, .3 and .6 or pre_logits.fc1, .fc2 and head.fc but there is none',
    ],
    [
      "CIFAR's VGG",
      { ...body(PUBLISHED.vgg16.flat()), ...linear('classifier', 10, 8) },
      'three fully connected layers',
    ],
    [
      'two fully connected layers',
      without(VGG16, 'classifier.3'),
      'but there are classifier.0, classifier.6',
    ],
    [
      'four fully connected layers',
      { ...VGG16, ...linear('classifier.9', 10, 10) },
      'classifier.0, classifier.3, classifier.6, classifier.9',
    ],
    ['no first convolution', without(VGG16, 'features.0'), 'features.0.weight, that of conv1_1'],
    [
      'no second convolution',
      without(VGG16, 'features.2'),
      'the convolution after features.0 at features.2 or, after a pooling, features.3 but the next one is features.5',
    ],
    [
      'no convolution in the middle',
      without(VGG16, 'features.12'),
      'the convolution after features.10 at features.12 or, after a pooling, features.13 but the next one is features.14',
    ],
    [
      'no last block',
      [24, 26, 28].reduce((shapes, number) => without(shapes, `features.${String(number)}`), VGG16),
      'features has 4, of 2, 2, 3, 3 convolutions',
    ],
    ['a sixth block', { ...VGG16, ...conv(31) }, 'features has 6, of 2, 2, 3, 3, 3, 1 convolutions'],
    [
      'a bias that is missing',
      without(VGG16, 'features.12.bias'),
      'the bias of conv3_2 beside features.12.weight',
    ],
    ['a weight that is missing', without(VGG16, 'features.12.weight'), 'features.12.weight, that of conv3_2'],
    [
      'a bias of fc7 that is missing',
      without(VGG16, 'classifier.3.bias'),
      'the bias of fc7 beside classifier.3.weight',
    ],
    [
      "a weight of timm's that is missing",
      { ...body(PUBLISHED.vgg16.flat()), ...without(TIMM_HEAD, 'pre_logits.fc2') },
      'pre_logits.fc2.weight, that of fc7 but it is not there',
    ],
    [
      'batch normalisation that is missing',
      without(VGG11_BN, 'features.9'),
      'features.9.running_mean, the statistics of batch normalisation after conv3_1 but it is not there',
    ],
    [
      'a variance that is missing',
      without(VGG11_BN, 'features.9.running_var'),
      'features.9.running_var, the statistics of batch normalisation after conv3_1',
    ],
    [
      'a scale that is missing',
      without(VGG11_BN, 'features.9.weight'),
      'features.9.weight but it is not there',
    ],
    [
      'batch normalisation after one convolution alone',
      { ...VGG11, ...norm(1) },
      'features.4.running_mean, the statistics of batch normalisation after conv1_2',
    ],
    [
      'an extra layer',
      { ...VGG16, 'attention.weight': [8, 8] },
      'only layers of a VGG network but there is also attention.weight',
    ],
    [
      'an extra tensor of a layer',
      { ...VGG16, 'features.0.weight_mask': [8, 8, 3, 3] },
      'there is also features.0.weight_mask',
    ],
    [
      'a counter of nothing',
      { ...VGG16, 'features.0.num_batches_tracked': [] },
      'there is also features.0.num_batches_tracked',
    ],
    ['a head of both libraries', { ...VGG16, ...TIMM_HEAD }, 'there is also classifier.0.weight'],
    [
      'a convolution that is a matrix',
      { ...VGG16, 'features.5.weight': [8, 72] },
      'features.5.weight, that of conv2_1, to have 4 axes but its shape is [8, 72]',
    ],
    [
      'a fully connected layer of one axis',
      { ...VGG16, 'classifier.6.weight': [160] },
      'classifier.6.weight, that of fc8, to have 2 or 4 axes but its shape is [160]',
    ],
    [
      'layers in each other’s place',
      { ...VGG16, 'features.5.weight': [16, 16], 'classifier.3.weight': [8, 8, 3, 3] },
      'features.5.weight, that of conv2_1, to have 4 axes',
    ],
    ['nothing at all', {}, 'its 0 tensors are'],
  ])('%s', (_, shapes, message) => {
    expect(() => torchRelease(checkpoint(shapes))).toThrow(message);
  });
});
