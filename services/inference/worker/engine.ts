// An engine whose library computes on a thread of its own. Knows models, plans and the supervisor of its
// worker; which library it is, its two callers know, and its sessions live on the other side, in thread.ts.

import { availableParallelism } from 'node:os';
import type { Worker } from 'node:worker_threads';
import type { OpenModel } from '../../../models/store.ts';
import { VggError } from '../../../vgg/errors.ts';
import { tileOutputs } from '../../../vgg/sharing/tile-sides.ts';
import type { View } from '../../../vgg/views.ts';
import type {
  Engine,
  EngineFacts,
  EngineHealth,
  EngineModel,
  EngineName,
  OnPhase,
  PlanePixels,
  Unit,
  UnitScores,
  ViewScores,
  Wanted,
} from '../engine.ts';
import { batchLimit, mostPixels, type BatchBounds } from './batch-limit.ts';
import type { Cut, CutScores, ModelSource, Speeds, WorkerFacts } from './messages.ts';
import { Planner, UNMEASURED, type Sharing } from './plan.ts';
import { Supervisor } from './supervisor.ts';

/** What VGG_INFERENCE_SHARING may say. */
export const SHARING_CHOICES = ['measured', 'always', 'never'] as const;

/** What both engines may be told; all have defaults. */
export interface EngineOptions {
  /**
   * Whether views of a plane that nobody asks to be by themselves are together: by default where that was quicker
   * when the model was loaded, which on a GPU nobody measures.
   */
  sharing?: (typeof SHARING_CHOICES)[number];
  /** Threads that compute at once; by default as many as the machine runs in parallel. */
  threads?: number;
  /** Bounds of a batch. */
  bounds?: Partial<BatchBounds>;
  /** Called when the worker ended unasked or cannot be replaced, for logs and metrics. */
  onFailure?: (reason: Error) => void;
  /** Runs a function later; returns how to call it off. */
  schedule?: (run: () => void, ms: number) => () => void;
}

// A unit of several views takes at most about so long: whoever comes meanwhile waits for it.
const MOST_MS = 2000;
// Units of small networks share a batch up to about so long: beyond it nothing gets quicker.
const BATCH_MS = 100;

const AUTO = { measured: 'auto', always: 'on', never: 'off' } as const;

/** What makes an engine of a library. */
export interface Library {
  readonly name: EngineName;
  /** The package underneath. */
  readonly library: string;
  /** Starts the worker thread. */
  spawn(): Worker;
  /** Bounds of a batch, on what the worker computes on. */
  bounds(facts: WorkerFacts): BatchBounds;
}

/**
 * Starts an engine: its worker runs when this resolves.
 *
 * @throws VggError UNAVAILABLE if it does not start
 */
export async function startWorkerEngine(library: Library, options: EngineOptions = {}): Promise<Engine> {
  const { onFailure, schedule, threads = availableParallelism(), sharing = 'measured' } = options;
  const sources = new Map<number, ModelSource>();
  const supervisor = new Supervisor({
    spawn: () => library.spawn(),
    restore: () => [...sources.values()].map((source) => ({ kind: 'load', source }) as const),
    ...(onFailure && { onFailure }),
    ...(schedule && { schedule }),
  });
  try {
    const facts = await supervisor.facts();
    const bounds = { ...library.bounds(facts), ...options.bounds };
    return new WorkerEngine({ library, supervisor, sources, facts, bounds, threads, auto: AUTO[sharing] });
  } catch (error) {
    await supervisor.close();
    throw error;
  }
}

interface Parts {
  library: Library;
  supervisor: Supervisor;
  /** What is loaded, for a replacement. */
  sources: Map<number, ModelSource>;
  facts: WorkerFacts;
  bounds: BatchBounds;
  threads: number;
  /** What `auto` stands for. */
  auto: Wanted['share'];
}

class WorkerEngine implements Engine {
  readonly name: EngineName;
  readonly #parts: Parts;
  #nextKey = 0;

  constructor(parts: Parts) {
    this.name = parts.library.name;
    this.#parts = parts;
  }

  facts(): EngineFacts {
    const { library, facts, threads } = this.#parts;
    return { engine: this.name, library: library.library, ...facts, threads };
  }

