// Turns a release's layers into the canonical layout: which network they make, and every number in its place.
// All arithmetic is float64 and happens here; readers of layouts move no numbers.

import {
  checkWeights,
  elements,
  expected,
  specOfWeights,
  type NetworkName,
  type NetworkSpec,
  type WeightTensor,
} from '../../vgg/index.ts';
import { finiteNumbers, type Numbers } from './numbers.ts';
import type { Axes, Preprocessing, Release, SourceLayer, StoredTensor } from './release.ts';

/** A tensor of the canonical layout that is still to be computed. */
export interface CanonicalTensor {
  name: string;
  shape: number[];
  /** Type of its numbers in the file, if no arithmetic changes them. */
  unchanged?: string;
  /** Its values in row-major order, in pieces; float64 where the file has them or arithmetic was done. */
  values(): AsyncGenerator<Numbers>;
}

/** A release in the canonical layout. */
export interface CanonicalRelease {
  spec: NetworkSpec;
  /** Weight and bias of each layer, in the order of the network. */
  tensors: CanonicalTensor[];
  /** What is done to the numbers, in words; empty if nothing is. */
  changes: string[];
}

function changesOf(
  { layers, flatten }: Release,
  { std, channels }: Preprocessing,
  shapes: readonly (readonly number[])[],
): string[] {
  const norms = layers.filter(({ batchNorm }) => batchNorm !== undefined).length;
  const fc6 = layers.findIndex(({ name }) => name === 'fc6');
  const reordered = flatten === 'HWC' && layers[fc6]?.axes !== 'OIHW' && (shapes[fc6]?.[2] ?? 1) > 1;
  return [
    ...(layers.some(({ axes }) => TRANSPOSED[axes]) ? ['kernels transposed to [out, in, height, width]'] : []),
    ...(reordered ? ['fc6 reordered from height, width, channel to channel, height, width'] : []),
    ...(channels === 'BGR' ? ['conv1_1 reordered from BGR to RGB'] : []),
    ...(std.some((each) => each !== 1)
      ? [`deviations ${std.map((each) => each.toFixed(3)).join(', ')} divided into conv1_1`]
      : []),
    ...(norms > 0 ? [`batch normalisation folded into ${String(norms)} convolutions`] : []),
  ];
}

// Elements that are in memory at once, where nothing needs transposing: 4 MiB of float32.
const PIECE = 1 << 20;

/**
 * The network of a release and its tensors: batch normalisation folded, conv1_1 for RGB levels minus the
 * mean, fully connected layers in convolutional form.
 *
 * @param known the row or the whole network, if the caller knows it
 * @throws VggError INVALID_ARGUMENT if no row fits, several do, or the caller's contradicts the file
 */
export function canonicalRelease(
  release: Release,
  preprocessing: Preprocessing,
  known?: NetworkName | NetworkSpec,
): CanonicalRelease {
  const shapes = release.layers.map((layer, i) => shapeOf(layer, release.layers[i - 1]));
  const named = release.layers.flatMap((layer, i): WeightTensor[] => [
    { name: `${layer.name}.weight`, shape: shapes[i] ?? [], source: layer.weight.name },
    { name: `${layer.name}.bias`, shape: [shapes[i]?.[0] ?? 0], source: layer.bias?.name ?? 'zeros' },
  ]);
  const network = typeof known === 'object' ? known.network : known;
  if (network !== undefined && release.network !== undefined && network !== release.network) {
    throw expected(`network ${network}`, `${release.layout} of network ${release.network}`, 'network');
  }
  // Only a caller can know a width whose channels were rounded.
  if (typeof known === 'object') checkWeights(known, named);
  const spec = typeof known === 'object' ? known : specOfWeights(named, network ?? release.network);
  const tensors = release.layers.flatMap((layer, i) => {
    const shape = shapes[i] ?? [];
    const rows = rowPlan(layer, shape, release.flatten, layer === release.layers[0] ? preprocessing : undefined);
    return [weightOf(layer, shape, rows), biasOf(layer, shape[0] ?? 0)];
  });
  return { spec, tensors, changes: changesOf(release, preprocessing, shapes) };
}

