// A network as a column of the paper's Table 1, and its amounts.

import { expect, test } from 'vitest';
import { exact, short } from '../../../../services/gateway/page/models/amounts.ts';
import { columnOf } from '../../../../services/gateway/page/models/column.ts';
import { NETWORK_NAMES } from '../../../../vgg/networks.ts';

const PAPER = { width: 1, hidden: 4096, classes: 1000, inputSize: 224 };
const written = (network: string) =>
  columnOf({ network, ...PAPER }).map(({ entries }) => entries.map((entry) => entry.written));

test('D as the paper writes it', () => {
  expect(written('D')).toEqual([
    ['conv3-64', 'conv3-64', 'maxpool'],
    ['conv3-128', 'conv3-128', 'maxpool'],
    ['conv3-256', 'conv3-256', 'conv3-256', 'maxpool'],
    ['conv3-512', 'conv3-512', 'conv3-512', 'maxpool'],
    ['conv3-512', 'conv3-512', 'conv3-512', 'maxpool'],
    ['FC-4096', 'FC-4096', 'FC-1000'],
  ]);
});

test('what is special about A-LRN, C and B-5x5', () => {
  expect(written('A-LRN')[0]).toEqual(['conv3-64', 'LRN', 'maxpool']);
  expect(written('C')[2]).toEqual(['conv3-256', 'conv3-256', 'conv1-256', 'maxpool']);
  expect(written('B-5x5')[0]).toEqual(['conv5-64', 'maxpool']);
});

test.each(NETWORK_NAMES)(
  '%s has five blocks that end in a pool, and the fully connected layers',
  (network) => {
    const blocks = columnOf({ network, ...PAPER });
    expect(blocks.map(({ entries }) => entries.at(-1)?.kind)).toEqual([
      ...Array<string>(5).fill('pool'),
      'conv',
    ]);
  },
);

test('amounts', () => {
  expect([0, 448, 999.9, 51_300, 138_357_544, 15_470_264_320].map(short)).toEqual([
    '0',
    '448',
    '1.00 k',
    '51.3 k',
    '138 M',
    '15.5 G',
  ]);
  expect(exact(138_357_544)).toBe('138,357,544');
});
