// Values over a photo: means of what covers a place, cells, and what lies between.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mapSurface, meanOfCovering, meanOfSurfaces } from '../../../../services/gateway/page/why/surface.ts';

const at = ({ width, values }: { width: number; values: Float64Array }, x: number, y: number) =>
  values[y * width + x];

describe('the mean of what covers a place', () => {
  test('two rectangles that overlap', () => {
    const surface = meanOfCovering(
      [
        { x: 0, y: 0, width: 2, height: 2, value: 1, weight: 1 },
        { x: 1, y: 1, width: 2, height: 2, value: 0.5, weight: 3 },
      ],
      { width: 4, height: 3 },
    );
    expect(at(surface, 0, 0)).toBe(1);
    expect(at(surface, 1, 1)).toBeCloseTo(0.625, 12);
    expect(at(surface, 2, 2)).toBeCloseTo(0.5, 12);
    expect(at(surface, 3, 0)).toBeNaN();
    expect(at(surface, 2, 0)).toBeNaN();
  });

  test('is what looking at each rectangle for each pixel gives', () => {
    const size = { width: 9, height: 7 };
    const rectangle = fc.record({
      x: fc.integer({ min: 0, max: 8 }),
      y: fc.integer({ min: 0, max: 6 }),
      width: fc.integer({ min: 1, max: 9 }),
      height: fc.integer({ min: 1, max: 7 }),
      value: fc.double({ min: 0, max: 1, noNaN: true }),
      weight: fc.double({ min: 0.001, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(rectangle, { maxLength: 12 }), (rectangles) => {
        const surface = meanOfCovering(rectangles, size);
        for (let y = 0; y < size.height; y++) {
          for (let x = 0; x < size.width; x++) {
            const there = rectangles.filter(
              (r) => x >= r.x && x < r.x + r.width && y >= r.y && y < r.y + r.height,
            );
            const weight = there.reduce((sum, r) => sum + r.weight, 0);
            const mean = there.reduce((sum, r) => sum + r.weight * r.value, 0) / weight;
            if (there.length === 0) expect(at(surface, x, y)).toBeNaN();
            else expect(at(surface, x, y)).toBeCloseTo(mean, 9);
          }
        }
      }),
    );
  });
});

describe('a map over its plane', () => {
  // Windows of 64 at 0 and 32: their centres are at 32 and 64, their cells from 16 to 48 and from 48 to 80.
  const map = { lefts: [0, 32], tops: [0], window: 64, values: [0, 1] };
  const plane = { width: 100, height: 70 };

  test('cells are 32 pixels around the centres of windows', () => {
    const surface = mapSurface(map, plane, 'cells');
    expect([15, 16, 47, 48, 79, 80].map((x) => at(surface, x, 32))).toEqual([NaN, 0, 0, 1, 1, NaN]);
    expect([15, 16, 47, 48].map((y) => at(surface, 20, y))).toEqual([NaN, 0, 0, NaN]);
  });

  test('smooth: the value at a centre, the mean half way, over the same area', () => {
    const surface = mapSurface(map, plane, 'smooth');
    expect(at(surface, 32, 32)).toBeCloseTo(0.5 / 32, 12);
    expect(((at(surface, 47, 32) ?? 0) + (at(surface, 48, 32) ?? 0)) / 2).toBeCloseTo(0.5, 12);
    expect([15, 16, 79, 80].map((x) => at(surface, x, 32))).toEqual([NaN, 0, 1, NaN]);
  });

  test('windows: the mean of those that see a place', () => {
    const surface = mapSurface(map, plane, 'windows');
    expect([0, 40, 70, 96].map((x) => at(surface, x, 10))).toEqual([0, 0.5, 1, NaN]);
    expect(at(surface, 0, 64)).toBeNaN();
  });

  test('plain and mirrored: the mean where both are, the one where one is', () => {
    const mirrored = { ...map, lefts: [4, 36], values: [1, 1] };
    const both = meanOfSurfaces(
      [mapSurface(map, plane, 'cells'), mapSurface(mirrored, plane, 'cells')],
      plane,
    );
    expect([15, 17, 30, 60, 82, 90].map((x) => at(both, x, 32))).toEqual([NaN, 0, 0.5, 1, 1, NaN]);
  });
});