/** Every tensor that the layers are made of. */
export function tensorsOf(layers: readonly SourceLayer[]): StoredTensor[] {
  return layers.flatMap(({ weight, bias, batchNorm }) =>
    [weight, bias, batchNorm?.scale, batchNorm?.shift, batchNorm?.mean, batchNorm?.variance].filter(
      (tensor) => tensor !== undefined,
    ),
  );
}

const TRANSPOSED: Record<Axes, boolean> = { OIHW: false, OI: false, HWIO: true, IO: true };
const RANK: Record<Axes, number> = { OIHW: 4, OI: 2, HWIO: 4, IO: 2 };

// [out, in, height, width] of a layer; a fully connected one takes the map that the layer before it leaves.
function shapeOf({ weight, axes }: SourceLayer, before: SourceLayer | undefined): number[] {
  const { shape, name } = weight;
  if (shape.length !== RANK[axes]) throw expected(`a tensor of ${String(RANK[axes])} axes`, shape, name);
  const [a = 0, b = 0, c = 0, d = 0] = shape;
  if (axes === 'OIHW') return [a, b, c, d];
  if (axes === 'HWIO') return [d, c, a, b];
  const [outputs, inputs] = axes === 'OI' ? [a, b] : [b, a];
  const channels = before === undefined ? 0 : outputsOf(before);
  const side = Math.sqrt(inputs / channels);
  if (!Number.isInteger(side)) {
    throw expected(`inputs of ${String(channels)} channels of a square map`, inputs, name);
  }
  return [outputs, channels, side, side];
}

function outputsOf({ weight: { shape }, axes }: SourceLayer): number {
  return (TRANSPOSED[axes] ? shape.at(-1) : shape[0]) ?? 0;
}

// How a row (all weights of one output) of the file becomes a row of the canonical tensor.
interface RowPlan {
  /** Place in the file's row of each place in the canonical row; undefined: the same. */
  order?: Uint32Array;
  /** Factor of each place in the canonical row; undefined: 1. */
  factors?: Float64Array;
}

function rowPlan(
  { axes }: SourceLayer,
  [, channels = 0, height = 0, width = 0]: readonly number[],
  flatten: Release['flatten'],
  preprocessing: Preprocessing | undefined,
): RowPlan {
  const places = height * width;
  const hwc = (axes === 'HWIO' || (axes !== 'OIHW' && flatten === 'HWC')) && places > 1;
  const bgr = preprocessing?.channels === 'BGR';
  const plan: RowPlan = {};
  if (hwc || bgr) {
    const order = (plan.order = new Uint32Array(channels * places));
    for (let c = 0; c < channels; c++) {
      const channel = bgr ? channels - 1 - c : c;
      for (let place = 0; place < places; place++) {
        order[c * places + place] = hwc ? place * channels + channel : channel * places + place;
      }
    }
  }
  if (preprocessing?.std.some((std) => std !== 1)) {
    plan.factors = Float64Array.from(
      { length: channels * places },
      (_, i) => 1 / (preprocessing.std[Math.floor(i / places)] ?? NaN),
    );
  }
  return plan;
}

function weightOf(layer: SourceLayer, shape: number[], plan: RowPlan): CanonicalTensor {
  const { weight, axes, batchNorm } = layer;
  const [outputs = 0] = shape;
  const length = elements(shape) / outputs;
  const changed = batchNorm !== undefined || plan.factors !== undefined;
  return {
    name: `${layer.name}.weight`,
    shape,
    ...(!changed && { unchanged: weight.dtype }),
    async *values() {
      const factors = batchNorm && (await foldedNorm(layer, outputs)).factors;
      const pieces = TRANSPOSED[axes] ? transposed(weight, outputs, length) : inOrder(weight, length);
      let output = 0;
      for await (const rows of pieces) {
        yield !changed && !plan.order ? rows : arranged(rows, length, plan, factors?.subarray(output));
        output += rows.length / length;
      }
    },
  };
}

