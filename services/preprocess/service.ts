// The rpc of preprocess: a photo and an evaluation in, planes with their views out.
// Knows messages; how a photo is prepared is prepare.ts's.

import type { PrepareRequest__Output } from '../../proto/generated/vgg/v1/PrepareRequest.ts';
import type { PrepareResponse } from '../../proto/generated/vgg/v1/PrepareResponse.ts';
import type { PreprocessServiceHandlers } from '../../proto/generated/vgg/v1/PreprocessService.ts';
import { preprocessService } from '../../proto/definitions.ts';
import { asVggError } from '../../vgg/errors.ts';
import type { Rgb, View } from '../../vgg/views.ts';
import { implement, type CallContext, type Implementation } from '../host/handlers.ts';
import type { Limits } from './limits.ts';
import type { PreprocessMetrics } from './metrics.ts';
import { preparePhoto, type Prepared } from './prepare.ts';
import { cropRuns, realiseCrops, realisePlane, type Realised } from './realise.ts';
import { readRequest, type Form } from './request.ts';
import type { Slots } from './slots.ts';

/** Bytes of finished crops that one message carries at most; a larger single view has one of its own. */
export const CROP_BYTES = 2 * 1024 * 1024;

/** What the rpc stands on. */
export interface PreprocessDependencies {
  limits: Limits;
  slots: Slots;
  metrics: PreprocessMetrics;
  /** Monotonic milliseconds. */
  now: () => number;
}

/** The preprocess service, ready to be served. */
export function createPreprocessService(dependencies: PreprocessDependencies): Implementation {
  return implement<PreprocessServiceHandlers>(preprocessService, {
    Prepare: (request, context) => prepare(request, context, dependencies),
  });
}

async function* prepare(
  request: PrepareRequest__Output,
  { signal }: Pick<CallContext, 'signal'>,
  { limits, slots, metrics, now }: PreprocessDependencies,
): AsyncGenerator<PrepareResponse, void, undefined> {
  const started = now();
  try {
    const { form, ...preparation } = readRequest(request);
    const prepared = preparePhoto(request.photo, preparation, {
      limits,
      signal,
      run: (work, until) => slots.run(work, until),
      onStep: (step) => {
        metrics.step(step);
      },
      now,
    });
    for await (const each of prepared) {
      const prepareMs = now() - started;
      for (const message of messages(each, preparation.mean, form)) yield { ...message, prepareMs };
    }
  } catch (error) {
    metrics.refused(asVggError(error).code);
    throw error;
  }
}

// The messages of one plane, one at a time: finished crops are only made when they are sent.
function* messages(
  { plane, views, total }: Prepared,
  mean: Rgb,
  form: Form,
): Generator<PrepareResponse, void, undefined> {
  const message = (rgb8: Buffer, some: readonly View[], pixels?: Realised): PrepareResponse => ({
    prepared: { plane: { ...plane, rgb8, mean, square: plane.square ?? null }, views: [...some] },
    pixels: pixels ?? null,
    planes: total.planes,
    views: total.views,
  });
  const none = Buffer.alloc(0);
  switch (form) {
    case 'RGB8_PLANES':
      yield message(plane.rgb8, views);
      break;
    case 'FLOAT32_PLANES':
      yield message(none, views, realisePlane(plane, mean));
      break;
    case 'FLOAT32_CROPS':
      for (const run of cropRuns(views, CROP_BYTES)) yield message(none, run, realiseCrops(plane, run, mean));
      break;
  }
}
