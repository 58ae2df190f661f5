// Keras files of shapes alone, for tests of which tensor is which.

import { expect } from 'vitest';
import type { Hdf5Checkpoint } from '../../../models/import/formats/hdf5.ts';
import { kerasRelease } from '../../../models/import/layouts/keras.ts';
import type { Release, StoredTensor } from '../../../models/import/release.ts';
import { VggError } from '../../../vgg/index.ts';

const ROWS = { A: [1, 1, 2, 2, 2], B: [2, 2, 2, 2, 2], D: [2, 2, 3, 3, 3], E: [2, 2, 4, 4, 4] };
const WIDTHS = [4, 8, 16, 32, 32];
type Row = keyof typeof ROWS;
export type Shapes = Record<string, readonly number[]>;
type Attributes = Record<string, Record<string, string | string[]>>;

export interface FakeFile {
  file: Hdf5Checkpoint;
  closed: () => number;
}

// A file of shapes alone: which tensor is which needs no numbers.
export function fake(shapes: Shapes, attributes: Attributes = {}): FakeFile {
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
export function layersOf(row: Row, conv = published): Weighted[] {
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

export const classifier = (...names: string[]): Weighted[] => [
  { name: names[0] ?? 'fc1', kernel: [1568, 16] },
  { name: names[1] ?? 'fc2', kernel: [16, 16] },
  { name: names[2] ?? 'predictions', kernel: [16, 10] },
];

export function keras2(layers: readonly Weighted[], root = ''): Shapes {
  return Object.fromEntries(
    layers.flatMap(({ name, kernel }) => [
      [`${root}${name}/${name}/bias:0`, [kernel.at(-1) ?? 0]],
      [`${root}${name}/${name}/kernel:0`, kernel],
    ]),
  );
}

export const numbered =
  (name: string): Namer =>
  (...[, , i]) =>
    i === 0 ? name : `${name}_${String(i)}`;

export function norm(name: string, channels: number): Shapes {
  return Object.fromEntries(
    ['beta:0', 'gamma:0', 'moving_mean:0', 'moving_variance:0'].map((leaf) => [
      `${name}/${name}/${leaf}`,
      [channels],
    ]),
  );
}

export function sources({ layers }: Release): string[] {
  return layers.map(({ name, weight, bias }) => `${name} ${weight.name} ${bias?.name ?? 'none'}`);
}

export function refusal({ file, closed }: FakeFile): string {
  try {
    kerasRelease(file);
  } catch (error) {
    expect(error).toBeInstanceOf(VggError);
    expect(closed()).toBe(1);
    return (error as VggError).message;
  }
  throw new Error('It was taken');
}
