// The networks of the paper's Table 1 as rows, and a row as the list of its layers.
// Knows shapes, not weights: a network is a row plus width, hidden, classes and inputSize.

import { expected } from './errors.ts';

/** Row of Table 1; B-5x5 is Section 2.3's shallow net, B with each pair of 3×3 replaced by one 5×5. */
export const NETWORK_NAMES = ['A', 'A-LRN', 'B', 'C', 'D', 'E', 'B-5x5'] as const;

/** See {@link NETWORK_NAMES}. */
export type NetworkName = (typeof NETWORK_NAMES)[number];

/** Everything that fixes a network's shape. */
export interface NetworkSpec {
  network: NetworkName;
  /** Multiplier of every convolution's width, > 0; 1 in the paper. */
  width: number;
  /** Outputs of fc6 and fc7, ≥ 1; 4096 in the paper. */
  hidden: number;
  /** Outputs of fc8, ≥ 1; 1000 in the paper. */
  classes: number;
  /** Side of a crop in pixels, a multiple of 32 from 32 to 1024; 224 in the paper. */
  inputSize: number;
  /** Training form with batch normalisation after each convolution of the body. */
  batchNorm?: boolean;
}

/** Stride 1, zero padding `pad` on each side, a bias; ReLU after it unless it is fc8. */
export interface ConvLayer {
  kind: 'conv';
  /** conv1_1 … conv5_4, fc6, fc7, fc8. */
  name: string;
  kernel: number;
  pad: number;
  inChannels: number;
  outChannels: number;
  relu: boolean;
  /** Batch normalisation between convolution and ReLU, with eps 1e-5. */
  batchNorm: boolean;
}

/** Local response normalisation as Krizhevsky et al. 2012 write it: alpha is not divided by size. */
export interface LrnLayer {
  kind: 'lrn';
  name: string;
  size: number;
  alpha: number;
  beta: number;
  k: number;
}

/** Max-pooling 2×2, stride 2, no padding, floor. */
export interface PoolLayer {
  kind: 'pool';
  name: string;
}

/** One step of a network. */
export type Layer = ConvLayer | LrnLayer | PoolLayer;

/** Product of all strides of the body: one location of the class score map is 32 pixels wide. */
export const TOTAL_STRIDE = 32;

// Kernel sizes of each block's convolutions, top to bottom.
const ROWS: Record<NetworkName, readonly (readonly number[])[]> = {
  A: [[3], [3], [3, 3], [3, 3], [3, 3]],
  'A-LRN': [[3], [3], [3, 3], [3, 3], [3, 3]],
  B: [
    [3, 3],
    [3, 3],
    [3, 3],
    [3, 3],
    [3, 3],
  ],
  C: [
    [3, 3],
    [3, 3],
    [3, 3, 1],
    [3, 3, 1],
    [3, 3, 1],
  ],
  D: [
    [3, 3],
    [3, 3],
    [3, 3, 3],
    [3, 3, 3],
    [3, 3, 3],
  ],
  E: [
    [3, 3],
    [3, 3],
    [3, 3, 3, 3],
    [3, 3, 3, 3],
    [3, 3, 3, 3],
  ],
  'B-5x5': [[5], [5], [5], [5], [5]],
};

const BLOCK_WIDTHS = [64, 128, 256, 512, 512] as const;

/**
 * The layers of a network in order, in its fully convolutional form: fc6 is a convolution over the
 * whole inputSize/32 × inputSize/32 map without padding, fc7 and fc8 are 1×1 (Section 3.2).
 */
export function networkLayers(spec: NetworkSpec): Layer[] {
  checkSpec(spec);
  const layers: Layer[] = [];
  let channels = 3;
  for (const [block, kernels] of ROWS[spec.network].entries()) {
    const outChannels = convWidth(spec.width, block);
    for (const [position, kernel] of kernels.entries()) {
      layers.push({
        kind: 'conv',
        name: `conv${String(block + 1)}_${String(position + 1)}`,
        kernel,
        pad: (kernel - 1) / 2,
        inChannels: channels,
        outChannels,
        relu: true,
        batchNorm: spec.batchNorm ?? false,
      });
      channels = outChannels;
      if (spec.network === 'A-LRN' && layers.length === 1) {
        layers.push({ kind: 'lrn', name: 'lrn1', size: 5, alpha: 1e-4, beta: 0.75, k: 2 });
      }
    }
    layers.push({ kind: 'pool', name: `pool${String(block + 1)}` });
  }
  layers.push(
    connected('fc6', spec.inputSize / TOTAL_STRIDE, channels, spec.hidden, true),
    connected('fc7', 1, spec.hidden, spec.hidden, true),
    connected('fc8', 1, spec.hidden, spec.classes, false),
  );
  return layers;
}

/** Channels of a block's convolutions (0 to 4) at a width multiplier. */
export function convWidth(width: number, block: number): number {
  return Math.max(1, Math.round((BLOCK_WIDTHS[block] ?? NaN) * width));
}

/** Multiply-accumulates of one pass over an image of this size, in pixels. */
export function macs(spec: NetworkSpec, height: number, width: number): number {
  let total = 0;
  for (const layer of networkLayers(spec)) {
    if (layer.kind === 'pool') {
      height = Math.floor(height / 2);
      width = Math.floor(width / 2);
    } else if (layer.kind === 'conv') {
      height += 2 * layer.pad - layer.kernel + 1;
      width += 2 * layer.pad - layer.kernel + 1;
      total += height * width * layer.kernel ** 2 * layer.inChannels * layer.outChannels;
    }
  }
  return total;
}

/** Weights and biases, with scale and shift of batch normalisation in the training form. */
export function parameterCount(spec: NetworkSpec): number {
  return networkLayers(spec).reduce((sum, layer) => sum + layerParameters(layer), 0);
}

/** Weights and biases of one layer. */
export function layerParameters(layer: Layer): number {
  if (layer.kind !== 'conv') return 0;
  const { kernel, inChannels, outChannels, batchNorm } = layer;
  return outChannels * (kernel ** 2 * inChannels + 1 + (batchNorm ? 2 : 0));
}

/** Throws INVALID_ARGUMENT unless every number of the spec is in range. */
export function checkSpec(spec: NetworkSpec): void {
  if (!NETWORK_NAMES.includes(spec.network)) {
    throw expected(`network to be one of ${NETWORK_NAMES.join(', ')}`, spec.network, 'network');
  }
  if (!(typeof spec.width === 'number' && spec.width > 0 && spec.width <= 8))
    throw expected('0 < width ≤ 8', spec.width, 'width');
  for (const field of ['hidden', 'classes'] as const) {
    if (!(Number.isInteger(spec[field]) && spec[field] >= 1 && spec[field] <= 1_000_000)) {
      throw expected(`${field} from 1 to 1000000`, spec[field], field);
    }
  }
  checkInputSize(spec.inputSize);
}

/** Throws INVALID_ARGUMENT unless inputSize is a multiple of 32 from 32 to 1024. */
export function checkInputSize(inputSize: number): void {
  if (!(
    Number.isInteger(inputSize) &&
    inputSize % TOTAL_STRIDE === 0 &&
    inputSize >= TOTAL_STRIDE &&
    inputSize <= 1024
  )) {
    throw expected('inputSize to be a multiple of 32 from 32 to 1024', inputSize, 'inputSize');
  }
}

function connected(
  name: string,
  kernel: number,
  inChannels: number,
  outChannels: number,
  relu: boolean,
): ConvLayer {
  return { kind: 'conv', name, kernel, pad: 0, inChannels, outChannels, relu, batchNorm: false };
}
