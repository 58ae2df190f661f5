import { describe, expect, test } from 'vitest';
import { kerasRelease } from '../../../models/import/layouts/keras.ts';
import { classifier, fake, keras2, layersOf, norm, numbered, refusal, type FakeFile } from './keras-files.ts';

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
      /^Expected padding same, as a VGG has, but received valid \(conv2d_1\)/,
    ],
    [
      'a stride',
      changed('conv2d_1', { strides: [2, 2] }),
      /^Expected strides 1, as a VGG has, but received \[2,2\] \(conv2d_1\)/,
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
