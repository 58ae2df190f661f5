// The rpcs of the aggregator: a photo in, one answer out, or the answer as it forms.
// Knows messages; road.ts knows what happens.

import { aggregatorService } from '../../proto/definitions.ts';
import { enumName, evaluationOptions } from '../../proto/evaluation.ts';
import type { AggregatorServiceHandlers } from '../../proto/generated/vgg/v1/AggregatorService.ts';
import type { Answer } from '../../proto/generated/vgg/v1/Answer.ts';
import type { AverageRequest__Output } from '../../proto/generated/vgg/v1/AverageRequest.ts';
import type { ClassifyRequest__Output } from '../../proto/generated/vgg/v1/ClassifyRequest.ts';
import type { ClassifyStreamResponse } from '../../proto/generated/vgg/v1/ClassifyStreamResponse.ts';
import { expected } from '../../vgg/errors.ts';
import { implement, type CallContext, type Implementation } from '../host/handlers.ts';
import type { Absence } from './absence.ts';
import { answerOf, timingOf, type AnswerOptions } from './answer.ts';
import { average } from './average.ts';
import { Bell } from './bell.ts';
import type { AggregatorMetrics } from './metrics.ts';
import { startRoad, type Road, type RoadEvents, type RoadLimits } from './road.ts';
import type { CallScope, Upstream } from './upstream.ts';

/** What the rpcs stand on. */
export interface AggregatorDependencies {
  upstream: Upstream;
  limits: RoadLimits & { photoBytes: number };
  metrics: AggregatorMetrics;
  /** Where photos wait while inference has no replica; without it they do not. */
  absence: Absence | undefined;
  /** Photos on the road. */
  roads: Set<Road>;
  /** Monotonic milliseconds. */
  now: () => number;
}

const DEFAULT_TOP = 5;

/** The aggregator service, ready to be served. */
export function createAggregatorService(dependencies: AggregatorDependencies): Implementation {
  const { upstream, limits } = dependencies;
  return implement<AggregatorServiceHandlers>(aggregatorService, {
    Classify: async (request, context) => {
      let answer: Answer | undefined;
      for await (const each of classify(request, context, dependencies, false))
        answer = each.answer ?? undefined;
      return { answer: answer ?? null };
    },
    ClassifyStream: ({ request }, context) => {
      if (!request) throw expected('a request', 'none', 'request');
      return classify(request, context, dependencies, true);
    },
    Average: (requests: AsyncIterable<AverageRequest__Output>, context) =>
      average(requests, async (model) => (await upstream.model(model, context)).labels, limits.views),
  });
}

// The answer; before it, if wanted, what it would be from the views so far.
async function* classify(
  request: ClassifyRequest__Output,
  context: CallContext,
  { upstream, limits, metrics, absence, roads, now }: AggregatorDependencies,
  running: boolean,
): AsyncGenerator<ClassifyStreamResponse, void, undefined> {
  const started = now();
  const { photo } = request;
  if (photo.length === 0) throw expected('a photo', 'no bytes', 'photo');
  if (photo.length > limits.photoBytes) {
    throw expected(
      `a photo of at most ${String(limits.photoBytes)} bytes`,
      photo.length,
      'photo',
      'TOO_LARGE',
    );
  }
  const options: AnswerOptions = {
    top: request.top || DEFAULT_TOP,
    posterior: request.posterior,
    viewScores: request.viewScores || request.scoreMaps,
  };
  const news = new Bell();
  const events: RoadEvents = {
    now,
    onView: () => {
      absence?.present();
      news.ring();
    },
    ...(absence && {
      onAbsent: (views: number, scope: CallScope) => absence.wait(views, scope),
    }),
    onRetry: (stage, error) => {
      metrics.retried(stage);
      context.log.warn({ stage, err: error }, 'call lost, trying again');
    },
  };
  const road = await startRoad(
    {
      photo,
      models: request.models,
      evaluation: evaluationOptions(request.evaluation),
      scoreMaps: request.scoreMaps,
      priority:
        enumName(request.priority, 'PRIORITY_', ['INTERACTIVE', 'BATCH'], 'priority') ?? 'INTERACTIVE',
    },
    upstream,
    limits,
    context,
    events,
  );
  roads.add(road);
  try {
    const { tally } = road;
    if (running) {
      const ended = road.done.then(
        () => true,
        () => true,
      );
      const brief = { ...options, posterior: false, viewScores: false };
      while (!(await Promise.race([ended, news.rung().then(() => false)]))) {
        if (tally.done === 0 || tally.known) continue;
        const answer = answerOf(road, brief, now() - started);
        yield { viewsDone: tally.done, viewsTotal: tally.total, answer };
      }
    }
    await road.done;
    const totalMs = now() - started;
    const answer = answerOf(road, options, totalMs);
    const protocol = road.models[0]?.evaluation.protocol ?? 'MULTI_CROP';
    metrics.answered(protocol, timingOf(road, totalMs), tally.total - tally.done);
    yield { viewsDone: tally.done, viewsTotal: tally.total, answer };
  } finally {
    roads.delete(road);
  }
}
