// prepare: a photo in, planes and views out.

import { preprocessService } from '../proto/definitions.ts';
import { wireName } from '../proto/evaluation.ts';
import type { PrepareRequest } from '../proto/generated/vgg/v1/PrepareRequest.ts';
import { expected } from '../vgg/errors.ts';
import type { CallOptions } from './call-options.ts';
import { checkInteger, checkNumber, checkWord } from './check.ts';
import { evaluationOf, type EvaluationOptions, type Rgb } from './evaluation.ts';
import { preparedPlaneOf, type PreparedPlane } from './planes.ts';
import type { ServiceCalls } from './service-calls.ts';
import { float32Of } from '../proto/tensors.ts';

/** In which form pixels are sent. */
export const REALISATIONS = ['RGB8_PLANES', 'FLOAT32_PLANES', 'FLOAT32_CROPS'] as const;
export type Realisation = (typeof REALISATIONS)[number];

/** How a photo is to be prepared. The service knows no model: scales, mean and inputSize are the caller's. */
export interface PrepareOptions extends EvaluationOptions, CallOptions {
  scales: readonly number[];
  /** The model's mean colour, 0 to 255 each. */
  mean: Rgb;
  /** Side of a crop in pixels: a multiple of 32. */
  inputSize: number;
  /** Form of the pixels. Default: RGB8_PLANES. */
  realise?: Realisation | undefined;
}

/** A plane with its views, as soon as it is ready. */
export interface Prepared extends PreparedPlane {
  /** float32 pixels, mean subtracted, if asked for: [height, width, 3], or [views, height, width, 3]. */
  pixels?: { shape: number[]; values: Float32Array };
  /** Planes that the whole answer has. */
  planeCount: number;
  /** Views that the whole answer has. */
  viewCount: number;
  /** From the call's arrival until this plane was ready, in milliseconds. */
  prepareMs: number;
}

export async function* prepare(
  calls: ServiceCalls,
  photo: Uint8Array,
  options: PrepareOptions,
): AsyncGenerator<Prepared, void> {
  const request = prepareRequestOf(photo, options);
  for await (const message of calls.serverStream(preprocessService.Prepare, request, options)) {
    const { prepared, pixels, planes, views, prepareMs } = message;
    yield {
      ...preparedPlaneOf(prepared),
      ...(pixels && { pixels: { shape: pixels.shape, values: float32Of(pixels.values) } }),
      planeCount: planes,
      viewCount: views,
      prepareMs,
    };
  }
}

/** Checks the options without a photo, so that a wrong one fails before a photo is read. */
export function prepareRequestOf(photo: Uint8Array, options: PrepareOptions): PrepareRequest {
  const { mean, inputSize, realise, scales } = options;
  checkWord(realise, REALISATIONS, 'realise');
  checkInteger(inputSize, 32, 1024, 'inputSize');
  if (inputSize % 32 !== 0) throw expected('a multiple of 32', inputSize, 'inputSize');
  for (const channel of ['red', 'green', 'blue'] as const) {
    checkNumber(mean[channel], 0, 255, `mean.${channel}`);
  }
  const evaluation = evaluationOf(options);
  if (options.protocol !== 'GOOGLENET_144' && scales.length === 0) {
    throw expected('1 to 4 scales', 'none', 'scales');
  }
  return { photo, evaluation, mean, inputSize, realise: wireName('REALISE_', realise ?? 'RGB8_PLANES') };
}
