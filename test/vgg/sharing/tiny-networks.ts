// Tiny networks computed plainly in float64: every view by itself, and plans step by step. Knows layers and lists of
// positions; not how a plan is made.
//
// Both ways add the same numbers in the same order, so that results are compared to the bit.

import {
  networkLayers,
  type ConvLayer,
  type Layer,
  type NetworkName,
  type NetworkSpec,
} from '../../../vgg/networks.ts';
import type { SharedStep } from '../../../vgg/sharing/plan.ts';
import type { Size, View } from '../../../vgg/views.ts';

/** A row of Table 1 with 1 to 8 channels, for crops of 32 × 32. */
export const tinyNetwork = (network: NetworkName): NetworkSpec => ({
  ...{ network, width: 1 / 64, hidden: 2, classes: 2, inputSize: 32 },
});

/** [positions, channels]; position 0 is zero. */
export interface Matrix {
  readonly channels: number;
  readonly values: Float64Array;
}

/** What a layer makes of a view: position 1 + row · width + column. */
export interface ViewState extends Matrix {
  readonly height: number;
  readonly width: number;
}

/** A position's channels. */
export function rowOf({ channels, values }: Matrix, position: number): Float64Array {
  return values.subarray(position * channels, (position + 1) * channels);
}

/** A matrix of so many positions. */
function zeros(positions: number, channels: number): Matrix {
  return { channels, values: new Float64Array(positions * channels) };
}

// A number from −1 to 1 that is the same wherever it is asked for.
function hashed(...of: readonly number[]): number {
  let hash = 2166136261;
  for (const each of of) hash = Math.imul(hash ^ (each + 1), 16777619);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (((hash >>> 8) % 2001) - 1000) / 1000;
}

function setPixel(matrix: Matrix, position: number, x: number, y: number): void {
  for (let c = 0; c < 3; c++) matrix.values[position * 3 + c] = 10 * hashed(x, y, c);
}

/** The plane: position 1 + y · width + x. */
export function planeMatrix({ width, height }: Size): Matrix {
  const matrix = zeros(1 + width * height, 3);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) setPixel(matrix, 1 + y * width + x, x, y);
  return matrix;
}

/** Each layer's name with what it makes of a view by itself, as the paper has it; first the view's pixels. */
export function* viewAlone(spec: NetworkSpec, view: View): Generator<[layer: string, state: ViewState]> {
  const { width, height, mirrored } = view;
  let state: ViewState = { ...zeros(1 + width * height, 3), width, height };
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const x = view.x + (mirrored ? width - 1 - column : column);
      setPixel(state, 1 + row * width + column, x, view.y + row);
    }
  }
  yield ['pixels', state];
  for (const layer of networkLayers(spec)) {
    state = layer.kind === 'lrn' ? { ...state, ...normalised(state) } : slid(layer, state);
    yield [layer.name, state];
  }
}

function slid(layer: Exclude<Layer, { kind: 'lrn' }>, below: ViewState): ViewState {
  const { kernel, pad, stride } =
    layer.kind === 'pool' ? { kernel: 2, pad: 0, stride: 2 } : { ...layer, stride: 1 };
  const [height, width] = [below.height, below.width].map(
    (side) => Math.floor((side + 2 * pad - kernel) / stride) + 1,
  ) as [number, number];
  // Position 0 reads position 0 and is cleared.
  const reads = new Int32Array((1 + height * width) * kernel * kernel);
  let at = kernel * kernel;
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      for (let i = row * stride - pad; i < row * stride - pad + kernel; i++) {
        for (let j = column * stride - pad; j < column * stride - pad + kernel; j++, at++) {
          const inside = i >= 0 && i < below.height && j >= 0 && j < below.width;
          reads[at] = inside ? 1 + i * below.width + j : 0;
        }
      }
    }
  }
  const matrix = layer.kind === 'pool' ? largest(below, reads, 4) : convolved(layer, below, reads);
  matrix.values.fill(0, 0, matrix.channels);
  return { ...matrix, height, width };
}

/** What a step of a plan makes of the state before it. Position 0 is cleared; what is nobody's is whatever came. */
export function stepResult(step: SharedStep, below: Matrix): Matrix {
  const matrix = resultOf(step, below);
  matrix.values.fill(0, 0, matrix.channels);
  return matrix;
}

