// Eigenvalues of symmetric 3 × 3 matrices, by Jacobi's rotations. Knows numbers alone.

/** Three numbers, such as a colour. */
export type Triple = [number, number, number];

/** Rows of a 3 × 3 matrix. */
export type Matrix = [Triple, Triple, Triple];

/** What a symmetric matrix does along its own axes. */
export interface Eigen {
  /** Largest first. */
  values: Triple;
  /** One unit vector for each value; its largest component is positive. */
  vectors: Matrix;
}

const PAIRS = [
  [0, 1],
  [0, 2],
  [1, 2],
] as const;

// Each sweep squares what is left beside the diagonal; six reach the last bit.
const SWEEPS = 12;

/** Eigenvalues and eigenvectors of a symmetric matrix. */
export function symmetricEigen(matrix: Matrix): Eigen {
  const a = matrix.map((row) => [...row]) as Matrix;
  const v: Matrix = [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ];
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    for (const [p, q] of PAIRS) {
      if (a[p][q] === 0) continue;
      const theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
      // The smaller of the two angles that clear a[p][q].
      const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1));
      const cos = 1 / Math.hypot(t, 1);
      const sin = t * cos;
      for (const row of a) rotate(row, p, q, cos, sin);
      for (const k of [0, 1, 2] as const) {
        const [above, below] = [a[p][k], a[q][k]];
        a[p][k] = cos * above - sin * below;
        a[q][k] = sin * above + cos * below;
      }
      for (const row of v) rotate(row, p, q, cos, sin);
    }
  }
  const axes = ([0, 1, 2] as const).map((i): { value: number; vector: Triple } => ({
    value: a[i][i],
    vector: [v[0][i], v[1][i], v[2][i]],
  }));
  const [first, second, third] = axes.sort((one, other) => other.value - one.value) as [
    (typeof axes)[0],
    (typeof axes)[0],
    (typeof axes)[0],
  ];
  return {
    values: [first.value, second.value, third.value],
    vectors: [pointed(first.vector), pointed(second.vector), pointed(third.vector)],
  };
}

function rotate(row: Triple, p: 0 | 1, q: 1 | 2, cos: number, sin: number): void {
  const [left, right] = [row[p], row[q]];
  row[p] = cos * left - sin * right;
  row[q] = sin * left + cos * right;
}

// An eigenvector and its opposite serve equally: one of them is chosen, so that a run can be repeated.
function pointed(vector: Triple): Triple {
  const largest = vector.reduce((one, other) => (Math.abs(other) > Math.abs(one) ? other : one));
  return largest < 0 ? (vector.map((each) => 0 - each) as Triple) : vector;
}
