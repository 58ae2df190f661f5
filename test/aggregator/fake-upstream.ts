// Upstreams of a road that fail, wait and answer as a test says. Knows the road and what it asks for; no test.

import { startRoad, type RoadRequest } from '../../services/aggregator/road.ts';
import type {
  ArrivedScore,
  CallScope,
  ModelFacts,
  Preparation,
  PreparedPlane,
  Scoring,
  Upstream,
} from '../../services/aggregator/upstream.ts';
import { DEFAULT_RETRY, Retrier } from '../../sdk/retry.ts';
import { VggError } from '../../vgg/errors.ts';
import { evaluationViews, type Share } from '../../vgg/views.ts';
import { fakeClock } from '../sdk/fake-clock.ts';

const retrier = () =>
  new Retrier({ ...DEFAULT_RETRY, attempts: 3, waitsWhenTold: false }, fakeClock({ leap: true }).clock);
const limits = (retriers = { model: retrier(), prepare: retrier(), score: retrier() }) => ({
  ...{ models: 4, views: 512, retriers },
});

/** Facts of a model of cats and dogs, whose crops are 32 pixels. */
export const facts = (name: string, more: Partial<ModelFacts> = {}): ModelFacts => ({
  name,
  network: 'D',
  classes: 2,
  inputSize: 32,
  macs: 1e6,
  mean: { red: 1, green: 2, blue: 3 },
  scales: [32, 40],
  kernel: 'linear',
  labels: ['cat', 'dog'],
  engine: 'onnx',
  ...more,
});

/** What a call that is lost fails with. */
export const lost = () => new VggError('UNAVAILABLE', 'connection lost');

/** Answers every call; scores come one at a time, as they are read. */
export class FakeUpstream implements Upstream {
  readonly models: ModelFacts[];
  readonly prepared: Preparation[] = [];
  /** Calls to inference: the views that were scored, and whether the call was left before its end. */
  readonly scored: { model: string; share: Share; views: number[]; left: boolean }[] = [];
  /** Called before each plane and each score; may throw. */
  onPlane: (call: number, plane: number) => void = () => undefined;
  onScore: (call: number, count: number) => void = () => undefined;
  /** Holds a plane back. */
  holdPlane: (plane: number, signal: AbortSignal) => Promise<void> = () => Promise.resolve();
  /** Probability of a cat. */
  cat: (model: string, view: number) => number = (model, view) => (model === 'sure' ? 1 : view / 100);

  constructor(...models: ModelFacts[]) {
    this.models = models;
  }

  model(name: string): Promise<ModelFacts> {
    const found = name === '' ? this.models[0] : this.models.find((each) => each.name === name);
    return found ? Promise.resolve(found) : Promise.reject(new VggError('NOT_FOUND', `no ${name}`));
  }

  async *prepare(
    _photo: Uint8Array,
    preparation: Preparation,
    { signal }: CallScope,
  ): AsyncGenerator<PreparedPlane> {
    const call = this.prepared.push(preparation);
    const { evaluation, inputSize, mean } = preparation;
    const { planes, views } = evaluationViews({ width: 50, height: 40 }, evaluation, inputSize);
    for (const plane of planes) {
      await this.holdPlane(plane.index, signal);
      this.onPlane(call, plane.index);
      const own = views.filter((view) => view.plane === plane.index);
      yield { plane: { ...plane, rgb8: new Uint8Array(), mean }, views: own };
    }
  }

  async *score(
    scoring: Scoring,
    planes: AsyncIterable<PreparedPlane>,
    { signal }: CallScope,
  ): AsyncGenerator<ArrivedScore> {
    const log = { model: scoring.model, share: scoring.share, views: [] as number[], left: true };
    const call = this.scored.push(log);
    for await (const { views } of planes) {
      for (const { index } of views) {
        signal.throwIfAborted();
        this.onScore(call, log.views.length);
        log.views.push(index);
        const cat = this.cat(scoring.model, index);
        const posterior = new Float32Array([cat, 1 - cat]);
        yield { view: index, posterior, queueMs: 2, computeMs: 8, batchViews: 4 };
      }
    }
    log.left = signal.aborted;
  }
}

/** A road to its end. */
export async function travel(
  upstream: Upstream,
  request: Partial<RoadRequest> = {},
  signal: AbortSignal = new AbortController().signal,
) {
  const retries: string[] = [];
  const road = await startRoad(
    {
      photo: new Uint8Array([1]),
      models: [],
      evaluation: { protocol: 'TEN_CROP' },
      scoreMaps: false,
      priority: 'INTERACTIVE',
      ...request,
    },
    upstream,
    limits(),
    { signal, deadline: 1e15, requestId: 'test' },
    { onRetry: (stage, { message }) => retries.push(`${stage}: ${message}`) },
  );
  await road.done;
  return { road, retries };
}
