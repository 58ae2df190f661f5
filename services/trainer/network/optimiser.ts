// Stochastic gradient descent with momentum: the arithmetic of one update of one tensor.

import type { Tensor } from '@tensorflow/tfjs-node-gpu';
import type { TensorFlow } from '../../host/tensorflow/library.ts';
import type { Recipe } from '../recipe.ts';

/** A tensor that learns, before or after an update. */
export interface Learning {
  value: Tensor;
  /** Running sum of gradients; zeros before the first update. */
  momentum: Tensor;
}

/**
 * v ← μ v + ∇ + λ w, then w ← w − rate · v, as PyTorch's SGD has it. The paper (by Krizhevsky et al. 2012) writes
 * v ← μ v − rate (λ w + ∇), w ← w + v: the same while the rate stays; when it falls, here the steps that momentum
 * still makes fall with it.
 *
 * @param decays whether the L2 penalty λ applies; to weights, not to biases nor batch normalisation
 * @returns new tensors; the caller disposes of the old ones
 */
export function sgdUpdate(
  tf: TensorFlow,
  { value, momentum }: Learning,
  gradient: Tensor,
  decays: boolean,
  rate: number,
  { momentum: mu, weightDecay }: Pick<Recipe, 'momentum' | 'weightDecay'>,
): Learning {
  const terms = [momentum.mul(mu), gradient];
  if (decays && weightDecay > 0) terms.push(value.mul(weightDecay));
  const updated = tf.addN(terms);
  return { momentum: updated, value: value.sub(updated.mul(rate)) };
}
