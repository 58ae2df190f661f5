// Winograd's minimal filtering F(m, r): m outputs of a filter of r taps from n = m + r − 1 products instead of m · r
// (Lavin and Gray 2016). Knows matrices; not tiles or layers.
//
// Filter g and input d are evaluated as polynomials at n − 1 points and at infinity, where convolution is a product:
// Aᵀ [(G g) ⊙ (Bᵀ d)]; in two dimensions Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A.

/** The matrices of F(m, r), row by row. */
export interface Winograd {
  readonly outputs: number;
  readonly taps: number;
  /** n = outputs + taps − 1. */
  readonly inputs: number;
  /** Bᵀ: [n × n], for inputs. */
  readonly input: Float64Array;
  /** G: [n × taps], for filters. */
  readonly filter: Float64Array;
  /** Aᵀ: [outputs × n], for products. */
  readonly output: Float64Array;
}

// By their number; infinity comes on top. Rounding errors grow with the powers of points, and with their quotients
// (Barabasz et al. 2020): of five, with 1 and 2 errors are 2.5 times as large as with these, which float32 holds exactly.
const POINTS: Partial<Record<number, readonly number[]>> = {
  3: [0, 1, -1],
  5: [0, 5 / 8, -5 / 8, 5 / 4, -5 / 4],
  7: [0, 1, -1, 2, -2, 1 / 2, -1 / 2],
};

/** @param outputs m; @param taps r; together 5, 7 or 9 */
export function winograd(outputs: number, taps: number): Winograd {
  const inputs = outputs + taps - 1;
  const points = POINTS[inputs - 1];
  if (!points) throw new RangeError(`No points for F(${String(outputs)}, ${String(taps)})`);
  const input = new Float64Array(inputs * inputs);
  const filter = new Float64Array(inputs * taps);
  const output = new Float64Array(outputs * inputs);
  for (const [i, point] of points.entries()) {
    const others = points.filter((_, k) => k !== i);
    input.set(polynomial(others), i * inputs);
    const scale = others.reduce((product, other) => product * (point - other), 1);
    for (let j = 0; j < taps; j++) filter[i * taps + j] = point ** j / scale;
    for (let j = 0; j < outputs; j++) output[j * inputs + i] = point ** j;
  }
  input.set(polynomial(points), (inputs - 1) * inputs);
  filter[inputs * taps - 1] = 1;
  output[outputs * inputs - 1] = 1;
  return { outputs, taps, inputs, input, filter, output };
}

// Coefficients of Π (x − root), the lowest first.
function polynomial(roots: readonly number[]): number[] {
  let coefficients = [1];
  for (const root of roots) {
    coefficients = [...coefficients, 0].map(
      (_, i) => (coefficients[i - 1] ?? 0) - root * (coefficients[i] ?? 0),
    );
  }
  return coefficients;
}

/** The transforms of tiles in two dimensions, as one matrix each: one larger product is quicker than two small ones. */
export interface TileTransforms {
  /** Bᵀ ⊗ Bᵀ: [n², n²], of what a tile reads. */
  readonly toInputs: Float32Array<ArrayBuffer>;
  /** Aᵀ ⊗ Aᵀ: [outputs², n²], to what a tile writes, in the order of {@link outputPlaces}. */
  readonly toOutputs: Float32Array<ArrayBuffer>;
}

/** @param pooled whether a 2×2 pool of stride 2 follows */
export function tileTransforms(form: Winograd, pooled: boolean): TileTransforms {
  const { outputs, inputs, input, output } = form;
  return {
    toInputs: twofold(input, inputs, inputs, outputPlaces(inputs, false)),
    toOutputs: twofold(output, outputs, inputs, outputPlaces(outputs, pooled)),
  };
}

/**
 * Places row · outputs + column of a tile's outputs, row by row; before a pool in groups of the four that become one,
 * for an even number of outputs.
 */
export function outputPlaces(outputs: number, pooled: boolean): number[] {
  const group = pooled ? 2 : 1;
  const firsts = Array.from({ length: outputs / group }, (_, i) => i * group);
  const within = Array.from({ length: group }, (_, i) => i);
  return firsts.flatMap((row) =>
    firsts.flatMap((column) => within.flatMap((i) => within.map((j) => (row + i) * outputs + column + j))),
  );
}

// Rows of the Kronecker product of a matrix [side, inputs] with itself: those of `places`.
function twofold(
  matrix: Float64Array,
  side: number,
  inputs: number,
  places: readonly number[],
): Float32Array<ArrayBuffer> {
  const rowOf = (row: number) => [...matrix.subarray(row * inputs, (row + 1) * inputs)];
  return Float32Array.from(
    places.flatMap((place) =>
      rowOf(Math.floor(place / side)).flatMap((vertical) =>
        rowOf(place % side).map((horizontal) => vertical * horizontal),
      ),
    ),
  );
}

/**
 * Filters as products want them: G g Gᵀ of each pair of channels, computed in float64.
 *
 * @param weights [out, in, taps, taps]
 * @returns [n², in, out]
 */
export function transformedFilters(
  { taps, inputs, filter }: Winograd,
  weights: Float32Array,
  inChannels: number,
  outChannels: number,
): Float32Array<ArrayBuffer> {
  const area = inChannels * outChannels;
  const result = new Float32Array(inputs * inputs * area);
  const half = new Float64Array(inputs * taps);
  // Numbers of one place lie by input, then by output channel: written in that order.
  for (let channel = 0, first = 0; channel < inChannels; channel++) {
    for (let out = 0; out < outChannels; out++, first++) {
      const from = (out * inChannels + channel) * taps * taps;
      for (let column = 0; column < taps; column++) {
        for (let i = 0; i < inputs; i++) {
          let sum = 0;
          for (let row = 0; row < taps; row++)
            sum += (filter[i * taps + row] ?? 0) * (weights[from + row * taps + column] ?? 0);
          half[i * taps + column] = sum;
        }
      }
      for (let i = 0, at = first; i < inputs; i++) {
        for (let j = 0; j < inputs; j++, at += area) {
          let sum = 0;
          for (let column = 0; column < taps; column++)
            sum += (half[i * taps + column] ?? 0) * (filter[j * taps + column] ?? 0);
          result[at] = sum;
        }
      }
    }
  }
  return result;
}