  health(): EngineHealth {
    return this.#parts.supervisor.health;
  }

  async load(model: OpenModel, onPhase?: OnPhase): Promise<EngineModel> {
    const { supervisor, sources, bounds, auto } = this.#parts;
    const { spec, weightsPath, tensors, name, json } = model;
    if (spec.batchNorm) {
      throw new VggError(
        'INVALID_ARGUMENT',
        `Expected batch normalisation folded into the weights of ${name}`,
      );
    }
    const source: ModelSource = { key: this.#nextKey++, name, spec, mean: json.mean, weightsPath, tensors };
    const { speeds, phases = [] } = await supervisor.call({ kind: 'load', source });
    for (const phase of phases) onPhase?.(...phase);
    const sharing = { tileOutputs, ...(speeds ? measured(speeds) : UNMEASURED) };
    sources.set(source.key, source);
    return new WorkerModel({
      ...{ model, key: source.key, supervisor, bounds, sharing, auto },
      forget: () => {
        sources.delete(source.key);
      },
    });
  }

  close(): Promise<void> {
    return this.#parts.supervisor.close();
  }
}

function measured({ alone, shared, sharedMs }: Speeds): Omit<Sharing, 'tileOutputs'> {
  return {
    ...{ price: shared / alone, fixedCost: sharedMs * alone, auto: true },
    ...{ mostCost: alone * MOST_MS, batchCost: alone * BATCH_MS },
  };
}

interface ModelParts {
  model: OpenModel;
  key: number;
  supervisor: Supervisor;
  bounds: BatchBounds;
  sharing: Sharing;
  auto: Wanted['share'];
  forget: () => void;
}

class WorkerModel implements EngineModel {
  readonly model: OpenModel;
  readonly #parts: ModelParts;
  readonly #planner: Planner;
  #unloaded: Promise<void> | undefined;

  constructor(parts: ModelParts) {
    this.model = parts.model;
    this.#parts = parts;
    const { spec } = parts.model;
    const { bounds, sharing } = parts;
    this.#planner = new Planner({ spec, mostPixels: mostPixels(spec, bounds), sharing });
  }

  plan(plane: PlanePixels, views: readonly View[], wanted: Wanted): Unit[] {
    const share = wanted.share === 'auto' ? this.#parts.auto : wanted.share;
    return this.#planner.plan(plane, views, { ...wanted, share });
  }

  batchLimit(unit: Unit): number {
    const { bounds, sharing } = this.#parts;
    return batchLimit(this.model.spec, unit, bounds, sharing.batchCost);
  }

  async score(batch: readonly Unit[]): Promise<UnitScores[]> {
    if (this.#unloaded) throw new VggError('UNAVAILABLE', `Model ${this.model.name} was unloaded`);
    const first = batch[0];
    if (!first) return [];
    if (batch.some((unit) => unit.shapeKey !== first.shapeKey) || batch.length > this.batchLimit(first)) {
      throw new VggError(
        'INTERNAL',
        `Expected a batch of at most ${String(this.batchLimit(first))} units of one shape`,
      );
    }
    const { supervisor, key } = this.#parts;
    const { scores } = await supervisor.call({
      ...{ kind: 'score', key, shared: first.shared },
      cuts: batch.flatMap(cutsOf),
    });
    let next = 0;
    return batch.map(({ views }) => ({ scores: views.map((view) => viewScores(view, scores[next++])) }));
  }

  unload(): Promise<void> {
    const { supervisor, key, forget } = this.#parts;
    forget();
    this.#unloaded ??= supervisor.call({ kind: 'unload', key }).then(() => undefined);
    return this.#unloaded;
  }
}

function cutsOf({ plane, views, wanted }: Unit): Cut[] {
  const softmaxFirst = wanted.scoreOrder === 'SOFTMAX_THEN_MEAN';
  return views.map((view) => ({ plane, view, softmaxFirst, scoreMap: wanted.scoreMaps }));
}

function viewScores({ index }: View, scores: CutScores | undefined): ViewScores {
  if (!scores) throw new VggError('INTERNAL', 'Expected as many scores as views');
  return { view: index, ...scores };
}
