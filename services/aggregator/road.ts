// The road of one photo: facts of its models, planes from preprocess, scores from inference, into the tally.
// Knows the order of the stages, what runs beside what, and what is tried again; neither pixels nor layers.

import { VggError, asVggError, expected } from '../../vgg/errors.ts';
import { resolveEvaluation, viewCount, type Evaluation, type View } from '../../vgg/views.ts';
import { PlaneFeed } from './plane-feed.ts';
import { ModelTally, Tally, type ScoredView } from './tally.ts';
import type { CallScope, ModelFacts, Preparation, PreparedPlane, Scoring, Upstream } from './upstream.ts';

/** What is asked about a photo. */
export interface RoadRequest {
  photo: Uint8Array;
  /** Names of models; empty: the default one. */
  models: readonly string[];
  evaluation: Partial<Evaluation>;
  scoreMaps: boolean;
  priority: Scoring['priority'];
}

/** Bounds of a road. */
export interface RoadLimits {
  /** Most models of one answer. */
  models: number;
  /** Most views of one model's evaluation. */
  views: number;
  /** How often a lost call is begun, in all. */
  attempts: number;
}

/** A road under way. */
export interface Road {
  /** Models in order, with the evaluation of each. */
  readonly models: readonly { facts: ModelFacts; evaluation: Evaluation }[];
  readonly tally: Tally;
  /** Planes that have arrived, by model. */
  readonly planes: ReadonlyMap<string, PreparedPlane['plane'][]>;
  /** Milliseconds from the start until the last plane was there. */
  readonly prepareMs: () => number;
  /** Resolves when every view is scored; rejects with what stopped the road. */
  readonly done: Promise<void>;
}

/** A stage whose lost calls are begun again. */
export type Stage = 'model' | 'prepare' | 'score';

/** What a road tells while it goes on. */
export interface RoadEvents {
  /** A view was scored. */
  onView?: () => void;
  /** A lost call is begun again. */
  onRetry?: (stage: Stage, error: VggError) => void;
  now?: () => number;
}

/**
 * Sets out: resolves when everything is checked and the first calls are under way.
 *
 * @throws VggError NOT_FOUND for an unknown model, INVALID_ARGUMENT for options out of range
 */
export async function startRoad(
  request: RoadRequest,
  upstream: Upstream,
  limits: RoadLimits,
  scope: CallScope,
  { onView, onRetry, now = () => performance.now() }: RoadEvents = {},
): Promise<Road> {
  const started = now();
  const { attempts } = limits;
  const modelOf = (name: string) =>
    withRetries('model', { attempts, signal: scope.signal, onRetry }, () => upstream.model(name, scope));
  const models = await resolveModels(request, modelOf, limits);
  const tally = new Tally(
    models.map(({ facts, evaluation }) => new ModelTally(facts.name, facts.classes, viewCount(evaluation))),
  );
  let prepareMs = 0;
  const planes = new Map<string, PreparedPlane['plane'][]>();
  // One stage that fails ends the others.
  const failed = new AbortController();
  const inner: CallScope = { ...scope, signal: AbortSignal.any([scope.signal, failed.signal]) };
  const retry = { attempts, signal: inner.signal, onRetry };

  const stages: Promise<void>[] = [];
  for (const group of preparationsOf(models)) {
    const feed = new PlaneFeed<PreparedPlane>();
    const arrived: PreparedPlane['plane'][] = [];
    const prepare = withRetries('prepare', retry, async () => {
      // What a first attempt has brought is not taken twice.
      for await (const each of upstream.prepare(request.photo, group.preparation, inner)) {
        if (each.plane.index !== arrived.length) continue;
        arrived.push(each.plane);
        prepareMs = now() - started;
        feed.push(each);
      }
    });
    stages.push(
      prepare.then(
        () => {
          feed.end();
        },
        (error: unknown) => {
          feed.end(asVggError(error));
          throw error;
        },
      ),
    );
    for (const { facts, evaluation } of group.models) {
      planes.set(facts.name, arrived);
      const model = tally.models.find(({ name }) => name === facts.name);
      if (!model) continue;
      const score = () => scoreRest(request, facts, evaluation, model, feed, upstream, inner, onView);
      stages.push(withRetries('score', retry, score));
    }
  }
  const done = settleAll(stages, (error) => {
    failed.abort(error);
  });
  done.catch(() => undefined); // Whoever awaits it hears of it; nobody has to.
  return { models, tally, planes, prepareMs: () => prepareMs, done };
}

