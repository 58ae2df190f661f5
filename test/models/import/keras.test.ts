import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openFileBytes } from '../../../models/import/formats/file-bytes.ts';
import { openHdf5 } from '../../../models/import/formats/hdf5.ts';
import { kerasRelease } from '../../../models/import/layouts/keras.ts';
import { CAFFE_PREPROCESSING } from '../../../models/import/release.ts';
import { packageRoot } from '../../../proto/package-root.ts';
import {
  classifier,
  fake,
  keras2,
  layersOf,
  norm,
  numbered,
  refusal,
  sources,
  type Shapes,
} from './keras-files.ts';

const NAMES_OF_D = layersOf('D').map(({ name }) => name.replace('block', 'conv').replace('_conv', '_'));

describe('golden files', () => {
  test.each([
    ['keras3-vgg19.weights.h5', 'Keras .weights.h5, HDF5', undefined, 19],
    ['published-vgg19-gzip.h5', 'Keras 2.0.0 layers, HDF5', undefined, 19],
    ['keras3-vgg16-model.h5', 'Keras 3.15.1 layers, HDF5', undefined, 16],
    ['keras2-vgg11.h5', 'Keras 2.15.0 layers, HDF5', 'A', 11],
    ['keras3-own-vgg11-bn.weights.h5', 'Keras .weights.h5, HDF5', 'A', 11],
  ])('%s', async (name, layout, network, count) => {
    const file = await openHdf5(
      await openFileBytes(join(packageRoot, 'test/golden/checkpoints/keras', name)),
    );
    const release = kerasRelease(file);
    expect(release).toMatchObject({ layout, flatten: 'HWC', preprocessing: CAFFE_PREPROCESSING });
    expect(release.network).toBe(network);
    expect(release.layers).toHaveLength(count);
    expect(release.layers.map(({ axes }) => axes)).toEqual([
      ...Array<string>(count - 3).fill('HWIO'),
      ...['IO', 'IO', 'IO'],
    ]);
    expect(release.layers.at(-3)).toMatchObject({ name: 'fc6', weight: { shape: [1568, 16] } });
    expect(
      release.ignored.map((tensor) => tensor.name).filter((path) => !path.includes('seed_generator')),
    ).toEqual([]);
    const used = release.layers.flatMap(({ weight, bias, batchNorm }) => [
      weight,
      bias,
      ...(batchNorm ? [batchNorm.scale, batchNorm.shift, batchNorm.mean, batchNorm.variance] : []),
    ]);
    expect(new Set([...used, ...release.ignored])).toEqual(new Set(file.tensors));
    await release.close();
  });
});

