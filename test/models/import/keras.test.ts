import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openFileBytes } from '../../../models/import/formats/file-bytes.ts';
import { openHdf5, type Hdf5Checkpoint } from '../../../models/import/formats/hdf5.ts';
import { kerasRelease } from '../../../models/import/layouts/keras.ts';
import { CAFFE_PREPROCESSING, type Release, type StoredTensor } from '../../../models/import/release.ts';
import { packageRoot } from '../../../proto/package-root.ts';
import { VggError } from '../../../vgg/index.ts';

const ROWS = { A: [1, 1, 2, 2, 2], B: [2, 2, 2, 2, 2], D: [2, 2, 3, 3, 3], E: [2, 2, 4, 4, 4] };
const WIDTHS = [4, 8, 16, 32, 32];
type Row = keyof typeof ROWS;
type Shapes = Record<string, readonly number[]>;
type Attributes = Record<string, Record<string, string | string[]>>;

interface FakeFile {
  file: Hdf5Checkpoint;
  closed: () => number;
}

// A file of shapes alone: which tensor is which needs no numbers.
function fake(shapes: Shapes, attributes: Attributes = {}): FakeFile {
  let closed = 0;
  const tensors = Object.entries(shapes).map(([name, shape]): StoredTensor => ({
    name,
    dtype: 'F32',
    shape,
    read: () => Promise.reject(new Error('not read')),
  }));
  const paths = Object.keys(shapes).flatMap((name) => {
    const parts = name.split('/');
    return parts.map((_, i) => parts.slice(0, i).join('/'));
  });
  const groups = new Map(
    [...new Set(['', ...paths, ...Object.keys(attributes)])].map((path) => [
      path,
      new Map(Object.entries(attributes[path] ?? {})),
    ]),
  );
  const close = () => {
    closed++;
    return Promise.resolve();
  };
  return { file: { format: 'HDF5', tensors, groups, close }, closed: () => closed };
}

interface Weighted {
  name: string;
  kernel: number[];
}

type Namer = (block: number, position: number, index: number) => string;
const published: Namer = (block, position) => `block${String(block)}_conv${String(position)}`;

// Convolutions of a row.
function layersOf(row: Row, conv = published): Weighted[] {
  const layers: Weighted[] = [];
  let channels = 3;
  for (const [i, count] of ROWS[row].entries()) {
    for (let position = 1; position <= count; position++) {
      const width = WIDTHS[i] ?? 0;
      layers.push({ name: conv(i + 1, position, layers.length), kernel: [3, 3, channels, width] });
      channels = width;
    }
  }
  return layers;
}

const classifier = (...names: string[]): Weighted[] => [
  { name: names[0] ?? 'fc1', kernel: [1568, 16] },
  { name: names[1] ?? 'fc2', kernel: [16, 16] },
  { name: names[2] ?? 'predictions', kernel: [16, 10] },
];

function keras2(layers: readonly Weighted[], root = ''): Shapes {
  return Object.fromEntries(
    layers.flatMap(({ name, kernel }) => [
      [`${root}${name}/${name}/bias:0`, [kernel.at(-1) ?? 0]],
      [`${root}${name}/${name}/kernel:0`, kernel],
    ]),
  );
}

const numbered =
  (name: string): Namer =>
  (...[, , i]) =>
    i === 0 ? name : `${name}_${String(i)}`;

function norm(name: string, channels: number): Shapes {
  return Object.fromEntries(
    ['beta:0', 'gamma:0', 'moving_mean:0', 'moving_variance:0'].map((leaf) => [
      `${name}/${name}/${leaf}`,
      [channels],
    ]),
  );
}

function sources({ layers }: Release): string[] {
  return layers.map(({ name, weight, bias }) => `${name} ${weight.name} ${bias?.name ?? 'none'}`);
}

function refusal({ file, closed }: FakeFile): string {
  try {
    kerasRelease(file);
  } catch (error) {
    expect(error).toBeInstanceOf(VggError);
    expect(closed()).toBe(1);
    return (error as VggError).message;
  }
  throw new Error('It was taken');
}

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

