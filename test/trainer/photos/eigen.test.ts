// Eigenvalues of symmetric 3 × 3 matrices.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { symmetricEigen, type Matrix } from '../../../services/trainer/photos/eigen.ts';

const INDICES = [0, 1, 2] as const;
const plus = (one: number, other: number) => one + other;

test('known matrices', () => {
  // λ = 2 − √2, 2, 2 + √2 of the second difference.
  const { values, vectors } = symmetricEigen([
    [2, -1, 0],
    [-1, 2, -1],
    [0, -1, 2],
  ]);
  for (const [i, each] of [2 + Math.SQRT2, 2, 2 - Math.SQRT2].entries())
    expect(values[i]).toBeCloseTo(each, 14);
  for (const [i, each] of [-0.5, Math.SQRT1_2, -0.5].entries()) expect(vectors[0][i]).toBeCloseTo(each, 14);
  for (const [i, each] of [0.5, Math.SQRT1_2, 0.5].entries()) expect(vectors[2][i]).toBeCloseTo(each, 14);
});

test('diagonal and grey ones', () => {
  expect(
    symmetricEigen([
      [1, 0, 0],
      [0, 3, 0],
      [0, 0, 2],
    ]),
  ).toEqual({
    values: [3, 2, 1],
    vectors: [
      [0, 1, 0],
      [0, 0, 1],
      [1, 0, 0],
    ],
  });
  const { values, vectors } = symmetricEigen([
    [5, 5, 5],
    [5, 5, 5],
    [5, 5, 5],
  ]);
  expect(values[0]).toBeCloseTo(15, 13);
  expect(Math.abs(values[1]) + Math.abs(values[2])).toBeLessThan(1e-13);
  for (const each of vectors[0]) expect(each).toBeCloseTo(1 / Math.sqrt(3), 14);
});

test('ImageNet’s components, as fb.resnet.torch has them', () => {
  const [values, vectors] = [
    [0.2175, 0.0188, 0.0045],
    [
      [-0.5675, 0.7192, 0.4009],
      [-0.5808, -0.0045, -0.814],
      [-0.5836, -0.6948, 0.4203],
    ],
  ];
  const at = (row: number, column: number) =>
    values.reduce((sum, value, i) => sum + value * (vectors[row]?.[i] ?? 0) * (vectors[column]?.[i] ?? 0), 0);
  const covariance = [0, 1, 2].map((row) => [0, 1, 2].map((column) => at(row, column))) as Matrix;
  for (const [i, each] of symmetricEigen(covariance).values.entries())
    expect(each).toBeCloseTo(values[i] ?? 0, 4);
});

test('vectors are orthonormal and make the matrix again', () => {
  const number = fc.double({ min: -1e4, max: 1e4, noNaN: true });
  fc.assert(
    fc.property(fc.tuple(number, number, number, number, number, number), ([a, b, c, d, e, f]) => {
      const matrix: Matrix = [
        [a, b, c],
        [b, d, e],
        [c, e, f],
      ];
      const { values, vectors } = symmetricEigen(matrix);
      expect(values[0]).toBeGreaterThanOrEqual(values[1]);
      expect(values[1]).toBeGreaterThanOrEqual(values[2]);
      for (const i of INDICES) {
        for (const j of INDICES) {
          const dot = INDICES.map((k) => vectors[i][k] * vectors[j][k]).reduce(plus);
          expect(dot).toBeCloseTo(i === j ? 1 : 0, 12);
          const made = INDICES.map((k) => values[k] * vectors[k][i] * vectors[k][j]).reduce(plus);
          expect(Math.abs(made - matrix[i][j])).toBeLessThan(1e-9);
        }
      }
    }),
  );
});
