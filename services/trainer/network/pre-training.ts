// Layers of a trained model become the beginning of another network: the paper's pre-initialisation, and
// fine-tuning at another scale. Knows which layers are taken and how their numbers lie; draws nothing.

import { open } from 'node:fs/promises';
import type { OpenModel } from '../../../models/store.ts';
import { expected, networkLayers, toFloat32, type ConvLayer } from '../../../vgg/index.ts';
import { NORM_EPSILON, type TrainingNetwork } from './network.ts';

/** Convolutions of A that the paper copies: "the first four". */
const FIRST_CONVOLUTIONS = 4;

/**
 * Copies layers of a model whose name and shape are the network's.
 *
 * - `first-layers`: the first four convolutions and the fully connected layers of a trained A (Section 3.1). A's
 *   first four are conv1_1, conv2_1, conv3_1 and conv3_2; by their widths they can only go to the layers of
 *   those names, not to the deeper network's first four. fc8 is copied if the classes are as many.
 * - `all`: every layer, from a model of the same row and width. fc6 needs the same input size, fc8 as many classes.
 *
 * Copied layers learn at the same rate as others. Models have batch normalisation folded into their weights; a
 * network that has it gets the copied convolutions with a scale and shift that undo normalising, taken from
 * the first piece of training: both forms then compute what the model computes, and learn on from there.
 *
 * @returns names of the copied layers, in order
 * @throws VggError INVALID_ARGUMENT naming what does not fit
 */
export async function copyLayers(
  network: TrainingNetwork,
  model: OpenModel,
  layers: 'first-layers' | 'all',
): Promise<string[]> {
  const { spec } = network;
  const rows = layers === 'all' ? [spec.network] : ['A', 'A-LRN'];
  if (!rows.includes(model.spec.network))
    throw expected(`a model of network ${rows.join(' or ')}`, model.spec.network, 'from.model');
  if (model.spec.width !== spec.width)
    throw expected(`a model of width ${String(spec.width)}`, model.spec.width, 'from.model');
  const offered = convLayers(model.spec);
  const taken = layers === 'all' ? offered : [...offered.slice(0, FIRST_CONVOLUTIONS), ...offered.slice(-3)];
  const copied = taken.filter((layer) => {
    const own = convLayers(spec).find(({ name }) => name === layer.name);
    if (own && sameShape(own, layer)) return true;
    if (layers === 'first-layers' && layer.name !== 'fc8')
      throw expected(`${layer.name} of shape ${shown(own)}`, shown(layer), 'from.model');
    return false;
  });
  const file = await open(model.weightsPath, 'r');
  try {
    const read = async (name: string) => {
      const entry = model.tensors.find((tensor) => tensor.name === name);
      if (!entry) throw expected(`tensor ${name}`, 'none', model.weightsPath);
      const bytes = new Uint8Array(entry.bytes);
      await file.read(bytes, 0, bytes.length, entry.offset);
      return toFloat32(bytes, entry.dtype);
    };
    for (const layer of copied)
      writeLayer(network, layer, await read(`${layer.name}.weight`), await read(`${layer.name}.bias`));
  } finally {
    await file.close();
  }
  return copied.map(({ name }) => name);
}

function writeLayer(
  network: TrainingNetwork,
  layer: ConvLayer,
  weight: Float32Array,
  bias: Float32Array,
): void {
  const { name } = layer;
  const { variables, progress } = network;
  variables.write(`${name}.weight`, outputsLast(weight, layer));
  if (variables.has(`${name}.bias`)) {
    variables.write(`${name}.bias`, bias);
    return;
  }
  // Until training looks at its first piece, running statistics that change nothing.
  variables.write(`${name}.shift`, bias);
  variables.write(`${name}.variance`, new Float32Array(bias.length).fill(1 - NORM_EPSILON));
  network.progress = { ...progress, uncalibrated: [...progress.uncalibrated, name] };
}

// [out, in, h, w] → [h, w, in, out]
function outputsLast(values: Float32Array, { outChannels, inChannels, kernel }: ConvLayer): Float32Array {
  const places = kernel * kernel;
  const turned = new Float32Array(values.length);
  for (let output = 0, i = 0; output < outChannels; output++) {
    for (let input = 0; input < inChannels; input++) {
      for (let place = 0; place < places; place++, i++)
        turned[(place * inChannels + input) * outChannels + output] = values[i] ?? NaN;
    }
  }
  return turned;
}

function convLayers(spec: OpenModel['spec']): ConvLayer[] {
  return networkLayers(spec).filter((layer) => layer.kind === 'conv');
}

function sameShape(a: ConvLayer, b: ConvLayer): boolean {
  return a.kernel === b.kernel && a.inChannels === b.inChannels && a.outChannels === b.outChannels;
}

function shown(layer: ConvLayer | undefined): string {
  return layer
    ? JSON.stringify([layer.outChannels, layer.inChannels, layer.kernel, layer.kernel])
    : 'no such layer';
}
