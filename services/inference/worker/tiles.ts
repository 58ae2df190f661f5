// Which layers are computed in tiles, how many tiles at once, and weights in the form that products want. Knows
// layers; neither plans nor libraries.

import type { ConvLayer } from '../../../vgg/networks.ts';
import { transformedFilters, winograd } from '../../../vgg/sharing/winograd.ts';

// What a strip reads and writes should stay in the cores' caches.
const STRIP_BYTES = 10e6;
const LEAST_TILES = 512;

/** Outputs along a side of a tile: F(4, 3) and F(2, 5) of Winograd, which take tiles of 6 × 6; pixels have too few channels. */
export function tileOutputs({ kernel, inChannels }: ConvLayer): number {
  if (kernel === 1 || inChannels <= 3) return 0;
  return kernel === 3 ? 4 : 2;
}

/** Tiles of a strip. */
export function stripTiles(layer: ConvLayer): number {
  const { kernel, inChannels, outChannels } = layer;
  const places = (tileOutputs(layer) + kernel - 1) ** 2;
  return Math.max(LEAST_TILES, Math.round(STRIP_BYTES / (4 * places * (inChannels + outChannels))));
}

/** A layer's weights as its products want them. */
export interface StageWeights {
  readonly values: Float32Array<ArrayBuffer>;
  /** [inputs², in, out] of tiles, else [kernel² · in, out]. */
  readonly shape: readonly number[];
}

/** @param weights [out, in, kernel, kernel] */
export function stageWeights(layer: ConvLayer, weights: Float32Array): StageWeights {
  const { inChannels, outChannels, kernel } = layer;
  const outputs = tileOutputs(layer);
  if (outputs > 0) {
    const form = winograd(outputs, kernel);
    const values = transformedFilters(form, weights, inChannels, outChannels);
    return { values, shape: [form.inputs ** 2, inChannels, outChannels] };
  }
  const area = kernel * kernel;
  const values = new Float32Array(weights.length);
  for (let out = 0, from = 0; out < outChannels; out++)
    for (let channel = 0; channel < inChannels; channel++)
      for (let place = 0; place < area; place++, from++)
        values[(place * inChannels + channel) * outChannels + out] = weights[from] ?? 0;
  return { values, shape: [area * inChannels, outChannels] };
}
