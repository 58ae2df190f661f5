// The weights and pixels of test/golden/training: numbers that are a hash of their place, as make.py has them.

import { networkLayers, weightShapes, elements, type NetworkSpec } from '../../vgg/index.ts';
import type { TrainingNetwork } from '../../services/trainer/network/network.ts';
import type { TrainingBatch } from '../../services/trainer/batches.ts';

// Numbers in [-1, 1) from a key, from a place in its sequence.
function hashed(key: number, count: number, first = 0): Float64Array {
  const values = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    let x = (first + i + key * 1000003) >>> 0;
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    values[i] = ((x ^ (x >>> 16)) >>> 0) / 2 ** 31 - 1;
  }
  return values;
}

/** Images of whole levels from -128 to 127 and their classes, from a place in the sequence of images. */
export function hashedBatch(spec: NetworkSpec, first: number, images: number): TrainingBatch {
  const length = elements([spec.inputSize, spec.inputSize, 3]);
  const pixels = hashed(999, images * length, first * length);
  return {
    pixels: Float32Array.from(pixels, (value) => Math.floor(value * 128)),
    classes: Int32Array.from({ length: images }, (_, i) => (first + i) % spec.classes),
  };
}

/** Sets all weights of a network to the hashed ones. */
export function setHashedWeights(network: TrainingNetwork): void {
  const { spec, variables } = network;
  for (const [key, layer] of networkLayers(spec)
    .filter((each) => each.kind === 'conv')
    .entries()) {
    const { name, kernel, inChannels, outChannels } = layer;
    const fan = inChannels * kernel ** 2;
    const limit = Math.fround(Math.sqrt(6 / fan) * (name === 'fc8' ? 0.005 : 1));
    const weight = Float32Array.from(hashed(2 * key + 1, outChannels * fan)).map((value) => value * limit);
    variables.write(`${name}.weight`, fromCanonical(weight, [outChannels, inChannels, kernel, kernel]));
    const vector = Float32Array.from(hashed(2 * key + 2, outChannels));
    if (variables.has(`${name}.bias`))
      variables.write(
        `${name}.bias`,
        vector.map((value) => value / 8),
      );
    else {
      variables.write(
        `${name}.scale`,
        vector.map((value) => 1 + value / 4),
      );
      variables.write(
        `${name}.shift`,
        vector.map((value) => value / 2),
      );
    }
  }
}

/** A tensor of the training form in the order [out, in, height, width]; vectors stay. */
export function toCanonical(spec: NetworkSpec, name: string, values: Float32Array): Float32Array {
  const [out = 0, inputs = 0, height = 1, width = 1] =
    weightShapes(spec).find((each) => each.name === name)?.shape ?? [];
  if (!name.endsWith('.weight')) return values;
  const turned = new Float32Array(values.length);
  let i = 0;
  for (let o = 0; o < out; o++)
    for (let c = 0; c < inputs; c++)
      for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++) turned[i++] = values[((y * width + x) * inputs + c) * out + o] ?? NaN;
  return turned;
}

function fromCanonical(
  values: Float32Array,
  [out = 0, inputs = 0, height = 0, width = 0]: number[],
): Float32Array {
  const turned = new Float32Array(values.length);
  let i = 0;
  for (let o = 0; o < out; o++)
    for (let c = 0; c < inputs; c++)
      for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++) turned[((y * width + x) * inputs + c) * out + o] = values[i++] ?? NaN;
  return turned;
}
