// How many tiles are computed at once, and filters in the form that products want. Knows layers; neither plans nor
// libraries.

import type { ConvLayer, PoolLayer } from '../../../vgg/networks.ts';
import { tileOutputs } from '../../../vgg/sharing/tile-sides.ts';
import { transformedFilters, winograd } from '../../../vgg/sharing/winograd.ts';

// What a strip reads and writes should stay in the cores' caches, and its filters be read for enough tiles.
const STRIP_BYTES = 4e6;
const LEAST_TILES = 400;
const STRIP_ROWS = 16_384;

/** Tiles, or rows, of a strip at most. */
export function stripSize(layer: ConvLayer | PoolLayer): number {
  if (layer.kind === 'pool') return STRIP_ROWS;
  // All at once: fc6 reads its weights once.
  if (layer.name === 'fc6') return Infinity;
  const { kernel, inChannels, outChannels } = layer;
  const places = (tileOutputs(layer) + kernel - 1) ** 2;
  return Math.max(LEAST_TILES, Math.round(STRIP_BYTES / (4 * places * (inChannels + outChannels))));
}

/** A layer's weights as its products want them. */
export interface Filters {
  readonly values: Float32Array<ArrayBuffer>;
  readonly shape: readonly number[];
}

/** Of Winograd's form: [out, in, kernel, kernel] → [inputs², in, out]. */
export function winogradFilters(layer: ConvLayer, weights: Float32Array): Filters {
  const { inChannels, outChannels, kernel } = layer;
  const form = winograd(tileOutputs(layer), kernel);
  const values = transformedFilters(form, weights, inChannels, outChannels);
  return { values, shape: [form.inputs ** 2, inChannels, outChannels] };
}

/** Of one product over what an output reads: [out, in, kernel, kernel] → [kernel² · in, out]. */
export function productFilters(layer: ConvLayer, weights: Float32Array): Filters {
  const { inChannels, outChannels, kernel } = layer;
  const area = kernel * kernel;
  const values = new Float32Array(weights.length);
  for (let out = 0, from = 0; out < outChannels; out++)
    for (let channel = 0; channel < inChannels; channel++)
      for (let place = 0; place < area; place++, from++)
        values[(place * inChannels + channel) * outChannels + out] = weights[from] ?? 0;
  return { values, shape: [area * inChannels, outChannels] };
}

/** Numbers of a pixel: red, green, blue, and a one where a view has a pixel. */
export const PIXEL_CHANNELS = 4;

/**
 * Of one product over the pixels that an output reads, [out, 3, kernel, kernel] → [kernel² · {@link PIXEL_CHANNELS}, out].
 * The one in the middle, which is always a view's own, brings the bias; so what reads no pixel at all is zero.
 */
export function pixelFilters(layer: ConvLayer, weights: Float32Array, bias: Float32Array): Filters {
  const { inChannels, outChannels, kernel } = layer;
  const area = kernel * kernel;
  const values = new Float32Array(area * PIXEL_CHANNELS * outChannels);
  for (let out = 0, from = 0; out < outChannels; out++)
    for (let channel = 0; channel < inChannels; channel++)
      for (let place = 0; place < area; place++, from++)
        values[(place * PIXEL_CHANNELS + channel) * outChannels + out] = weights[from] ?? 0;
  values.set(bias, (((area - 1) / 2) * PIXEL_CHANNELS + inChannels) * outChannels);
  return { values, shape: [area * PIXEL_CHANNELS, outChannels] };
}
