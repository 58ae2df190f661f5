// From class scores to one answer: spatial mean, softmax, weighted mean, top-k.
// All sums run in float64 and in view order, so that an answer does not depend on arrival order.

import { VggError, expected } from './errors.ts';
import type { ScoreOrder } from './views/evaluation.ts';

/** Class scores at each location before any softmax: [height, width, classes]. */
export interface ScoreMap {
  height: number;
  width: number;
  classes: number;
  values: Float32Array;
}

/** A class and its probability. */
export interface Prediction {
  label: string;
  classIndex: number;
  score: number;
}

/** exp(x − max) / Σ exp(x − max). */
export function softmax(scores: ArrayLike<number>): Float64Array {
  const values = Float64Array.from(scores);
  const largest = values.reduce((a, b) => Math.max(a, b), -Infinity);
  let sum = 0;
  for (const [i, value] of values.entries()) sum += values[i] = Math.exp(value - largest);
  for (const [i, value] of values.entries()) values[i] = value / sum;
  return values;
}

/**
 * Posterior of a view from its class score map: spatial mean, then softmax (paper, Section 3.2),
 * or softmax at each location, then mean.
 */
export function posteriorOfScoreMap(
  { height, width, classes, values }: ScoreMap,
  order: ScoreOrder = 'MEAN_THEN_SOFTMAX',
): Float64Array {
  const positions = height * width;
  const mean = new Float64Array(classes);
  for (let position = 0; position < positions; position++) {
    const scores = values.subarray(position * classes, (position + 1) * classes);
    const terms = order === 'MEAN_THEN_SOFTMAX' ? scores : softmax(scores);
    for (const [i, term] of terms.entries()) mean[i] = (mean[i] ?? 0) + term / positions;
  }
  return order === 'MEAN_THEN_SOFTMAX' ? softmax(mean) : mean;
}

/** Weighted mean of posteriors, taken in the order of their index whatever the order of arrival. */
export class PosteriorMean {
  readonly classes: number;
  #entries: ({ posterior: ArrayLike<number>; weight: number } | undefined)[] = [];
  #count = 0;

  /** @param classes length of every posterior, ≥ 1 */
  constructor(classes: number) {
    this.classes = classes;
  }

  /** Posteriors added so far. */
  get count(): number {
    return this.#count;
  }

  /**
   * Adds a posterior.
   *
   * @returns false if this index was added before; the first one counts
   * @throws VggError INVALID_ARGUMENT if its length is not `classes`
   */
  add(index: number, posterior: ArrayLike<number>, weight: number): boolean {
    if (posterior.length !== this.classes) {
      throw expected(
        `posteriors of ${String(this.classes)} classes`,
        posterior.length,
        `posterior[${String(index)}]`,
      );
    }
    if (this.#entries[index]) return false;
    this.#entries[index] = { posterior, weight };
    this.#count++;
    return true;
  }

  /** Σ weight·posterior / Σ weight over what was added so far: [classes], sums to 1. */
  mean(): Float64Array {
    const sum = new Float64Array(this.classes);
    let weights = 0;
    for (const entry of this.#entries) {
      if (!entry) continue;
      weights += entry.weight;
      for (let i = 0; i < sum.length; i++)
        sum[i] = (sum[i] ?? 0) + entry.weight * (entry.posterior[i] ?? NaN);
    }
    if (!(weights > 0)) throw new VggError('INTERNAL', 'Expected at least one posterior but received none');
    for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] ?? 0) / weights;
    return sum;
  }
}

/**
 * Mean of several models' posteriors (paper, Table 6): each [classes], all of the same length.
 *
 * @param weights of models that have not scored all of their views: the weight of those that they have
 */
export function meanOfModels(
  posteriors: readonly ArrayLike<number>[],
  weights: readonly number[] = posteriors.map(() => 1 / posteriors.length),
): Float64Array {
  const mean = new PosteriorMean(posteriors[0]?.length ?? 0);
  for (const [index, posterior] of posteriors.entries()) mean.add(index, posterior, weights[index] ?? NaN);
  return mean.mean();
}

/**
 * The k most probable classes, most probable first; equal ones by index. More than there are: all.
 *
 * @param labels names by class index; where one is missing the index stands
 */
export function topK(posterior: ArrayLike<number>, k: number, labels: readonly string[] = []): Prediction[] {
  return Array.from(posterior, (score, classIndex) => ({
    label: labels[classIndex] ?? String(classIndex),
    classIndex,
    score,
  }))
    .sort((a, b) => b.score - a.score || a.classIndex - b.classIndex)
    .slice(0, k);
}
