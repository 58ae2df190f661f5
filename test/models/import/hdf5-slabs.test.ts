import fc from 'fast-check';
import { expect, test } from 'vitest';
import { slabsOf, type Slab } from '../../../models/import/formats/hdf5-slabs.ts';

const runs = fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 5 }).chain((shape) => {
  const elements = shape.reduce((product, size) => product * size, 1);
  return fc
    .tuple(fc.constant(shape), fc.integer({ min: 0, max: elements }), fc.integer({ min: 0, max: elements }))
    .map(([shape, a, b]) => ({ shape, start: Math.min(a, b), count: Math.abs(a - b) }));
});

test('the boxes of a run are its elements, each once and in order', () => {
  fc.assert(
    fc.property(runs, ({ shape, start, count }) => {
      const indices = slabsOf(shape, start, count).flatMap((slab) => indicesOf(shape, slab));
      expect(indices).toEqual(Array.from({ length: count }, (_, i) => start + i));
    }),
  );
});

test('they are few: at most two per axis, less one', () => {
  fc.assert(
    fc.property(runs, ({ shape, start, count }) => {
      expect(slabsOf(shape, start, count).length).toBeLessThanOrEqual(Math.max(1, 2 * shape.length - 1));
    }),
  );
});

test('whole rows are one box', () => {
  expect(slabsOf([25_088, 4096], 4096 * 512, 4096 * 256)).toEqual([{ offset: [512, 0], count: [256, 4096] }]);
});

// Row-major places of a box's elements, in row-major order of the box.
function indicesOf(shape: readonly number[], { offset, count }: Slab): number[] {
  return shape.reduce<number[]>(
    (before, size, axis) =>
      before.flatMap((index) =>
        Array.from({ length: count[axis] ?? 0 }, (_, i) => index * size + (offset[axis] ?? 0) + i),
      ),
    [0],
  );
}
