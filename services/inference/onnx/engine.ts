// The onnxruntime engine: networks on the CPU, on a thread of their own. Knows models, plans and the
// supervisor of its worker; the sessions themselves live on the other side, in worker.ts.

import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { OpenModel } from '../../../models/store.ts';
import { VggError } from '../../../vgg/errors.ts';
import type { View } from '../../../vgg/views.ts';
import type {
  Engine,
  EngineFacts,
  EngineHealth,
  EngineModel,
  PlanePixels,
  Unit,
  UnitScores,
  ViewScores,
  Wanted,
} from '../engine.ts';
import { batchUnits, DEFAULT_BOUNDS, mostPixels, type BatchBounds } from './batch-limit.ts';
import type { Cut, CutScores, ModelSource, WorkerFacts, WorkerSettings } from './messages.ts';
import { planViews } from './plan.ts';
import { Supervisor } from './supervisor.ts';

/** Choices of an onnxruntime engine; all have defaults. */
export interface OnnxEngineOptions {
  /** Threads that compute at once; by default as many as the machine runs in parallel. */
  threads?: number;
  /** Bounds of a batch. */
  bounds?: Partial<BatchBounds>;
  /** Called when the worker ended unasked or cannot be replaced, for logs and metrics. */
  onFailure?: (reason: Error) => void;
  /** Starts the worker thread. */
  spawn?: (settings: WorkerSettings) => Worker;
  /** Runs a function later; returns how to call it off. */
  schedule?: (run: () => void, ms: number) => () => void;
}

/** Starts an engine: its worker runs when this resolves. */
export async function startOnnxEngine(options: OnnxEngineOptions = {}): Promise<Engine> {
  const engine = new OnnxEngine(options);
  try {
    await engine.started();
  } catch (error) {
    await engine.close();
    throw error;
  }
  return engine;
}

class OnnxEngine implements Engine {
  readonly name = 'onnx';
  readonly #threads: number;
  readonly #bounds: BatchBounds;
  readonly #supervisor: Supervisor;
  readonly #sources = new Map<number, ModelSource>();
  #nextKey = 0;
  #facts: WorkerFacts | undefined;

  constructor({
    threads = availableParallelism(),
    bounds,
    onFailure,
    spawn = spawnWorker,
    schedule,
  }: OnnxEngineOptions) {
    this.#threads = threads;
    this.#bounds = { ...DEFAULT_BOUNDS, ...bounds };
    this.#supervisor = new Supervisor({
      spawn: () => spawn({ threads }),
      restore: () => [...this.#sources.values()].map((source) => ({ kind: 'load', source }) as const),
      ...(onFailure && { onFailure }),
      ...(schedule && { schedule }),
    });
  }

  async started(): Promise<void> {
    this.#facts = await this.#supervisor.facts();
  }

  facts(): EngineFacts {
    const { version = 'unknown', providers = [] } = this.#facts ?? {};
    return {
      ...{ engine: this.name, library: 'onnxruntime-node', version, providers },
      ...{ device: 'cpu', threads: this.#threads },
    };
  }

  health(): EngineHealth {
    return this.#supervisor.health;
  }

  async load(model: OpenModel): Promise<EngineModel> {
    const { spec, weightsPath, tensors, name, json } = model;
    if (spec.batchNorm) {
      throw new VggError(
        'INVALID_ARGUMENT',
        `Expected batch normalisation folded into the weights of ${name}`,
      );
    }
    const source: ModelSource = { key: this.#nextKey++, name, spec, mean: json.mean, weightsPath, tensors };
    await this.#supervisor.call({ kind: 'load', source });
    this.#sources.set(source.key, source);
    return new OnnxModel(model, source.key, this.#supervisor, this.#bounds, () => {
      this.#sources.delete(source.key);
    });
  }

  close(): Promise<void> {
    return this.#supervisor.close();
  }
}

class OnnxModel implements EngineModel {
  readonly model: OpenModel;
  readonly #key: number;
  readonly #supervisor: Supervisor;
  readonly #bounds: BatchBounds;
  readonly #forget: () => void;
  #unloaded: Promise<void> | undefined;

  constructor(
    model: OpenModel,
    key: number,
    supervisor: Supervisor,
    bounds: BatchBounds,
    forget: () => void,
  ) {
    this.model = model;
    this.#key = key;
    this.#supervisor = supervisor;
    this.#bounds = bounds;
    this.#forget = forget;
  }

  plan(plane: PlanePixels, views: readonly View[], wanted: Wanted): Unit[] {
    const { spec } = this.model;
    return planViews({ spec, mostPixels: mostPixels(spec, this.#bounds) }, plane, views, wanted);
  }

  batchLimit(unit: Unit): number {
    return batchUnits(this.model.spec, unit.pixels, this.#bounds);
  }

  async score(batch: readonly Unit[]): Promise<UnitScores[]> {
    if (this.#unloaded) throw new VggError('UNAVAILABLE', `Model ${this.model.name} was unloaded`);
    const first = batch[0];
    const view = first?.views[0];
    if (!first || !view) return [];
    if (batch.some((unit) => unit.shapeKey !== first.shapeKey) || batch.length > this.batchLimit(first)) {
      throw new VggError(
        'INTERNAL',
        `Expected a batch of at most ${String(this.batchLimit(first))} units of one shape`,
      );
    }
    const scores = await this.#supervisor.call({
      ...{ kind: 'score', key: this.#key, height: view.height, width: view.width },
      cuts: batch.map(cutOf),
    });
    return batch.map((unit, index) => ({
      scores: unit.views.map((each) => viewScores(each, scores[index])),
    }));
  }

  unload(): Promise<void> {
    this.#forget();
    this.#unloaded ??= this.#supervisor.call({ kind: 'unload', key: this.#key }).then(() => undefined);
    return this.#unloaded;
  }
}

function cutOf({ plane, views, wanted }: Unit): Cut {
  const { x = 0, y = 0, mirrored = false } = views[0] ?? {};
  const softmaxFirst = wanted.scoreOrder === 'SOFTMAX_THEN_MEAN';
  return { plane, x, y, mirrored, softmaxFirst, scoreMap: wanted.scoreMaps };
}

function viewScores({ index }: View, scores: CutScores | undefined): ViewScores {
  if (!scores) throw new VggError('INTERNAL', 'Expected as many scores as views');
  return { view: index, ...scores };
}

function spawnWorker(settings: WorkerSettings): Worker {
  return new Worker(new URL('./worker.js', import.meta.url), { name: 'onnx', workerData: settings });
}
