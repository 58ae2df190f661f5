// The seam between batching and computing: what every engine does, in the words that both sides share.
// Knows planes, views, units of work and scores. Does not know requests, queues, layers or libraries.

import type { OpenModel } from '../../models/store.ts';
import type { ScoreMap } from '../../vgg/scores.ts';
import type { ScoreOrder, View } from '../../vgg/views.ts';

/** Engines by name, as answers and VGG_ENGINE spell them. */
export type EngineName = 'onnx' | 'tensorflow';

/**
 * A plane's pixels. They lie in shared memory: copied once when they arrive, then read by the engine's
 * worker for as many batches, and as many attempts, as the plane's views need.
 */
export interface PlanePixels {
  /** Columns, ≥ inputSize. */
  readonly width: number;
  /** Rows, ≥ inputSize. */
  readonly height: number;
  /** height × width × 3 bytes, row by row, RGB interleaved, before the model's mean is subtracted. */
  readonly rgb8: Uint8Array<SharedArrayBuffer>;
}

/** What is wanted of each view. It is part of a unit, so one batch may hold units that want different things. */
export interface Wanted {
  /** Order of spatial mean and softmax. */
  readonly scoreOrder: ScoreOrder;
  /** Whether the class score map is wanted too. */
  readonly scoreMaps: boolean;
  /**
   * `off`: every view by itself, as the paper computes it; `on`: views of a plane together; `auto`: whatever was
   * quicker when the model was loaded, on a GPU as `off`. The scores are the same.
   */
  readonly share: 'auto' | 'on' | 'off';
}

/**
 * The smallest piece of work that an engine computes: one or several views of one plane. Batchers look at
 * the key, the cost, the pixels and the number of views, and at nothing else.
 */
export interface Unit {
  /** Units of one model with equal keys may share a batch. */
  readonly shapeKey: string;
  /** Multiply-accumulates. */
  readonly cost: number;
  /** Whether its views are computed together, so that what they have in common is computed once. */
  readonly shared: boolean;
  /** Pixels that the network sees; a batch's memory grows with their sum. */
  readonly pixels: number;
  /** The views that this unit answers, ≥ 1. */
  readonly views: readonly View[];
  /** Where they are cut from. */
  readonly plane: PlanePixels;
  /** What is wanted of them. */
  readonly wanted: Wanted;
}

/** One view's score. */
export interface ViewScores {
  /** The view's index. */
  readonly view: number;
  /** [classes] probabilities that sum to 1. */
  readonly posterior: Float32Array;
  /** Present if the unit wanted it. */
  readonly scoreMap?: ScoreMap;
}

/** One unit's scores, in the order of its views. */
export interface UnitScores {
  readonly scores: readonly ViewScores[];
}

/** What an engine does before a model answers: its network is made, runs once, is timed. */
export type LoadPhase = 'load' | 'warm_up' | 'measure';

/** Told how many milliseconds a phase took. */
export type OnPhase = (phase: LoadPhase, ms: number) => void;

/** What an engine runs on, for `doctor`, metrics and logs. */
export interface EngineFacts {
  readonly engine: EngineName;
  /** The library underneath, e.g. onnxruntime-node. */
  readonly library: string;
  /** Its version. */
  readonly version: string;
  /** What the installed library can compute on, e.g. cpu, cuda. */
  readonly providers: readonly string[];
  /** What this engine computes on. */
  readonly device: string;
  /** Threads that compute at once. */
  readonly threads: number;
}

/** Whether an engine can answer now, and if not, why not. */
export type EngineHealth = { readonly ready: true } | { readonly ready: false; readonly reason: string };

/** A loaded model. */
export interface EngineModel {
  readonly model: OpenModel;

  /**
   * Cuts the views of one plane into units of work. Pure and quick. Each view is answered by exactly one unit.
   *
   * @throws VggError INVALID_ARGUMENT if a view leaves its plane or is smaller than the network's input, or
   *   if the plane's bytes do not fit its size; TOO_LARGE if one view alone exceeds what a batch may hold
   */
  plan(plane: PlanePixels, views: readonly View[], wanted: Wanted): Unit[];

  /**
   * How many units like this one a batch should hold at most, ≥ 1: the quickest size that was measured,
   * and never more pixels than fit the memory set aside for a batch. `score` refuses larger batches.
   */
  batchLimit(unit: Unit): number;

  /**
   * Scores a batch: answers have the same length and the same order as the input. If the engine's worker
   * dies meanwhile the batch is tried once more.
   *
   * @param batch 1 to `batchLimit` units of one shape key
   * @throws VggError UNAVAILABLE if the worker died twice, the model was unloaded or the engine was closed
   */
  score(batch: readonly Unit[]): Promise<UnitScores[]>;

  /** Frees the model's memory. Batches in flight are answered first. */
  unload(): Promise<void>;
}

/** A library that computes networks. */
export interface Engine {
  readonly name: EngineName;

  /** What it runs on. */
  facts(): EngineFacts;

  /**
   * Loads a model, and runs it once so that the first request is as quick as the second.
   *
   * @param onPhase told how long each phase took
   * @throws VggError INVALID_ARGUMENT if the weights cannot be read, are not the network's or give no
   *   probabilities; RESOURCE_EXHAUSTED if there is not enough memory
   */
  load(model: OpenModel, onPhase?: OnPhase): Promise<EngineModel>;

  /** Whether batches are answered now. */
  health(): EngineHealth;

  /** Answers what is in flight, frees everything. Safe to call twice. */
  close(): Promise<void>;
}