function resultOf(step: SharedStep, below: Matrix): Matrix {
  const { layer } = step;
  if (step.kind === 'pointwise') {
    if (step.layer.kind === 'lrn') return normalised(below);
    const each = new Int32Array(below.values.length / below.channels).map((_, position) => position);
    return convolved(step.layer, below, each);
  }
  if (step.kind === 'gathered') {
    const { reads, count, size } = step.strips;
    return layer.kind === 'pool'
      ? largest(below, reads, reads.length / (count * size))
      : convolved(step.layer as ConvLayer, below, reads);
  }
  return tiled(step, below);
}

function tiled(
  { layer, pooled, inputs, outputs, strips: { count, size, reads } }: Extract<SharedStep, { kind: 'tiles' }>,
  below: Matrix,
): Matrix {
  const { kernel } = layer;
  const side = inputs - kernel + 1;
  const result = zeros(count * size * outputs ** 2, layer.outChannels);
  const taps = new Int32Array(side * side * kernel * kernel);
  // What each output of a pooled tile is the largest of.
  const quarters = new Int32Array(outputs * outputs * 4);
  for (let i = 0, at = 0; i < outputs; i++) {
    for (let j = 0; j < outputs; j++)
      for (const place of [0, 1, side, side + 1]) quarters[at++] = 2 * i * side + 2 * j + place;
  }
  for (let strip = 0; strip < count; strip++) {
    for (let tile = 0; tile < size; tile++) {
      const read = (row: number, column: number) =>
        reads[(strip * inputs * inputs + row * inputs + column) * size + tile] ?? NaN;
      let at = 0;
      for (let i = 0; i < side; i++)
        for (let j = 0; j < side; j++)
          for (let row = i; row < i + kernel; row++)
            for (let column = j; column < j + kernel; column++) taps[at++] = read(row, column);
      const whole = convolved(layer, below, taps);
      const made = pooled ? largest(whole, quarters, 4) : whole;
      for (let output = 0; output < outputs ** 2; output++) {
        const position = strip * size * outputs ** 2 + output * size + tile;
        rowOf(result, position).set(rowOf(made, output));
      }
    }
  }
  return result;
}

const learned = new Map<string, Float64Array>();

// [out, places, in], then [out] biases; the same for all layers of a name and a shape.
function weightsOf({ name, kernel, inChannels, outChannels }: ConvLayer): Float64Array {
  const count = outChannels * kernel * kernel * inChannels;
  const key = `${name} ${String(count)}`;
  const known = learned.get(key);
  if (known) return known;
  const made = new Float64Array(count + outChannels).map((_, at) => hashed(...Buffer.from(name), at));
  learned.set(key, made);
  return made;
}

/** @param reads [outputs, kernel · kernel] positions */
function convolved(layer: ConvLayer, below: Matrix, reads: Int32Array): Matrix {
  const { outChannels, inChannels, kernel, relu } = layer;
  const places = kernel * kernel;
  const weights = weightsOf(layer);
  const result = zeros(reads.length / places, outChannels);
  // Kept in range, so that sums stay comparable after many layers.
  const scale = 1 / Math.sqrt(inChannels * places);
  for (let output = 0, to = 0; output < reads.length / places; output++) {
    for (let out = 0, weight = 0; out < outChannels; out++, to++) {
      let sum = weights[outChannels * places * inChannels + out] ?? NaN;
      for (let place = 0; place < places; place++) {
        const from = (reads[output * places + place] ?? NaN) * inChannels;
        for (let c = 0; c < inChannels; c++, weight++)
          sum += (below.values[from + c] ?? NaN) * (weights[weight] ?? NaN);
      }
      result.values[to] = relu ? Math.max(0, sum * scale) : sum * scale;
    }
  }
  return result;
}

/** @param reads [outputs, places] positions */
function largest(below: Matrix, reads: Int32Array, places: number): Matrix {
  const { channels, values } = below;
  const result = zeros(reads.length / places, channels);
  for (let to = 0; to < result.values.length; to++) {
    const [output, c] = [Math.floor(to / channels), to % channels];
    let most = -Infinity;
    for (let place = 0; place < places; place++)
      most = Math.max(most, values[(reads[output * places + place] ?? NaN) * channels + c] ?? NaN);
    result.values[to] = most;
  }
  return result;
}

function normalised({ channels, values }: Matrix): Matrix {
  const scaled = values.map((value, at) => {
    const first = at - (at % channels);
    let sum = 0;
    for (let c = Math.max(first, at - 2); c <= Math.min(first + channels - 1, at + 2); c++)
      sum += (values[c] ?? NaN) ** 2;
    return value / (2 + 1e-4 * sum) ** 0.75;
  });
  return { channels, values: scaled };
}