describe('a model_config', () => {
  const convolutions = layersOf('A', numbered('conv2d'));
  const heads = classifier('dense', 'dense_1', 'dense_2');
  type Config = { class_name: string; config: Record<string, unknown> };

  function configs(): Config[] {
    const body = convolutions.flatMap(({ name }, i): Config[] => [
      { class_name: 'Conv2D', config: { name, padding: 'same', strides: [1, 1], activation: 'linear' } },
      { class_name: 'BatchNormalization', config: { name: `bn_${name}`, epsilon: 1e-5 } },
      { class_name: 'Activation', config: { name: `relu_${name}`, activation: 'relu' } },
      ...([0, 1, 3, 5, 7].includes(i)
        ? [
            {
              class_name: 'MaxPooling2D',
              config: { name: `down_${String(i)}`, pool_size: [2, 2], strides: [2, 2] },
            },
          ]
        : []),
    ]);
    const dense = heads.map(({ name }, i) => ({
      class_name: 'Dense',
      config: { name, activation: i < 2 ? 'relu' : 'softmax' },
    }));
    return [
      { class_name: 'InputLayer', config: { name: 'in' } },
      ...body,
      { class_name: 'Flatten', config: { name: 'flat' } },
      ...dense,
    ];
  }

  function saved(layers: Config[]): FakeFile {
    const shapes = {
      ...keras2([...convolutions, ...heads], 'model_weights/'),
      ...Object.fromEntries(
        convolutions.flatMap(({ name, kernel }) =>
          Object.entries(norm(`bn_${name}`, kernel.at(-1) ?? 0)).map(([path, shape]) => [
            `model_weights/${path}`,
            shape,
          ]),
        ),
      ),
      'optimizer_weights/iteration:0': [],
    };
    const nested = [
      { class_name: 'Sequential', config: { name: 'body', layers: layers.slice(0, 9) } },
      ...layers.slice(9),
    ];
    return fake(shapes, {
      '': { model_config: JSON.stringify({ class_name: 'Functional', config: { layers: nested } }) },
      model_weights: { backend: 'tensorflow', keras_version: '2.15.0' },
    });
  }

  function changed(name: string, config: Record<string, unknown>, kind?: string): FakeFile {
    return saved(
      configs().map((each) =>
        each.config['name'] === name
          ? { class_name: kind ?? each.class_name, config: { ...each.config, ...config } }
          : each,
      ),
    );
  }

  test('tells the order, the blocks and epsilon', () => {
    const release = kerasRelease(saved(configs()).file);
    expect(release.network).toBe('A');
    expect(release.layers.map(({ name }) => name).slice(-5)).toEqual([
      'conv5_1',
      'conv5_2',
      'fc6',
      'fc7',
      'fc8',
    ]);
    expect(release.layers[7]?.batchNorm).toMatchObject({ mean: { name: /bn_conv2d_7/ }, epsilon: 1e-5 });
    expect(release.ignored.map(({ name }) => name)).toEqual(['optimizer_weights/iteration:0']);
  });

  test.each([
    [
      'another padding',
      changed('conv2d_1', { padding: 'valid' }),
      /^Expected padding same but received valid \(conv2d_1\)/,
    ],
    [
      'a stride',
      changed('conv2d_1', { strides: [2, 2] }),
      /^Expected strides 1 but received \[2,2\] \(conv2d_1\)/,
    ],
    [
      'channels first',
      changed('conv2d', { data_format: 'channels_first' }),
      /^Expected data_format channels_last/,
    ],
    [
      'another activation',
      changed('relu_conv2d', { activation: 'tanh' }),
      /^Expected activation relu or softmax or linear/,
    ],
    ['sigmoids', changed('dense_2', { activation: 'sigmoid' }), /^Expected activation softmax or linear/],
    ['larger pools', changed('down_0', { pool_size: [3, 3] }), /^Expected pool_size 2/],
    ['rescaling', changed('flat', {}, 'Rescaling'), /alone, as a VGG has but received flat \(Rescaling\)/],
    [
      'normalisation after ReLU',
      changed('conv2d', { activation: 'relu' }),
      /^Expected batch normalisation before the ReLU/,
    ],
    [
      'another epsilon',
      changed('bn_conv2d', { epsilon: 'small' }),
      /^Expected epsilon > 0 but received small/,
    ],
  ])('with %s: an error', (_, file, message) => {
    expect(refusal(file)).toMatch(message);
  });

  test('that is none: an error', () => {
    expect(refusal(fake({ 'model_weights/a/a/kernel': [3, 3, 3, 4] }, { '': { model_config: '{' } }))).toBe(
      'Expected model_config to be JSON',
    );
    expect(
      refusal(fake({ 'model_weights/a/a/kernel': [3, 3, 3, 4] }, { '': { model_config: '[1]' } })),
    ).toMatch(/^Expected layers with a class and a name in model_config/);
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
