// The request as it came over the wire → a preparation with every choice made and checked.
// Knows the message; no pixel.

import { enumName, evaluationOptions } from '../../proto/evaluation.ts';
import type { PrepareRequest__Output } from '../../proto/generated/vgg/v1/PrepareRequest.ts';
import { expected } from '../../vgg/errors.ts';
import { resolveEvaluation, type Rgb } from '../../vgg/views.ts';
import type { Preparation } from './prepare.ts';

const FORMS = ['RGB8_PLANES', 'FLOAT32_PLANES', 'FLOAT32_CROPS'] as const;

/** In which form the pixels are sent. */
export type Form = (typeof FORMS)[number];

/**
 * Reads everything but the photo.
 *
 * @throws VggError INVALID_ARGUMENT naming the field
 */
export function readRequest(request: PrepareRequest__Output): Preparation & { form: Form } {
  const { inputSize } = request;
  return {
    evaluation: resolveEvaluation(evaluationOptions(request.evaluation), { inputSize }),
    mean: readMean(request.mean),
    inputSize,
    form: enumName(request.realise, 'REALISE_', FORMS, 'realise') ?? 'RGB8_PLANES',
  };
}

function readMean(mean: Rgb | null): Rgb {
  if (!mean) throw expected('a mean of three levels from 0 to 255', 'none', 'mean');
  for (const channel of ['red', 'green', 'blue'] as const) {
    if (!(mean[channel] >= 0 && mean[channel] <= 255)) {
      throw expected('levels from 0 to 255', mean[channel], `mean.${channel}`);
    }
  }
  return { red: mean.red, green: mean.green, blue: mean.blue };
}
