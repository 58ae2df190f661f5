// What a weights file is, once it was opened: the layers of a VGG network, their tensors still in the file.
// The seam of importing: every layout reader gives this, and layers.ts turns it into the canonical layout.

import type { Kernel, NetworkName } from '../../vgg/index.ts';

/** A tensor that is still in its file. */
export interface StoredTensor {
  /** Its name in the file; errors name it. */
  name: string;
  /** F64, F32, F16 or BF16; or what the file calls a type that weights cannot have, such as I64. */
  dtype: string;
  /** Row-major, as the file has it. */
  shape: readonly number[];
  /**
   * Reads `count` elements from element `start`, in row-major order whatever the strides in the file.
   *
   * @returns little-endian bytes of `dtype`; the caller may change them
   * @throws VggError INVALID_ARGUMENT if the file ends before
   */
  read(start: number, count: number): Promise<Uint8Array>;
}

/** Named tensors of a file, before anybody knows what network they make. Must be closed. */
export interface Checkpoint {
  /** In words: `PyTorch zip`, `safetensors`, `HDF5`. */
  format: string;
  tensors: readonly StoredTensor[];
  close(): Promise<void>;
}

/** Batch normalisation after a convolution: y = scale · (x − mean) / √(variance + epsilon) + shift. */
export interface BatchNorm {
  /** [channels]; 1 if there is none. */
  scale?: StoredTensor;
  /** [channels]; 0 if there is none. */
  shift?: StoredTensor;
  mean: StoredTensor;
  variance: StoredTensor;
  epsilon: number;
}

/**
 * How a layer's weights lie in the file.
 * - `OIHW`: [out, in, height, width] — PyTorch, Caffe, ONNX, canonical
 * - `HWIO`: [height, width, in, out] — Keras
 * - `OI`: [out, in] of a fully connected layer; `IO`: [in, out]
 */
export type Axes = 'OIHW' | 'HWIO' | 'OI' | 'IO';

/** One layer with weights. */
export interface SourceLayer {
  /** conv1_1 … conv5_4, fc6, fc7, fc8. */
  name: string;
  weight: StoredTensor;
  axes: Axes;
  /** 0 if there is none. */
  bias?: StoredTensor;
  batchNorm?: BatchNorm;
}

/** How the publisher's pixels become the network's input: (pixel − mean) / std, channels in this order. */
export interface Preprocessing {
  /** Red, green, blue levels, 0 to 255. */
  mean: [number, number, number];
  /** Red, green, blue, in levels, > 0. */
  std: [number, number, number];
  /** Order of conv1_1's input channels. */
  channels: 'RGB' | 'BGR';
  /** Resize kernel. */
  kernel: Kernel;
}

/** A weights file, opened and recognised. Must be closed. */
export interface Release {
  /** What it was recognised as, in words: `torchvision names, PyTorch zip`. */
  layout: string;
  /** The row, where the file says more than its tensors do (with or without LRN). */
  network?: NetworkName;
  /** In the order of the network, fc6 to fc8 last. */
  layers: SourceLayer[];
  /** Order in which fc6's inputs were flattened, where its axes are OI or IO. */
  flatten: 'CHW' | 'HWC';
  preprocessing: Preprocessing;
  /** Tensors of the file that inference does not need, such as num_batches_tracked. Every other one is in `layers`. */
  ignored: readonly StoredTensor[];
  close(): Promise<void>;
}

/** torchvision's and timm's preprocessing: pixels in 0–1, ImageNet's mean and deviation. */
export const TORCH_PREPROCESSING: Preprocessing = {
  mean: [255 * 0.485, 255 * 0.456, 255 * 0.406],
  std: [255 * 0.229, 255 * 0.224, 255 * 0.225],
  channels: 'RGB',
  kernel: 'linear',
};

/** The Oxford release's and Keras's: BGR minus the mean pixel of readme and prototxt. */
export const CAFFE_PREPROCESSING: Preprocessing = {
  mean: [123.68, 116.779, 103.939],
  std: [1, 1, 1],
  channels: 'BGR',
  kernel: 'linear',
};
