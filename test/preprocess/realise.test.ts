// Finished numbers are pixels minus mean, cut and mirrored as the views say.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cropRuns, realiseCrops, realisePlane } from '../../services/preprocess/realise.ts';
import type { View } from '../../vgg/views.ts';
import { MEAN, texture } from './photos.ts';

const plane = { width: 50, height: 40, rgb8: texture(50, 40) };
const means = [MEAN.red, MEAN.green, MEAN.blue];

function view(over: Partial<View>): View {
  return { index: 0, plane: 0, x: 0, y: 0, width: 32, height: 32, mirrored: false, weight: 1, ...over };
}

test('a plane is its pixels minus the mean, as little-endian float32', () => {
  const { shape, values } = realisePlane(plane, MEAN);
  expect(shape).toEqual([40, 50, 3]);
  expect(values.length).toBe(40 * 50 * 3 * 4);
  for (let i = 0; i < 40 * 50 * 3; i++) {
    expect(values.readFloatLE(i * 4)).toBe(Math.fround((plane.rgb8[i] ?? 0) - (means[i % 3] ?? 0)));
  }
});

test('crops are slices of the plane minus the mean, mirrored ones from right to left', () => {
  const views = fc.array(
    fc.record({ x: fc.nat(18), y: fc.nat(8), mirrored: fc.boolean() }).map((over) => view(over)),
    { minLength: 1, maxLength: 5 },
  );
  fc.assert(
    fc.property(views, (some) => {
      const { shape, values } = realiseCrops(plane, some, MEAN);
      expect(shape).toEqual([some.length, 32, 32, 3]);
      const wanted = some.flatMap(({ x, y, mirrored }) =>
        Array.from({ length: 32 * 32 * 3 }, (_, i) => {
          const column = Math.floor(i / 3) % 32;
          const row = Math.floor(i / 96);
          const from = ((y + row) * 50 + x + (mirrored ? 31 - column : column)) * 3 + (i % 3);
          return Math.fround((plane.rgb8[from] ?? NaN) - (means[i % 3] ?? NaN));
        }),
      );
      expect(Array.from({ length: wanted.length }, (_, i) => values.readFloatLE(i * 4))).toEqual(wanted);
    }),
    { numRuns: 20 },
  );
});

describe('runs of crops', () => {
  test('keep the order, the size and the limit', () => {
    const views = fc.array(
      fc
        .record({ width: fc.constantFrom(32, 64), height: fc.constantFrom(32, 64) })
        .map((over) => view(over)),
    );
    fc.assert(
      fc.property(views, fc.integer({ min: 1, max: 100_000 }), (some, bytes) => {
        const runs = cropRuns(some, bytes);
        expect(runs.flat()).toEqual(some);
        for (const run of runs) {
          expect(new Set(run.map(({ width, height }) => `${String(width)}×${String(height)}`)).size).toBe(1);
          const size = run.reduce((sum, { width, height }) => sum + width * height * 12, 0);
          expect(run.length === 1 || size <= bytes).toBe(true);
        }
      }),
    );
  });

  test('are as long as the limit lets them be', () => {
    const ten = Array.from({ length: 10 }, () => view({}));
    expect(cropRuns(ten, 4 * 32 * 32 * 12).map((run) => run.length)).toEqual([4, 4, 2]);
  });
});
