// What each layer of a network makes of an image: output size, receptive field, parameters, products.

import { expected } from './errors.ts';
import { layerParameters, networkLayers, type NetworkSpec } from './networks.ts';

/** One layer at work on an image of a given size. */
export interface LayerDescription {
  name: string;
  kind: 'conv' | 'lrn' | 'pool';
  /** Side of the kernel in locations of its input. */
  kernel: number;
  /** Output, in locations and channels. */
  height: number;
  width: number;
  channels: number;
  /** Side of the square of input pixels that one output location sees. */
  receptiveField: number;
  /** Input pixels between neighbouring output locations. */
  stride: number;
  parameters: number;
  /** Multiply-accumulates for this image. */
  macs: number;
}

/** A network at work on an image of a given size. */
export interface NetworkDescription {
  spec: NetworkSpec;
  /** Layers with weights. */
  weightLayers: number;
  parameters: number;
  macs: number;
  layers: LayerDescription[];
}

/**
 * Describes a network layer by layer for an image of height × width pixels, each ≥ inputSize
 * (by default one crop). Receptive field: RF_n = RF_{n-1} + (k_n − 1)·S_{n-1}, S the product of the
 * strides before layer n.
 */
export function describeNetwork(
  spec: NetworkSpec,
  size: { height: number; width: number } = { height: spec.inputSize, width: spec.inputSize },
): NetworkDescription {
  for (const side of ['height', 'width'] as const) {
    if (!(Number.isInteger(size[side]) && size[side] >= spec.inputSize)) {
      throw expected(`${side} ≥ ${String(spec.inputSize)} pixels`, size[side], side);
    }
  }
  let { height, width } = size;
  let channels = 3;
  let receptiveField = 1;
  let stride = 1;
  const layers = networkLayers(spec).map((layer): LayerDescription => {
    let products = 0;
    const kernel = layer.kind === 'conv' ? layer.kernel : layer.kind === 'pool' ? 2 : 1;
    receptiveField += (kernel - 1) * stride;
    if (layer.kind === 'conv') {
      height += 2 * layer.pad - kernel + 1;
      width += 2 * layer.pad - kernel + 1;
      products = height * width * kernel ** 2 * channels * layer.outChannels;
      channels = layer.outChannels;
    } else if (layer.kind === 'pool') {
      height = Math.floor(height / 2);
      width = Math.floor(width / 2);
      stride *= 2;
    }
    return {
      name: layer.name,
      kind: layer.kind,
      kernel,
      height,
      width,
      channels,
      receptiveField,
      stride,
      parameters: layerParameters(layer),
      macs: products,
    };
  });
  return {
    spec,
    weightLayers: layers.filter((layer) => layer.kind === 'conv').length,
    parameters: layers.reduce((sum, layer) => sum + layer.parameters, 0),
    macs: layers.reduce((sum, layer) => sum + layer.macs, 0),
    layers,
  };
}
