// This project's own names: conv1_1.weight … fc8.bias, fully connected layers in convolutional form.

import { VggError, expected } from '../../../vgg/index.ts';
import type { Checkpoint, Preprocessing, Release, SourceLayer, StoredTensor } from '../release.ts';

/** The paper's: red, green, blue levels minus the mean, nothing else. */
const PAPER_PREPROCESSING: Preprocessing = {
  mean: [123.68, 116.78, 103.94],
  std: [1, 1, 1],
  channels: 'RGB',
  kernel: 'linear',
};

const NAME = /^(conv\d+_\d+|fc[678])\.(weight|bias)$/;

/** Whether a checkpoint has the canonical names. */
export function hasCanonicalNames({ tensors }: Checkpoint): boolean {
  return tensors.some(({ name }) => NAME.test(name));
}

/**
 * A checkpoint in canonical names as a release.
 *
 * @throws VggError INVALID_ARGUMENT if a tensor has another name, or a bias no weights
 */
export function canonicalNames(checkpoint: Checkpoint): Release {
  const weights = new Map<string, StoredTensor>();
  const biases = new Map<string, StoredTensor>();
  for (const tensor of checkpoint.tensors) {
    const [, layer, part] = NAME.exec(tensor.name) ?? [];
    if (layer === undefined)
      throw expected('canonical names, conv1_1.weight … fc8.bias, alone', tensor.name, tensor.name);
    (part === 'bias' ? biases : weights).set(layer, tensor);
  }
  const layers = [...weights.keys()].sort(inNetworkOrder).map((name): SourceLayer => {
    const [weight, bias] = [weights.get(name), biases.get(name)];
    if (!weight || !bias) throw expected(`tensor ${name}.bias beside ${name}.weight`, 'none', `${name}.bias`);
    biases.delete(name);
    return { name, weight, axes: 'OIHW', bias };
  });
  const [alone] = biases.values();
  if (alone) {
    throw new VggError('INVALID_ARGUMENT', `Expected weights beside ${alone.name} but received none`);
  }
  return {
    layout: `canonical names, ${checkpoint.format}`,
    layers,
    flatten: 'CHW',
    preprocessing: PAPER_PREPROCESSING,
    ignored: [],
    close: () => checkpoint.close(),
  };
}

// conv1_1 … conv5_4, then fc6 … fc8: 'c' is before 'f', and numbers have one digit.
function inNetworkOrder(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
