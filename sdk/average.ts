// average: posteriors in, their weighted mean out.

import { aggregatorService } from '../proto/definitions.ts';
import type { AverageRequest } from '../proto/generated/vgg/v1/AverageRequest.ts';
import { predictionOf, type Prediction } from './answer.ts';
import type { CallOptions } from './call-options.ts';
import { checkInteger, checkNumber } from './check.ts';
import type { ServiceCalls } from './service-calls.ts';
import { bytesOf, float64Of } from '../proto/tensors.ts';

/** How posteriors are to be averaged. */
export interface AverageOptions extends CallOptions {
  /** Predictions in the answer, ≥ 1. Default: 5. */
  top?: number | undefined;
  /** Model whose labels name the classes. Default: classes are named by their index. */
  model?: string | undefined;
}

/** One posterior. */
export interface WeightedPosterior {
  /** [classes] probabilities. */
  posterior: Float32Array;
  /** All weights sum to 1, or all are left out, which makes them equal. */
  weight?: number;
  /** Sums run in order of the index. Default: the place in the sequence. */
  index?: number;
}

/** The weighted mean. */
export interface Average {
  /** Most probable first. */
  predictions: Prediction[];
  /** [classes] probabilities. */
  posterior: Float64Array;
  /** Posteriors that were averaged. */
  count: number;
}

export async function average(
  calls: ServiceCalls,
  posteriors: AsyncIterable<WeightedPosterior> | Iterable<WeightedPosterior>,
  options: AverageOptions,
): Promise<Average> {
  checkInteger(options.top, 1, 2 ** 20, 'top');
  const requests = requestsOf(posteriors, options);
  const { predictions, posterior, count } = await calls.clientStream(
    aggregatorService.Average,
    requests,
    options,
  );
  return { predictions: predictions.map(predictionOf), posterior: float64Of(posterior), count };
}

async function* requestsOf(
  posteriors: AsyncIterable<WeightedPosterior> | Iterable<WeightedPosterior>,
  { top = 0, model = '' }: AverageOptions,
): AsyncGenerator<AverageRequest, void> {
  yield { options: { top, model } };
  let place = 0;
  for await (const { posterior, weight = 0, index = place } of posteriors) {
    const field = `posteriors[${String(place)}]`;
    checkInteger(index, 0, 2 ** 31, `${field}.index`);
    checkNumber(weight, 0, 1, `${field}.weight`);
    yield { posterior: { index, weight, posterior: bytesOf(posterior) } };
    place++;
  }
}
