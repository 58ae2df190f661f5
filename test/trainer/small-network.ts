// Networks that are small enough to train within a test.

import { initialise } from '../../services/trainer/network/initialisation.ts';
import { TrainingNetwork } from '../../services/trainer/network/network.ts';
import { paperRecipe, type Recipe } from '../../services/trainer/recipe.ts';
import type { TensorFlow } from '../../services/host/tensorflow/library.ts';
import type { NetworkSpec } from '../../vgg/index.ts';
import { hashedBatch } from './hashed.ts';

/** Channels 2 to 16, 12 hidden, 5 classes, 64×64. */
export const SMALL = { width: 1 / 32, hidden: 12, classes: 5, inputSize: 64 } as const;

/** A batch of 8 in pieces of 2, Kaiming initialisation. */
export function smallRecipe(changes: Partial<Recipe> = {}): Recipe {
  const paper = paperRecipe('A', SMALL.inputSize);
  return {
    ...paper,
    ...{ width: SMALL.width, hidden: SMALL.hidden, batch: 8, microBatch: 2 },
    ...{ initialisation: 'kaiming', batchNorm: true },
    ...changes,
  };
}

/** A network of a recipe, initialised. */
export async function smallNetwork(tf: TensorFlow, changes: Partial<Recipe> = {}): Promise<TrainingNetwork> {
  const recipe = smallRecipe(changes);
  const { network, batchNorm, width, hidden, inputSize } = recipe;
  const spec: NetworkSpec = { network, batchNorm, width, hidden, inputSize, classes: SMALL.classes };
  const made = new TrainingNetwork(tf, spec, recipe);
  await initialise(made, recipe);
  return made;
}

/** Updates of whole batches in pieces, batch after batch of other images. @returns each piece's loss */
export function train(network: TrainingNetwork, updates: number, pieces = 4, images = 2): number[] {
  const losses: number[] = [];
  for (let update = 0; update < updates; update++) {
    for (let piece = 0; piece < pieces; piece++) {
      const first = (network.progress.updates * pieces + piece) * images;
      losses.push(network.accumulate(hashedBatch(network.spec, first, images)).loss);
    }
    network.apply(1e-3);
  }
  return losses;
}

/** All tensors of a network. */
export function tensorsOf(network: TrainingNetwork): Record<string, Float32Array> {
  const { variables } = network;
  return Object.fromEntries(variables.names().map((name) => [name, variables.read(name)]));
}