function biasOf(layer: SourceLayer, outputs: number): CanonicalTensor {
  const { bias, batchNorm } = layer;
  return {
    name: `${layer.name}.bias`,
    shape: [outputs],
    ...(!batchNorm && { unchanged: bias?.dtype ?? 'F32' }),
    async *values() {
      if (batchNorm) yield (await foldedNorm(layer, outputs)).biases;
      else yield bias ? await vector(bias, outputs) : new Float32Array(outputs);
    },
  };
}

// y = γ·(w·x + b − μ)/√(σ² + ε) + β as one convolution: weights times the factor, and a new bias.
async function foldedNorm(
  { bias, batchNorm }: SourceLayer,
  outputs: number,
): Promise<{ factors: Float64Array; biases: Float64Array }> {
  if (!batchNorm) throw new Error('no batch normalisation to fold');
  const read = async (tensor: StoredTensor | undefined) => tensor && (await vector(tensor, outputs));
  const scale = await read(batchNorm.scale);
  const shift = await read(batchNorm.shift);
  const constants = await read(bias);
  const mean = await vector(batchNorm.mean, outputs);
  const variance = await vector(batchNorm.variance, outputs);
  const factors = Float64Array.from(variance, (value, i) => {
    if (!(value + batchNorm.epsilon > 0)) throw expected('variances ≥ 0', value, batchNorm.variance.name);
    return (scale?.[i] ?? 1) / Math.sqrt(value + batchNorm.epsilon);
  });
  const biases = factors.map(
    (factor, i) => ((constants?.[i] ?? 0) - (mean[i] ?? NaN)) * factor + (shift?.[i] ?? 0),
  );
  return { factors, biases };
}

async function vector(tensor: StoredTensor, length: number): Promise<Numbers> {
  if (tensor.shape.length !== 1 || tensor.shape[0] !== length) {
    throw expected(`shape [${String(length)}]`, tensor.shape, tensor.name);
  }
  return finiteNumbers(await tensor.read(0, length), tensor);
}

// Whole rows of a tensor whose first axis is outputs.
async function* inOrder(tensor: StoredTensor, length: number): AsyncGenerator<Numbers> {
  const rows = Math.max(1, Math.floor(PIECE / length)) * length;
  const total = elements(tensor.shape);
  for (let start = 0; start < total; start += rows) {
    const count = Math.min(rows, total - start);
    yield finiteNumbers(await tensor.read(start, count), tensor);
  }
}

// Whole rows of a tensor whose last axis is outputs: it must be in memory once, already turned.
async function* transposed(
  tensor: StoredTensor,
  outputs: number,
  length: number,
): AsyncGenerator<Numbers> {
  const turned = new (tensor.dtype === 'F64' ? Float64Array : Float32Array)(outputs * length);
  const inputs = Math.max(1, Math.floor(PIECE / outputs));
  for (let first = 0; first < length; first += inputs) {
    const count = Math.min(inputs, length - first);
    const piece = finiteNumbers(await tensor.read(first * outputs, count * outputs), tensor);
    for (let output = 0; output < outputs; output++) {
      const row = output * length + first;
      for (let input = 0; input < count; input++) turned[row + input] = piece[input * outputs + output] ?? NaN;
    }
  }
  const rows = Math.max(1, Math.floor(PIECE / length)) * length;
  for (let start = 0; start < turned.length; start += rows) yield turned.subarray(start, start + rows);
}

function arranged(
  rows: Numbers,
  length: number,
  { order, factors }: RowPlan,
  outputFactors: Float64Array | undefined,
): Numbers {
  const exact = factors !== undefined || outputFactors !== undefined || rows instanceof Float64Array;
  const result = new (exact ? Float64Array : Float32Array)(rows.length);
  for (let row = 0, output = 0; row < rows.length; row += length, output++) {
    const outputFactor = outputFactors?.[output] ?? 1;
    for (let i = 0; i < length; i++) {
      const value = rows[row + (order ? (order[i] ?? 0) : i)] ?? NaN;
      result[row + i] = exact ? value * (factors ? (factors[i] ?? NaN) : 1) * outputFactor : value;
    }
  }
  return result;
}
