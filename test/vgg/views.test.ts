// The geometry: hand-computed cases, then properties for any photo, scales, grid and alignment.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  PROTOCOLS,
  evaluationViews,
  planeSize,
  resolveEvaluation,
  squaresOf,
  viewCount,
  type Evaluation,
  type EvaluationDefaults,
} from '../../vgg/index.ts';

const IMAGENET: EvaluationDefaults = { inputSize: 224, scales: [256, 384, 512], kernel: 'linear' };

const evaluate = (options: Partial<Evaluation>, photo = { width: 320, height: 256 }) =>
  evaluationViews(photo, resolveEvaluation(options, IMAGENET), 224);

describe('planes', () => {
  test.each([
    [{ width: 500, height: 375 }, 256, { width: 341, height: 256 }],
    [{ width: 375, height: 500 }, 256, { width: 256, height: 341 }],
    [{ width: 3, height: 2 }, 1, { width: 2, height: 1 }], // 1.5 is rounded up
    [{ width: 5, height: 2 }, 1, { width: 3, height: 1 }], // 2.5 too
    [{ width: 1, height: 1 }, 256, { width: 256, height: 256 }],
  ])('%o at Q = %i', (photo, scale, size) => {
    expect(planeSize(photo, scale)).toEqual(size);
  });

  test('squares are left, centre, right, or top, centre, bottom', () => {
    expect(squaresOf({ width: 341, height: 256 }).map(({ x, y }) => [x, y])).toEqual([
      [0, 0],
      [43, 0],
      [85, 0],
    ]);
    expect(squaresOf({ width: 256, height: 341 }).map(({ x, y }) => [x, y])).toEqual([
      [0, 0],
      [0, 43],
      [0, 85],
    ]);
  });
});