describe('layers by name', () => {
  test("in Keras 2's groups, whatever their order", () => {
    const layers = [...layersOf('D'), ...classifier()].reverse();
    const release = kerasRelease(fake(keras2(layers)).file);
    expect(release.layers.map(({ name }) => name)).toEqual([...NAMES_OF_D, 'fc6', 'fc7', 'fc8']);
    expect(sources(release)[2]).toBe(
      'conv2_1 block2_conv1/block2_conv1/kernel:0 block2_conv1/block2_conv1/bias:0',
    );
    expect(release.network).toBeUndefined();
  });

  test('in groups whose tensors have the scope of a second model', () => {
    const shapes = Object.fromEntries(
      Object.entries(keras2([...layersOf('A'), ...classifier()])).map(([name, shape]) => [
        name.replace(/\/(\w+)\//, '/$1_1/'),
        shape,
      ]),
    );
    const release = kerasRelease(fake(shapes).file);
    expect(sources(release)[0]).toBe(
      'conv1_1 block1_conv1/block1_conv1_1/kernel:0 block1_conv1/block1_conv1_1/bias:0',
    );
    expect(release.network).toBe('A');
  });

  test('in a nested model, a new head after it', () => {
    const base = layersOf('D').flatMap(({ name, kernel }): [string, readonly number[]][] => [
      [`vgg16/${name}/kernel:0`, kernel],
      [`vgg16/${name}/bias:0`, [kernel.at(-1) ?? 0]],
    ]);
    const shapes = { ...Object.fromEntries(base), ...keras2(classifier('dense', 'dense_1', 'dense_2')) };
    const release = kerasRelease(
      fake(shapes, { '': { layer_names: ['vgg16', 'dense', 'dense_1', 'dense_2'] } }).file,
    );
    expect(release.layers.map(({ name }) => name)).toEqual([...NAMES_OF_D, 'fc6', 'fc7', 'fc8']);
    expect(release.layers.at(-1)?.weight.name).toBe('dense_2/dense_2/kernel:0');
  });

  test('without a bias', () => {
    const shapes = keras2([...layersOf('A'), ...classifier()]);
    const rest = Object.entries(shapes).filter(([name]) => name !== 'fc2/fc2/bias:0');
    expect(kerasRelease(fake(Object.fromEntries(rest)).file).layers.at(-2)?.bias).toBeUndefined();
  });

  test('a classifier of convolutions', () => {
    const heads = [
      { name: 'fc1', kernel: [7, 7, 32, 16] },
      { name: 'fc2', kernel: [1, 1, 16, 16] },
      { name: 'predictions', kernel: [1, 1, 16, 10] },
    ];
    const release = kerasRelease(fake(keras2([...layersOf('A'), ...heads])).file);
    expect(release.layers.slice(-3).map(({ name, axes }) => `${name} ${axes}`)).toEqual([
      ...['fc6 HWIO', 'fc7 HWIO', 'fc8 HWIO'],
    ]);
  });
});

describe('layers by their order', () => {
  test('blocks from the pooling layers between them', () => {
    const layers = layersOf('B', numbered('conv2d'));
    const names = layers.flatMap(({ name }, i) =>
      i % 2 === 1 ? [name, `max_pooling2d_${String(i)}`] : [name],
    );
    const heads = classifier('dense_7', 'dense_8', 'dense_9');
    const release = kerasRelease(
      fake(keras2([...layers, ...heads]), {
        '': { layer_names: [...names, ...heads.map(({ name }) => name)] },
      }).file,
    );
    expect(sources(release)[9]).toBe('conv5_2 conv2d_9/conv2d_9/kernel:0 conv2d_9/conv2d_9/bias:0');
    expect(release.layers.at(-3)?.weight.name).toBe('dense_7/dense_7/kernel:0');
  });

  test('blocks from how many there are; 10 comes after 9', () => {
    const layers = [...layersOf('E', numbered('conv2d')), ...classifier('dense', 'dense_1', 'dense_2')];
    const release = kerasRelease(fake(keras2([...layers].sort((a, b) => (a.name < b.name ? -1 : 1)))).file);
    expect(sources(release)[10]).toBe('conv4_3 conv2d_10/conv2d_10/kernel:0 conv2d_10/conv2d_10/bias:0');
  });

  test('pooling layers that make other blocks: an error', () => {
    const layers = layersOf('B', numbered('conv2d'));
    const names = ['max_pooling2d', ...layers.map(({ name }) => name), 'dense', 'dense_1', 'dense_2'];
    const file = fake(keras2([...layers, ...classifier('dense', 'dense_1', 'dense_2')]), {
      '': { layer_names: names },
    });
    expect(refusal(file)).toMatch(
      /^Expected five blocks of convolutions, block1_conv1 among them but received conv2d,/,
    );
  });
});

describe('batch normalisation', () => {
  const convolutions = layersOf('A');
  const heads = classifier();
  const norms = (name: (i: number) => string) =>
    Object.assign({}, ...convolutions.map(({ kernel }, i) => norm(name(i), kernel.at(-1) ?? 0))) as Shapes;

  test.each([
    ['by its block and position', (i: number) => convolutions[i]?.name.replace('conv', 'bn') ?? ''],
    ["by its convolution's name", (i: number) => `${convolutions[i]?.name ?? ''}_bn`],
    ['by its number', (i: number) => `batch_normalization_${String(i + 4)}`],
  ])('%s', (_, name) => {
    const file = fake({ ...norms(name), ...keras2([...convolutions, ...heads]) }).file;
    for (const [i, { batchNorm }] of kerasRelease(file).layers.slice(0, 8).entries()) {
      expect(batchNorm).toMatchObject({
        scale: { name: `${name(i)}/${name(i)}/gamma:0` },
        shift: { name: `${name(i)}/${name(i)}/beta:0` },
        mean: { name: `${name(i)}/${name(i)}/moving_mean:0` },
        variance: { name: `${name(i)}/${name(i)}/moving_variance:0` },
        epsilon: 1e-3,
      });
    }
  });

  test('by its place, some convolutions having none', () => {
    const names = ['block1_conv1', 'second', 'block2_conv1', 'first'];
    const shapes = { ...keras2([...convolutions, ...heads]), ...norm('first', 8), ...norm('second', 4) };
    const rest = [...convolutions.slice(2), ...heads].map(({ name }) => name);
    const { layers } = kerasRelease(fake(shapes, { '': { layer_names: [...names, ...rest] } }).file);
    expect(layers.map(({ batchNorm }) => batchNorm?.mean.name.split('/')[0])).toEqual([
      ...['second', 'first'],
      ...Array<undefined>(9).fill(undefined),
    ]);
  });

  test('without scale and shift', () => {
    const own = Object.entries(norms((i) => `bn_${String(i)}`)).filter(([name]) => !/gamma|beta/.test(name));
    const file = fake({ ...keras2([...convolutions, ...heads]), ...Object.fromEntries(own) }).file;
    const [first] = kerasRelease(file).layers;
    expect(first?.batchNorm && Object.keys(first.batchNorm)).toEqual(['mean', 'variance', 'epsilon']);
  });

  test('that is nobody’s: an error', () => {
    const file = fake({ ...keras2([...convolutions, ...heads]), ...norm('bn_1', 4), ...norm('bn_2', 8) });
    expect(refusal(file)).toMatch(
      /^Expected one batch normalisation right after each convolution but received bn_1/,
    );
  });

  test('without a mean: an error', () => {
    const own = Object.entries(norms((i) => `bn_${String(i)}`)).filter(
      ([name]) => name !== 'bn_3/bn_3/moving_mean:0',
    );
    const file = fake({ ...keras2([...convolutions, ...heads]), ...Object.fromEntries(own) });
    expect(refusal(file)).toMatch(/^Expected a moving mean and variance .*\(bn_3\/bn_3\/beta:0\)$/);
  });

  test('three numbered tensors: which one is missing cannot be told', () => {
    const file = fake(
      Object.fromEntries([0, 1, 2].map((i) => [`layers/batch_normalization/vars/${String(i)}`, [4]])),
    );
    expect(refusal(file)).toMatch(
      /^Expected gamma, beta, mean and variance, or mean and variance alone but received 3/,
    );
  });
});

describe('what is no VGG', () => {
  const convolutions = layersOf('D');

  test('no classifier: says which file has one', () => {
    expect(refusal(fake(keras2(convolutions)))).toMatch(
      /fc1, fc2 and predictions but received a file without them \(notop\)/,
    );
  });

  test('another classifier', () => {
    expect(refusal(fake(keras2([...convolutions, ...classifier().slice(1)])))).toMatch(
      /three fully connected layers, fc1, fc2 and predictions but received 2 \(fc2, predictions\)/,
    );
  });

  test('a missing convolution', () => {
    const gap = convolutions.filter(({ name }) => name !== 'block3_conv2');
    expect(refusal(fake(keras2([...gap, ...classifier()])))).toMatch(
      /block3_conv2 among them but received block1_conv1,/,
    );
  });

  test('a missing block', () => {
    const four = convolutions.filter(({ name }) => !name.startsWith('block5'));
    expect(refusal(fake(keras2([...four, ...classifier()])))).toMatch(
      /block4_conv4 among them|block5_conv1 among them/,
    );
  });

  test('an extra convolution', () => {
    const more = [...convolutions, { name: 'conv2d', kernel: [1, 1, 32, 32] }, ...classifier()];
    expect(refusal(fake(keras2(more)))).toMatch(/block1_conv1 … block5_conv4 alone but received conv2d/);
  });

  test('ResNet50', () => {
    const layers = Array.from({ length: 53 }, (_, i) => ({ name: `res${String(i)}`, kernel: [3, 3, 8, 8] }));
    expect(refusal(fake(keras2([...layers, { name: 'fc1000', kernel: [2048, 1000] }])))).toMatch(
      /^Expected the convolutions of a VGG, .* but received 53 \(res0, res1, .*…\)/,
    );
  });

  test('Xception', () => {
    expect(
      refusal(
        fake({
          'block2_sepconv1/block2_sepconv1/depthwise_kernel:0': [3, 3, 64, 1],
          ...keras2(convolutions),
        }),
      ),
    ).toMatch(/alone but received block2_sepconv1\/block2_sepconv1\/depthwise_kernel:0 \[3, 3, 64, 1\]/);
  });

  test("Theano's axes, and its flipped kernels", () => {
    const turned = convolutions.map(({ name, kernel: [h = 0, w = 0, i = 0, o = 0] }) => ({
      name,
      kernel: [o, i, h, w],
    }));
    expect(refusal(fake(keras2([...turned, ...classifier()])))).toMatch(
      /^Expected kernels \[height, width, in, out\] but received \[4, 3, 3, 3\].*\(block1_conv1/,
    );
    expect(refusal(fake(keras2([...convolutions, ...classifier()]), { '': { backend: 'theano' } }))).toMatch(
      /^Expected kernels as TensorFlow's backend has them but received Theano's/,
    );
  });

  test('pooling over the whole map, in a file of weights alone', () => {
    const shapes = Object.fromEntries(
      [...layersOf('A', numbered('conv2d')), ...classifier('dense', 'dense_1', 'dense_2')].flatMap(
        ({ name, kernel }) => [
          [`layers/${name}/vars/0`, kernel],
          [`layers/${name}/vars/1`, [kernel.at(-1) ?? 0]],
        ],
      ),
    );
    expect(kerasRelease(fake(shapes).file).network).toBe('A');
    const pooled = fake(shapes, { 'layers/global_average_pooling2d/vars': { name: 'gap' } });
    expect(refusal(pooled)).toMatch(/alone, as a VGG has but received gap/);
  });

  test('an empty file', () => {
    expect(refusal(fake({}))).toMatch(/but received 0 \(\)/);
  });
});
