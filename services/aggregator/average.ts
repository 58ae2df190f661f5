// The weighted mean of posteriors that the caller brings.

import type { AverageRequest__Output } from '../../proto/generated/vgg/v1/AverageRequest.ts';
import type { AverageResponse } from '../../proto/generated/vgg/v1/AverageResponse.ts';
import { float32Of } from '../../proto/tensors.ts';
import { expected } from '../../vgg/errors.ts';
import { PosteriorMean, topK } from '../../vgg/scores.ts';

// Weights that sum to 1 in float32 may be this far off.
const TOLERANCE = 1e-6;

/**
 * Averages.
 *
 * @param labelsOf class names of a model
 * @param limit most posteriors of one call
 * @throws VggError INVALID_ARGUMENT naming the posterior at fault
 */
export async function average(
  requests: AsyncIterable<AverageRequest__Output>,
  labelsOf: (model: string) => Promise<string[]>,
  limit: number,
): Promise<AverageResponse> {
  let options: AverageRequest__Output['options'];
  let mean: PosteriorMean | undefined;
  const given: { index: number; weight: number; posterior: Float32Array }[] = [];
  for await (const { message, options: first, posterior: next } of requests) {
    if (first && !options && given.length === 0) options = first;
    else if (!next) throw expected('options first, then posteriors', message ?? 'nothing', 'message');
    else {
      if (given.length >= limit)
        throw expected(`at most ${String(limit)} posteriors`, String(limit + 1), 'posteriors');
      const posterior = readPosterior(next.posterior, next.index);
      mean ??= new PosteriorMean(posterior.length);
      if (!(next.weight >= 0 && next.weight <= 1 + TOLERANCE)) {
        throw expected('weights from 0 to 1', next.weight, `posterior[${String(next.index)}].weight`);
      }
      given.push({ index: next.index, weight: next.weight, posterior });
    }
  }
  if (!mean) throw expected('at least one posterior', 0, 'posteriors');
  const weights = given.reduce((sum, { weight }) => sum + weight, 0);
  if (weights !== 0 && Math.abs(weights - 1) > TOLERANCE) {
    throw expected('weights that sum to 1, or are all 0', weights, 'weight');
  }
  for (const { index, weight, posterior } of given) {
    if (!mean.add(index, posterior, weights === 0 ? 1 / given.length : weight)) {
      throw expected('each index once', index, `posterior[${String(index)}].index`);
    }
  }
  const posterior = mean.mean();
  const labels = options?.model ? await labelsOf(options.model) : [];
  if (options?.model && labels.length !== posterior.length) {
    throw expected(
      `posteriors of model ${options.model}'s ${String(labels.length)} classes`,
      posterior.length,
      'posterior',
    );
  }
  return {
    predictions: topK(posterior, options?.top || 5, labels),
    posterior: Buffer.from(posterior.buffer),
    count: given.length,
  };
}

function readPosterior(bytes: Buffer, index: number): Float32Array {
  const field = `posterior[${String(index)}]`;
  if (bytes.length === 0 || bytes.length % 4 !== 0)
    throw expected('float32 values', `${String(bytes.length)} bytes`, field);
  const values = float32Of(bytes);
  const wrong = values.find((value) => !(value >= 0 && value <= 1));
  if (wrong !== undefined) throw expected('probabilities from 0 to 1', wrong, field);
  return values;
}