describe('protocols', () => {
  test.each([
    ['CENTER_CROP', 3],
    ['TEN_CROP', 30],
    ['MULTI_CROP', 150],
    ['DENSE', 6],
    ['DENSE_AND_MULTI_CROP', 156],
    ['GOOGLENET_144', 144],
  ] as const)('%s has %i views', (protocol, count) => {
    expect(evaluate({ protocol }).views).toHaveLength(count);
    expect(viewCount(resolveEvaluation({ protocol }, IMAGENET))).toBe(count);
  });

  test('the centre crop is one, unmirrored', () => {
    expect(evaluate({ protocol: 'CENTER_CROP', scales: [256] }).views).toEqual([
      { index: 0, plane: 0, x: 48, y: 16, width: 224, height: 224, mirrored: false, weight: 1 },
    ]);
  });

  test('the grid is regular, row by row, then mirrored', () => {
    const { views } = evaluate({ protocol: 'MULTI_CROP', scales: [256] });
    expect(views.slice(0, 7).map(({ x, y }) => [x, y])).toEqual([
      [0, 0],
      [24, 0],
      [48, 0],
      [72, 0],
      [96, 0],
      [0, 8],
      [24, 8],
    ]);
    expect(views.slice(25).map((view) => ({ ...view, mirrored: false, index: view.index - 25 }))).toEqual(
      views.slice(0, 25),
    );
    expect(views.slice(25).every(({ mirrored }) => mirrored)).toBe(true);
  });

  test('grid offsets are rounded half up', () => {
    const { views } = evaluate({ scales: [256], grid: 3, align: 1 }, { width: 305, height: 256 });
    expect(views.slice(0, 3).map(({ x }) => x)).toEqual([0, 41, 81]); // 81/2 = 40.5
  });

  test('aligned offsets are multiples that fit', () => {
    const { views } = evaluate({ scales: [256], align: 8 }, { width: 305, height: 256 });
    expect(views.slice(0, 5).map(({ x }) => x)).toEqual([0, 24, 40, 64, 80]); // of 0, 20.25, 40.5, 60.75, 81
    const coarse = evaluate({ scales: [256], align: 16 }, { width: 305, height: 256 });
    expect(coarse.views.slice(0, 5).map(({ x }) => x)).toEqual([0, 16, 48, 64, 80]);
  });

  test.each([
    ['CENTER_CROP', 1],
    ['TEN_CROP', 1],
    ['MULTI_CROP', 8],
    ['DENSE_AND_MULTI_CROP', 8],
    ['GOOGLENET_144', 1],
  ] as const)('%s is aligned to %i unless told', (protocol, align) => {
    const aligned = (align?: number) =>
      evaluate(
        { protocol, scales: [300], ...(align !== undefined && { align }) },
        { width: 305, height: 256 },
      );
    expect(aligned()).toEqual(aligned(align));
    expect(aligned()).not.toEqual(aligned(9 - align));
  });

  test('the ten crops are corners and centre', () => {
    const { views } = evaluate({ protocol: 'TEN_CROP', scales: [256] });
    expect(views.slice(0, 5).map(({ x, y }) => [x, y])).toEqual([
      [0, 0],
      [96, 0],
      [0, 32],
      [96, 32],
      [48, 16],
    ]);
  });

  test('dense sees whole planes, both ways', () => {
    expect(evaluate({ protocol: 'DENSE', scales: [256] }).views).toMatchObject([
      { x: 0, y: 0, width: 320, height: 256, mirrored: false, weight: 0.5 },
      { x: 0, y: 0, width: 320, height: 256, mirrored: true, weight: 0.5 },
    ]);
  });

  test('dense and multi-crop have half of the answer each', () => {
    const { views } = evaluate({ protocol: 'DENSE_AND_MULTI_CROP' });
    const dense = views.filter(({ width }) => width > 224);
    expect(dense).toHaveLength(6);
    expect(dense.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(0.5, 12);
  });

  test('GoogLeNet has four scales of three squares, each also resized to a crop', () => {
    const { planes, views } = evaluate({ protocol: 'GOOGLENET_144' });
    expect(planes.filter(({ square }) => !square).map(({ scale }) => scale)).toEqual([256, 288, 320, 352]);
    expect(planes.filter(({ square }) => square)).toHaveLength(12);
    expect(planes[1]).toMatchObject({
      scale: 256,
      width: 224,
      height: 224,
      square: { x: 0, y: 0, width: 256, height: 256 },
    });
    for (const { weight } of views) expect(weight).toBeCloseTo(1 / 144, 12);
  });

  test('scales of a small model follow its input size', () => {
    expect(
      resolveEvaluation({ protocol: 'GOOGLENET_144' }, { inputSize: 64, scales: [73, 110, 146] }).scales,
    ).toEqual([73, 82, 91, 101]);
  });
});

describe('properties', () => {
  const cases = fc.record({
    photo: fc.record({ width: fc.integer({ min: 1, max: 3000 }), height: fc.integer({ min: 1, max: 3000 }) }),
    protocol: fc.constantFrom(...PROTOCOLS),
    scales: fc.array(fc.integer({ min: 64, max: 200 }), { minLength: 1, maxLength: 4 }),
    grid: fc.integer({ min: 1, max: 16 }),
    align: fc.integer({ min: 1, max: 64 }),
  });

  test('every view lies in its plane, weights sum to 1, order is plane order', () => {
    fc.assert(
      fc.property(cases, ({ photo, ...options }) => {
        const evaluation = resolveEvaluation(options, { inputSize: 64 });
        const { planes, views } = evaluationViews(photo, evaluation, 64);
        expect(views).toHaveLength(viewCount(evaluation));
        expect(planes.map(({ index }) => index)).toEqual(planes.map((_, i) => i));
        let sum = 0;
        let last = 0;
        for (const [i, view] of views.entries()) {
          const plane = planes[view.plane];
          expect(view.index).toBe(i);
          expect(view.plane).toBeGreaterThanOrEqual(last);
          last = view.plane;
          expect(view.x).toBeGreaterThanOrEqual(0);
          expect(view.y).toBeGreaterThanOrEqual(0);
          expect(view.x + view.width).toBeLessThanOrEqual(plane?.width ?? 0);
          expect(view.y + view.height).toBeLessThanOrEqual(plane?.height ?? 0);
          sum += view.weight;
        }
        expect(sum).toBeCloseTo(1, 10);
      }),
    );
  });

  test('the grid reaches both edges, its offsets rise, and each is within half a step of its ideal', () => {
    fc.assert(
      fc.property(cases, ({ photo, scales, grid, align }) => {
        const evaluation = resolveEvaluation(
          { protocol: 'MULTI_CROP', scales, grid, align },
          { inputSize: 64 },
        );
        const { planes, views } = evaluationViews(photo, evaluation, 64);
        for (const plane of planes) {
          const row = views.filter((view) => view.plane === plane.index).slice(0, grid);
          const room = plane.width - 64;
          for (const [i, { x }] of row.entries()) {
            const ideal = grid === 1 ? room / 2 : (i * room) / (grid - 1);
            expect(x % align).toBe(0);
            expect(Math.abs(x - ideal)).toBeLessThan(align);
            if (x + align <= room) expect(Math.abs(x - ideal)).toBeLessThanOrEqual(align / 2);
            expect(x).toBeGreaterThanOrEqual(row[i - 1]?.x ?? 0);
          }
          if (grid > 1 && align === 1) expect([row[0]?.x, row.at(-1)?.x]).toEqual([0, room]);
        }
      }),
    );
  });

  test('smallest side is Q and the aspect is kept within a rounding', () => {
    fc.assert(
      fc.property(cases, ({ photo, scales }) => {
        for (const scale of scales) {
          const { width, height } = planeSize(photo, scale);
          expect(Math.min(width, height)).toBe(scale);
          const ideal = (scale * Math.max(photo.width, photo.height)) / Math.min(photo.width, photo.height);
          expect(Math.abs(Math.max(width, height) - ideal)).toBeLessThanOrEqual(0.5 + 1e-9);
        }
      }),
    );
  });
});

describe('options out of range', () => {
  test.each([
    [{ scales: [256, 200] }, 'Expected scales ≥ 224 but received 200 (scales[1])'],
    [{ scales: [1025] }, 'Expected scales ≤ 1024 but received 1025 (scales[0])'],
    [{ scales: [NaN] }, 'Expected scales to be whole numbers of pixels but received NaN (scales[0])'],
    [
      { scales: [Infinity] },
      'Expected scales to be whole numbers of pixels but received Infinity (scales[0])',
    ],
    [{ scales: [256.5] }, 'Expected scales to be whole numbers of pixels but received 256.5 (scales[0])'],
    [{ scales: [256, 256, 256, 256, 256] }, 'Expected at most 4 scales but received 5 (scales)'],
    [{ grid: 0 }, 'Expected grid from 1 to 16 but received 0 (grid)'],
    [{ grid: 17 }, 'Expected grid from 1 to 16 but received 17 (grid)'],
    [{ align: -1 }, 'Expected align from 1 to 64 but received -1 (align)'],
    [
      { protocol: 'ALL' as never },
      `Expected protocol to be one of ${PROTOCOLS.join(', ')} but received ALL (protocol)`,
    ],
    [
      { kernel: 'sinc' as never },
      'Expected kernel to be one of nearest, linear, cubic, lanczos3 but received sinc (kernel)',
    ],
    [{ share: 'on' as never }, 'Expected share to be one of AUTO, OFF but received on (share)'],
    [{ stop: 'exact' as never }, 'Expected stop to be one of NONE, EXACT but received exact (stop)'],
  ])('%o', (options, message) => {
    expect(() => resolveEvaluation(options, IMAGENET)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message }),
    );
  });

  test('without a model the scales must be given', () => {
    expect(() => resolveEvaluation({}, { inputSize: 224 })).toThrow(
      'Expected 1 to 4 scales but received none (scales)',
    );
  });
});
