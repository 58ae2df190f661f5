// The road of one photo: facts of its models, planes from preprocess, scores from inference, into the tally.
// Knows the order of the stages, what runs beside what, what is tried again, and what ends when the answer is known;
// neither pixels nor layers.

import type { Retrier } from '../../sdk/retry.ts';
import { VggError, asVggError, expected } from '../../vgg/errors.ts';
import { resolveEvaluation, viewCount, type Evaluation, type View } from '../../vgg/views.ts';
import { Bell } from './bell.ts';
import { PlaneFeed } from './plane-feed.ts';
import type { Stage } from './retries.ts';
import { sendAsNeeded, type Recipient } from './sending.ts';
import { ModelTally, Tally } from './tally.ts';
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
  /** When and how often a lost call is begun again; shared by all roads. */
  retriers: Readonly<Record<Stage, Retrier>>;
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
  /** Resolves when the answer is known and nothing is under way any more; rejects with what stopped the road. */
  readonly done: Promise<void>;
}

/** What a road tells while it goes on. */
export interface RoadEvents {
  /** A view was scored. */
  onView?: () => void;
  /** A lost call is begun again. */
  onRetry?: (stage: Stage, error: VggError) => void;
  /**
   * Inference could not be reached, however often: resolves when it can be asked again.
   *
   * @param views of the photo that are not in its tally yet, as far as one can tell
   */
  onAbsent?: (views: number, scope: CallScope) => Promise<void>;
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
  { onView, onRetry, onAbsent, now = () => performance.now() }: RoadEvents = {},
): Promise<Road> {
  const started = now();
  const again = <Result>(
    stage: Stage,
    { signal, deadline }: CallScope,
    attempt: () => Promise<Result>,
    absent?: () => Promise<void>,
  ) => {
    const events = { onRetry: (error: VggError) => onRetry?.(stage, error), absent };
    return withRetries(limits.retriers[stage], { signal, deadline }, attempt, events);
  };
  const modelOf = (name: string) => {
    const absent = onAbsent && (async () => onAbsent(viewsWithout(request.evaluation), scope));
    return again('model', scope, () => upstream.model(name, scope), absent);
  };
  const models = await resolveModels(request, modelOf, limits);
  const mayStop = models.some(({ evaluation }) => evaluation.stop === 'EXACT');
  const tally = new Tally(
    models.map(({ facts, evaluation }) => new ModelTally(facts.name, facts.classes, viewCount(evaluation))),
    { classes: models[0]?.facts.classes ?? 0, mayStop },
  );
  let prepareMs = 0;
  // One stage that fails ends the others; a stage of which nothing more is needed is over.
  const failed = new AbortController();
  const scopeUntil = (over: AbortController) => ({
    ...scope,
    signal: AbortSignal.any([scope.signal, failed.signal, over.signal]),
  });
  const prepared = new AbortController();
  const stages: Promise<void>[] = [];
  const planes = new Map<string, PreparedPlane['plane'][]>();
  const runs: Run[] = [];
  for (const group of preparationsOf(models)) {
    const feed = new PlaneFeed<PreparedPlane>();
    const arrived: PreparedPlane['plane'][] = [];
    const inner = scopeUntil(prepared);
    const prepare = again('prepare', inner, async () => {
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
      const own = mayStop ? new PlaneFeed<PreparedPlane>() : feed;
      runs.push({
        ...facts,
        evaluation,
        tally: model,
        planes: feed,
        feed: own,
        sent: 0,
        over: new AbortController(),
      });
    }
  }

  const news = new Bell();
  const onScore = () => {
    onView?.();
    news.ring();
    if (!tally.known || tally.done === tally.total) return;
    prepared.abort(KNOWN);
    // A call that has answered what it was sent ends by itself, as its feed does.
    for (const { sent, tally, over } of runs) if (sent > tally.done) over.abort(KNOWN);
  };
  for (const run of runs) {
    const inner = scopeUntil(run.over);
    const score = () => scoreRest(request, run, tally, upstream, inner, onScore);
    stages.push(again('score', inner, score, onAbsent && (() => onAbsent(0, inner))));
  }
  if (mayStop) {
    const { signal } = scopeUntil(prepared);
    signal.addEventListener('abort', () => {
      news.ring();
    });
    stages.push(sendAsNeeded(runs, tally, news, signal));
  }
  const needed = stages.map((stage) =>
    stage.catch((error: unknown) => {
      if (!tally.known) throw error;
    }),
  );
  const done = settleAll(needed, (error) => {
    failed.abort(error);
  });
  done.catch(() => undefined); // Whoever awaits it hears of it; nobody has to.
  return { models, tally, planes, prepareMs: () => prepareMs, done };
}

// Views of an evaluation before anything is known of the model: as if of the paper's three scales and any input size.
function viewsWithout(evaluation: Partial<Evaluation>): number {
  const scales = evaluation.scales?.length ? evaluation.scales : [256, 384, 512];
  return viewCount(resolveEvaluation({ ...evaluation, scales }, { inputSize: 32 }));
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

// A model on the road, and what ends its call early.
interface Run extends Recipient {
  name: string;
  tally: ModelTally;
  over: AbortController;
}

// Why calls end that nothing more is needed of; nobody sees it.
const KNOWN = new VggError('CANCELLED', 'The answer is known');

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
  { scoreMaps, priority }: RoadRequest,
  { name, evaluation, feed, tally: model }: Run,
  tally: Tally,
  upstream: Upstream,
  scope: CallScope,
  onScore: () => void,
): Promise<void> {
  // A call may be lost after its last score.
  if (model.done === model.total) return;
  const { scoreOrder, share } = evaluation;
  const views = model.total - model.done;
  const scoring: Scoring = { model: name, scoreOrder, share, scoreMaps, priority, views };
  const sent = new Map<number, View>();
  const parts = rest(feed, model, sent);
  // What may not be needed at all is not called before it is.
  const planes = evaluation.stop === 'EXACT' ? await begun(parts) : parts;
  for await (const score of planes ? upstream.score(scoring, planes, scope) : []) {
    const view = sent.get(score.view);
    if (!view)
      throw new VggError(
        'INTERNAL',
        `Expected scores of views that were sent but received ${String(score.view)}`,
      );
    tally.add(model, { ...score, view });
    onScore();
  }
  if (model.done < model.total && !tally.known) {
    throw new VggError(
      'UNAVAILABLE',
      `Expected ${String(model.total)} scores but received ${String(model.done)}`,
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

// The items, when there is a first one; nothing if there never is.
async function begun<Item>(items: AsyncIterator<Item>): Promise<AsyncIterable<Item> | undefined> {
  const first = await items.next();
  if (first.done === true) return undefined;
  return (async function* () {
    for (let next: IteratorResult<Item> = first; next.done !== true; next = await items.next())
      yield next.value;
  })();
}

interface RetryEvents {
  onRetry: (error: VggError) => void;
  /** Waits until it is worthwhile to begin anew; throws when it is not. */
  absent: (() => Promise<void>) | undefined;
}

async function withRetries<Result>(
  retrier: Retrier,
  { signal, deadline }: Pick<CallScope, 'signal' | 'deadline'>,
  attempt: () => Promise<Result>,
  { onRetry, absent }: RetryEvents,
): Promise<Result> {
  for (;;) {
    try {
      return await retrier.run(attempt, deadline, signal, onRetry);
    } catch (error) {
      // Whatever a call says once its signal is aborted, the reason is that.
      if (signal.aborted) throw signal.reason;
      const failure = asVggError(error);
      if (failure.code !== 'UNAVAILABLE' || !absent) throw error;
      await absent();
      onRetry(failure);
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
