// Networks against the paper's Tables 1 and 2 and published parameter counts.

import { describe, expect, test } from 'vitest';
import {
  NETWORK_NAMES,
  describeNetwork,
  macs,
  networkLayers,
  parameterCount,
  type NetworkName,
  type NetworkSpec,
} from '../../vgg/index.ts';

const paper = (network: NetworkName, batchNorm = false): NetworkSpec => ({
  network,
  width: 1,
  hidden: 4096,
  classes: 1000,
  inputSize: 224,
  batchNorm,
});

// Weight layers, parameters, GMAC at 224, receptive field of fc6.
const TABLE: [NetworkName, number, number, number, number][] = [
  ['A', 11, 132_863_336, 7.609, 342],
  ['A-LRN', 11, 132_863_336, 7.609, 342],
  ['B', 13, 133_047_848, 11.308, 348],
  ['C', 16, 133_638_952, 11.771, 348],
  ['D', 16, 138_357_544, 15.47, 404],
  ['E', 19, 143_667_240, 19.632, 460],
  ['B-5x5', 8, 134_503_528, 9.356, 348], // the last two by hand
];

describe.each(TABLE)('network %s', (network, weightLayers, parameters, gigaMacs, receptiveField) => {
  const description = describeNetwork(paper(network));

  test('weight layers and receptive field', () => {
    expect(description.weightLayers).toBe(weightLayers);
    expect(description.layers.find(({ name }) => name === 'fc6')?.receptiveField).toBe(receptiveField);
  });

  test('parameters and products', () => {
    expect(description.parameters).toBe(parameters);
    expect(parameterCount(paper(network))).toBe(parameters);
    expect(description.macs / 1e9).toBeCloseTo(gigaMacs, 3);
    expect(macs(paper(network), 224, 224)).toBe(description.macs);
  });

  test('one crop gives one score, a larger image a map of them', () => {
    expect(description.layers.at(-1)).toMatchObject({
      name: 'fc8',
      height: 1,
      width: 1,
      channels: 1000,
      stride: 32,
    });
    const dense = describeNetwork(paper(network), { height: 384, width: 512 });
    expect(dense.layers.at(-1)).toMatchObject({ height: 6, width: 10 });
    expect(dense.parameters).toBe(description.parameters);
  });
});

test.each([
  ['A', 132_868_840],
  ['B', 133_053_736],
  ['D', 138_365_992],
  ['E', 143_678_248],
] as const)('%s with batch normalisation has the published number of parameters', (network, parameters) => {
  expect(parameterCount(paper(network, true))).toBe(parameters);
});

test('LRN stands right after conv1_1, with values that are not divided by its size', () => {
  expect(networkLayers(paper('A-LRN')).slice(0, 3)).toMatchObject([
    { name: 'conv1_1' },
    { kind: 'lrn', size: 5, alpha: 1e-4, beta: 0.75, k: 2 },
    { name: 'pool1' },
  ]);
});

test('the third convolution of C is 1×1', () => {
  const ones = networkLayers(paper('C')).filter((layer) => layer.kind === 'conv' && layer.kernel === 1);
  expect(ones.map(({ name }) => name)).toEqual(['conv3_3', 'conv4_3', 'conv5_3', 'fc7', 'fc8']);
});

test('small networks are of the same shape', () => {
  for (const network of NETWORK_NAMES) {
    const spec = { network, width: 1 / 16, hidden: 64, classes: 10, inputSize: 64 };
    const layers = networkLayers(spec);
    expect(layers.map(({ name }) => name)).toEqual(networkLayers(paper(network)).map(({ name }) => name));
    expect(layers[0]).toMatchObject({ outChannels: 4 });
    expect(layers.at(-3)).toMatchObject({ name: 'fc6', kernel: 2, inChannels: 32, outChannels: 64 });
  }
});

test.each([
  [
    { network: 'F' as NetworkName },
    'Expected network to be one of A, A-LRN, B, C, D, E, B-5x5 but received F (network)',
  ],
  [{ width: 0 }, 'Expected 0 < width ≤ 8 but received 0 (width)'],
  [{ width: NaN }, 'Expected 0 < width ≤ 8 but received NaN (width)'],
  [{ hidden: 1.5 }, 'Expected hidden from 1 to 1000000 but received 1.5 (hidden)'],
  [{ classes: 0 }, 'Expected classes from 1 to 1000000 but received 0 (classes)'],
  [
    { inputSize: 100 },
    'Expected inputSize to be a multiple of 32 from 32 to 1024 but received 100 (inputSize)',
  ],
])('a spec with %o is refused', (wrong, message) => {
  expect(() => networkLayers({ ...paper('D'), ...wrong })).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT', message }),
  );
});

test('an image smaller than a crop is refused', () => {
  expect(() => describeNetwork(paper('D'), { height: 224, width: 200 })).toThrow(
    'Expected width ≥ 224 pixels but received 200 (width)',
  );
});