async function resolveModels(
  request: RoadRequest,
  modelOf: (name: string) => Promise<ModelFacts>,
  limits: RoadLimits,
) {
  const names = request.models.length > 0 ? request.models : [''];
  if (names.length > limits.models)
    throw expected(`at most ${String(limits.models)} models`, names.length, 'models');
  const all = await Promise.all(names.map(modelOf));
  const [first] = all;
  for (const [i, facts] of all.entries()) {
    if (all.findIndex(({ name }) => name === facts.name) !== i) {
      throw expected('each model once', facts.name, `models[${String(i)}]`);
    }
    if (first && facts.labels.join('\n') !== first.labels.join('\n')) {
      throw expected(`models with the classes of ${first.name}`, facts.name, `models[${String(i)}]`);
    }
  }
  return all.map((facts) => {
    const evaluation = resolveEvaluation(request.evaluation, facts);
    const views = viewCount(evaluation);
    if (views > limits.views) throw expected(`at most ${String(limits.views)} views`, views, 'evaluation');
    return { facts, evaluation };
  });
}

interface PreparationGroup {
  preparation: Preparation;
  models: { facts: ModelFacts; evaluation: Evaluation }[];
}

// Models that see the same planes share them.
function preparationsOf(models: Road['models']): PreparationGroup[] {
  const groups = new Map<string, PreparationGroup>();
  for (const model of models) {
    const preparation = {
      evaluation: model.evaluation,
      mean: model.facts.mean,
      inputSize: model.facts.inputSize,
    };
    const key = JSON.stringify(preparation);
    const group = groups.get(key);
    if (group) group.models.push(model);
    else groups.set(key, { preparation, models: [model] });
  }
  return [...groups.values()];
}

// Scores the views that are not in the tally yet.
async function scoreRest(
  request: RoadRequest,
  facts: ModelFacts,
  { scoreOrder, share }: Evaluation,
  tally: ModelTally,
  feed: PlaneFeed<PreparedPlane>,
  upstream: Upstream,
  scope: CallScope,
  onView?: () => void,
): Promise<void> {
  const sent = new Map<number, View>();
  const scoring: Scoring = {
    model: facts.name,
    scoreOrder,
    share,
    scoreMaps: request.scoreMaps,
    priority: request.priority,
    views: tally.total - tally.done,
  };
  for await (const score of upstream.score(scoring, rest(feed, tally, sent), scope)) {
    const view = sent.get(score.view);
    if (!view)
      throw new VggError(
        'INTERNAL',
        `Expected scores of views that were sent but received ${String(score.view)}`,
      );
    const scored: ScoredView = { ...score, view };
    tally.add(scored);
    onView?.();
  }
  if (tally.done < tally.total) {
    throw new VggError(
      'UNAVAILABLE',
      `Expected ${String(tally.total)} scores but received ${String(tally.done)}`,
    );
  }
}

async function* rest(
  feed: PlaneFeed<PreparedPlane>,
  tally: ModelTally,
  sent: Map<number, View>,
): AsyncGenerator<PreparedPlane> {
  for await (const { plane, views } of feed.read()) {
    const missing = views.filter(({ index }) => !tally.has(index));
    for (const view of missing) sent.set(view.index, view);
    if (missing.length > 0) yield { plane, views: missing };
  }
}

async function withRetries<Result>(
  stage: Stage,
  { attempts, signal, onRetry }: { attempts: number; signal: AbortSignal; onRetry: RoadEvents['onRetry'] },
  attempt: () => Promise<Result>,
): Promise<Result> {
  for (let left = attempts; ; left--) {
    try {
      return await attempt();
    } catch (error) {
      // Whatever a call says once its signal is aborted, the reason is that.
      if (signal.aborted) throw signal.reason;
      const failure = asVggError(error);
      if (failure.code !== 'UNAVAILABLE' || left <= 1) throw error;
      onRetry?.(stage, failure);
    }
  }
}

// Waits for all, so that nothing is left running; the first failure is told at once and thrown at last.
async function settleAll(
  stages: readonly Promise<void>[],
  onFailure: (error: unknown) => void,
): Promise<void> {
  const failures: unknown[] = [];
  await Promise.all(
    stages.map((stage) =>
      stage.catch((error: unknown) => {
        failures.push(error);
        onFailure(error);
      }),
    ),
  );
  if (failures.length > 0) throw failures[0];
}
