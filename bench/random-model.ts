// A model folder with random weights for any network, so that benches and tests need no download.
// Knows networks and the format of weights; does not know engines.

import { existsSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeModel } from '../models/store.ts';
import { formatSafetensorsHeader, networkLayers, type ConvLayer, type NetworkSpec } from '../vgg/index.ts';

interface RandomTensor {
  name: string;
  dtype: 'F32';
  shape: number[];
  /** Half of the range of its values; 0 for biases. */
  range: number;
}

// Pixels reach ±128 or so: the first layer brings them to about 1.
const PIXEL_RANGE = 64;

/**
 * A model with He-initialised float32 weights, so that activations keep their size through all layers.
 * It is written once and kept.
 *
 * @param parent folder of models; by default one in the system's temporary folder
 * @param seed the same seed gives the same weights
 * @returns the model's folder
 */
export async function randomModel(spec: NetworkSpec, parent = benchFolder(), seed = 1): Promise<string> {
  const { network, width, hidden, classes, inputSize } = spec;
  const name = ['random', network, width, hidden, classes, inputSize]
    .join('-')
    .toLowerCase()
    .replace('.', '_');
  const folder = join(parent, name);
  if (existsSync(folder)) return folder;
  mkdirSync(parent, { recursive: true });
  const tensors = networkLayers(spec)
    .filter((layer) => layer.kind === 'conv')
    .flatMap(tensorsOf);
  const facts = {
    ...{ name, network, width, hidden, classes, inputSize },
    mean: [123.68, 116.78, 103.94] as [number, number, number],
    scales: [Math.round((inputSize * 8) / 7)],
    kernel: 'linear' as const,
    provenance: 'Random weights, for measuring speed and memory only.',
    licence: 'CC0-1.0',
  };
  const labels = Array.from({ length: classes }, (_, index) => `class ${String(index)}`);
  return writeModel(parent, facts, labels, weightChunks(tensors, seed));
}

function benchFolder(): string {
  return join(tmpdir(), 'vgg-serve-bench');
}

function tensorsOf({ name, kernel, inChannels, outChannels }: ConvLayer): RandomTensor[] {
  const deviation = Math.sqrt(2 / (inChannels * kernel * kernel)) / (name === 'conv1_1' ? PIXEL_RANGE : 1);
  // A uniform number of this range has that deviation.
  const range = Math.sqrt(3) * deviation;
  return [
    { name: `${name}.weight`, dtype: 'F32', shape: [outChannels, inChannels, kernel, kernel], range },
    { name: `${name}.bias`, dtype: 'F32', shape: [outChannels], range: 0 },
  ];
}

function* weightChunks(tensors: readonly RandomTensor[], seed: number): Iterable<Uint8Array> {
  yield formatSafetensorsHeader(tensors);
  const random = uniform(seed);
  for (const { shape, range } of tensors) {
    const values = new Float32Array(shape.reduce((product, side) => product * side, 1));
    if (range > 0) for (let i = 0; i < values.length; i++) values[i] = (random() * 2 - 1) * range;
    yield new Uint8Array(values.buffer);
  }
}

/** Numbers in [0, 1): Marsaglia's xorshift. */
function uniform(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
