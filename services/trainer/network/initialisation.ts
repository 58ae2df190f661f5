// How weights begin: at random from the run's seed, or from a trained model (Section 3.1). Biases are 0, batch
// normalisation scales by 1 and shifts by 0, and constructing a network has seen to that.

import { elements } from '../../../vgg/index.ts';
import { openModel } from '../../../models/store.ts';
import { randomAt, type Random } from '../../../vgg/random.ts';
import type { Initialisation, Recipe } from '../recipe.ts';
import type { TrainingNetwork } from './network.ts';
import { copyLayers } from './pre-training.ts';
import { variableShapes } from './variables.ts';

/**
 * Sets all weights of a new network.
 *
 * @returns names of the layers that were copied from `recipe.from`
 * @throws VggError NOT_FOUND or INVALID_ARGUMENT if the model is none or does not fit
 */
export async function initialise(
  network: TrainingNetwork,
  { initialisation, seed, from }: Pick<Recipe, 'initialisation' | 'seed' | 'from'>,
): Promise<string[]> {
  for (const { name, layer, role, shape } of variableShapes(network.spec)) {
    if (role !== 'weight') continue;
    // The last layer's outputs are scores: no ReLU takes half of their variance.
    const gain = layer === 'fc8' ? 1 : 2;
    const random = randomAt(seed, 'initialisation', name);
    network.variables.write(name, drawn(DISTRIBUTIONS[initialisation](random, shape, gain), elements(shape)));
  }
  return from ? copyLayers(network, await openModel(from.model), from.layers) : [];
}

type Distribution = (random: Random, shape: readonly number[], gain: number) => () => number;

const DISTRIBUTIONS: Record<Initialisation, Distribution> = {
  // Glorot and Bengio 2010: variance 2 / (fan in + fan out).
  glorot: (random, shape) => {
    const { fanIn, fanOut } = fans(shape);
    const limit = Math.sqrt(6 / (fanIn + fanOut));
    return () => limit * (2 * random.next() - 1);
  },
  // The paper: variance 10⁻².
  normal: (random) => () => 0.1 * random.normal(),
  // He et al. 2015. Convolutions by fan out: gradients keep their size. Fully connected layers by fan in, as outputs
  // are much fewer than inputs (fc6: 4096 of 25088): by fan out scores would begin tens in size.
  kaiming: (random, shape, gain) => {
    const { fanIn, fanOut } = fans(shape);
    const deviation = Math.sqrt(gain / (shape.length === 2 ? fanIn : fanOut));
    return () => deviation * random.normal();
  },
};

// [h, w, in, out] or [in, out]
function fans(shape: readonly number[]): { fanIn: number; fanOut: number } {
  const [inputs = 0, outputs = 0] = shape.slice(-2);
  const places = elements(shape.slice(0, -2));
  return { fanIn: places * inputs, fanOut: places * outputs };
}

function drawn(next: () => number, count: number): Float32Array {
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) values[i] = next();
  return values;
}
