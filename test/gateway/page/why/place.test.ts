// Where views and map cells lie on the photo.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { resolveEvaluation, type Protocol } from '../../../../vgg/views/evaluation.ts';
import { evaluationViews } from '../../../../vgg/views/views.ts';
import { describeNetwork } from '../../../../vgg/describe.ts';
import { flipColumns, inputSizeOf, onPhoto, placeMap } from '../../../../services/gateway/page/why/place.ts';

const PHOTO = { width: 320, height: 256 };

describe('a view on the photo', () => {
  test('a whole plane is the whole photo', () => {
    // 256 → 72: the other side is 90.
    const place = onPhoto({ x: 0, y: 0, width: 90, height: 72, scale: 72 }, PHOTO);
    expect(place).toEqual({ x: 0, y: 0, width: 1, height: 1 });
  });

  test('a crop in the middle of a plane', () => {
    const place = onPhoto({ x: 45, y: 18, width: 36, height: 36, scale: 72 }, PHOTO);
    expect(place).toEqual({ x: 0.5, y: 0.25, width: 0.4, height: 0.5 });
  });

  test('a resized square is where the square is, not where the view is on its plane', () => {
    const square = { x: 18, y: 0, width: 72, height: 72 };
    const place = onPhoto({ x: 0, y: 0, width: 64, height: 64, scale: 72, square }, PHOTO);
    expect(place).toEqual({ x: 0.2, y: 0, width: 0.8, height: 1 });
  });

  test('every view of every protocol lies within the photo', () => {
    const side = fc.integer({ min: 1, max: 3000 });
    const protocol = fc.constantFrom<Protocol>(
      'TEN_CROP',
      'MULTI_CROP',
      'DENSE_AND_MULTI_CROP',
      'GOOGLENET_144',
    );
    fc.assert(
      fc.property(side, side, protocol, (width, height, name) => {
        fc.pre(Math.max(width, height) <= 20 * Math.min(width, height));
        const evaluation = resolveEvaluation({ protocol: name, scales: [64, 91] }, { inputSize: 64 });
        const { planes, views } = evaluationViews({ width, height }, evaluation, 64);
        for (const view of views) {
          const { scale = 0, square } = planes[view.plane] ?? {};
          const place = onPhoto({ ...view, scale, ...(square && { square }) }, { width, height });
          expect(Math.min(place.x, place.y)).toBeGreaterThanOrEqual(0);
          expect(place.x + place.width).toBeLessThanOrEqual(1 + 1e-12);
          expect(place.y + place.height).toBeLessThanOrEqual(1 + 1e-12);
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe('a map on its plane', () => {
  const plane = { width: 140, height: 112 };

  test('windows lie 32 pixels apart from the top left', () => {
    const map = placeMap([1, 2, 3, 4, 5, 6], [2, 3], plane, { inputSize: 64, mirrored: false });
    expect(map).toEqual({ lefts: [0, 32, 64], tops: [0, 32], window: 64, values: [1, 2, 3, 4, 5, 6] });
  });

  test('a mirrored map is laid back: its first column is the window at the right edge', () => {
    const map = placeMap([1, 2, 3, 4, 5, 6], [2, 3], plane, { inputSize: 64, mirrored: true });
    expect(map).toEqual({ lefts: [12, 44, 76], tops: [0, 32], window: 64, values: [3, 2, 1, 6, 5, 4] });
    expect((map.lefts.at(-1) ?? 0) + map.window).toBe(plane.width);
  });

  test('flipping twice changes nothing', () => {
    const grids = fc
      .tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }))
      .chain(([rows, columns]) =>
        fc.tuple(
          fc.array(fc.float(), { minLength: rows * columns, maxLength: rows * columns }),
          fc.constant(columns),
        ),
      );
    fc.assert(
      fc.property(grids, ([values, columns]) => {
        expect(flipColumns(flipColumns(values, columns), columns)).toEqual(values);
      }),
    );
  });

  test('the side of a crop follows from a plane and its map, as the network makes it', () => {
    const sizes = fc.constantFrom(32, 64, 96, 224);
    fc.assert(
      fc.property(sizes, fc.integer({ min: 0, max: 400 }), (inputSize, more) => {
        const spec = { network: 'A', width: 0.1, hidden: 8, classes: 3, inputSize } as const;
        const height = inputSize + more;
        const rows = describeNetwork(spec, { height, width: inputSize }).layers.at(-1)?.height ?? 0;
        expect(inputSizeOf(height, rows)).toBe(inputSize);
      }),
    );
  });
});
