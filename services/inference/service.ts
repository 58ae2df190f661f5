// The rpcs of inference in this project's own protocol: planes and views in, scores out; models.
// Knows messages; scoring.ts knows what happens to them.

import { inferenceService } from '../../proto/definitions.ts';
import { enumName } from '../../proto/evaluation.ts';
import type { InferenceServiceHandlers } from '../../proto/generated/vgg/v1/InferenceService.ts';
import type { PreparedPlane__Output } from '../../proto/generated/vgg/v1/PreparedPlane.ts';
import type { ScoreRequest__Output } from '../../proto/generated/vgg/v1/ScoreRequest.ts';
import type { ScoreResponse } from '../../proto/generated/vgg/v1/ScoreResponse.ts';
import { bytesOf } from '../../proto/tensors.ts';
import { VggError, expected } from '../../vgg/errors.ts';
import { SCORE_ORDERS, SHARES } from '../../vgg/views.ts';
import { implement, type CallContext, type Implementation } from '../host/handlers.ts';
import type { ScoredUnit } from './batcher.ts';
import type { Unit, UnitScores } from './engine.ts';
import type { Models } from './models.ts';
import type { ArrivedPlane, ScoreJob, Scoring } from './scoring.ts';

/** What the rpcs stand on. */
export interface InferenceDependencies {
  models: Models;
  scoring: Scoring;
}

/** The inference service, ready to be served. */
export function createInferenceService(dependencies: InferenceDependencies): Implementation {
  const { models } = dependencies;
  return implement<InferenceServiceHandlers>(inferenceService, {
    Score: (requests: AsyncIterable<ScoreRequest__Output>, context) => score(requests, context, dependencies),
    ListModels: () => ({ models: models.names.map((name) => models.describe(name)) }),
    GetModel: ({ name }) => ({ model: models.describe(name) }),
  });
}

async function* score(
  requests: AsyncIterable<ScoreRequest__Output>,
  { signal, deadline }: Pick<CallContext, 'signal' | 'deadline'>,
  { models, scoring }: InferenceDependencies,
): AsyncGenerator<ScoreResponse, void, undefined> {
  const iterator = requests[Symbol.asyncIterator]();
  const first = await iterator.next();
  const { options, message } = first.done === true ? {} : first.value;
  if (!options) throw expected('options as the first message', message ?? 'nothing', 'message');
  const call = scoring.open({
    model: models.get(options.model),
    wanted: {
      scoreOrder:
        enumName(options.scoreOrder, 'SCORE_ORDER_', SCORE_ORDERS, 'scoreOrder') ?? 'MEAN_THEN_SOFTMAX',
      scoreMaps: options.scoreMaps,
      share: enumName(options.share, 'SHARE_', SHARES, 'share') === 'OFF' ? 'off' : 'auto',
    },
    rank: enumName(options.priority, 'PRIORITY_', ['INTERACTIVE', 'BATCH'], 'priority') === 'BATCH' ? 1 : 0,
    deadline,
    signal,
    reserve: options.views,
  });
  try {
    // Planes are taken in while scores go out.
    void takePlanes(iterator, call).catch((error: unknown) => {
      call.job.fail(error);
    });
    for await (const scored of call.job) yield* responses(scored);
  } finally {
    call.release();
  }
}

async function takePlanes(iterator: AsyncIterator<ScoreRequest__Output>, call: ScoreJob): Promise<void> {
  for (;;) {
    const next = await iterator.next();
    if (next.done === true) break;
    const { message, prepared } = next.value;
    if (message === 'cancel') throw new VggError('CANCELLED', 'The caller ended the call');
    if (!prepared) throw expected('a plane with views', message ?? 'nothing', 'message');
    call.add(arrivedPlane(prepared), prepared.views);
  }
  call.end();
}

function arrivedPlane({ plane, views }: PreparedPlane__Output): ArrivedPlane {
  if (!plane) throw expected('a plane', 'none', 'prepared.plane');
  for (const [place, view] of views.entries()) {
    if (view.plane === plane.index) continue;
    throw expected(`views of plane ${String(plane.index)}`, view.plane, `views[${String(place)}].plane`);
  }
  return { width: plane.width, height: plane.height, rgb8: plane.rgb8, mean: plane.mean ?? undefined };
}

function* responses({
  scores,
  queueMs,
  computeMs,
  batchViews,
}: ScoredUnit<Unit, UnitScores>): Generator<ScoreResponse> {
  for (const { view, posterior, scoreMap } of scores.scores) {
    yield {
      view,
      posterior: bytesOf(posterior),
      scoreMap: scoreMap ? { ...scoreMap, values: bytesOf(scoreMap.values) } : null,
      queueMs,
      computeMs,
      batchViews,
    };
  }
}
