// How wrong a network is on held-out photos. Knows scores and classes.

import type { TrainingBatch } from './batches.ts';

/** Mean cross-entropy, and shares of photos whose class is not the first, or not among the first five. */
export interface Validation {
  loss: number;
  top1: number;
  top5: number;
}

/** What is asked of a network. */
export interface Scorer {
  /** [n, inputSize, inputSize, 3] → [n, classes] before softmax. */
  evaluate(pixels: Float32Array): Float32Array;
}

/** Scores batches and compares. Equal scores count against the network, so that a constant one is always wrong. */
export async function errorsOf(network: Scorer, batches: AsyncIterable<TrainingBatch>): Promise<Validation> {
  let [images, loss, top1, top5] = [0, 0, 0, 0];
  for await (const { pixels, classes } of batches) {
    const scores = network.evaluate(pixels);
    const count = scores.length / classes.length;
    for (const [i, truth] of classes.entries()) {
      const row = scores.subarray(i * count, (i + 1) * count);
      const own = row[truth] ?? NaN;
      const largest = row.reduce((most, score) => Math.max(most, score), -Infinity);
      const sum = row.reduce((total, score) => total + Math.exp(score - largest), 0);
      const notBelow = row.reduce((rank, score) => rank + (score < own ? 0 : 1), 0);
      images++;
      loss += Math.log(sum) + largest - own;
      if (!(notBelow <= 1)) top1++;
      if (!(notBelow <= 5)) top5++;
    }
  }
  return { loss: loss / images, top1: top1 / images, top5: top5 / images };
}
