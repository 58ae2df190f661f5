// What engine and worker say to each other, and nothing else.

import type { NetworkSpec } from '../../../vgg/networks.ts';
import type { VggError } from '../../../vgg/errors.ts';
import type { Dtype } from '../../../vgg/pack.ts';
import type { View } from '../../../vgg/views.ts';
import type { LoadPhase, PlanePixels } from '../engine.ts';

/** Where one tensor of a model lies in its weights file. */
export interface WeightEntry {
  name: string;
  dtype: Dtype;
  shape: readonly number[];
  /** First byte in the file. */
  offset: number;
  bytes: number;
}

/** A model as the worker needs it: everything but the weights, which it finds by path. */
export interface ModelSource {
  /** Unique among the engine's models. */
  key: number;
  /** For messages. */
  name: string;
  spec: NetworkSpec;
  mean: readonly [number, number, number];
  weightsPath: string;
  tensors: readonly WeightEntry[];
}

/** A view to score. */
export interface Cut {
  plane: PlanePixels;
  view: View;
  /** Softmax at each location first, then the spatial mean. */
  softmaxFirst: boolean;
  /** Whether the class score map is wanted. */
  scoreMap: boolean;
}

/** Views for one model: of one size, or to be computed together. */
export interface ScoreRequest {
  kind: 'score';
  key: number;
  /** Whether what views of a plane have in common is computed once: all planes are of one size then. */
  shared: boolean;
  cuts: readonly Cut[];
}

/** What a worker is asked. */
export type WorkerRequest =
  | { kind: 'load'; source: ModelSource }
  | ScoreRequest
  | { kind: 'unload'; key: number }
  /** Frees all models; answered after everything asked before. */
  | { kind: 'close' };

/** A request on its way. */
export type Envelope = WorkerRequest & { id: number };

/** One view's answer. */
export interface CutScores {
  /** [classes] */
  posterior: Float32Array<ArrayBuffer>;
  scoreMap?: { height: number; width: number; classes: number; values: Float32Array<ArrayBuffer> };
}

/** First message of a worker: what it runs on. */
export interface WorkerFacts {
  /** Of the library. */
  version: string;
  /** What the installed library can compute on. */
  providers: string[];
  /** What it computes on. */
  device: 'cpu' | 'gpu';
}

/** What a request comes to. */
export interface WorkerReply {
  /** Of a score request, in the order of its cuts; nothing of other requests. */
  scores: CutScores[];
  /** Of a model that was loaded; without, views are computed together only where that is asked for. */
  speeds?: Speeds;
  /** Of a model that was loaded: how long each phase took. */
  phases?: [LoadPhase, number][];
}

/** How fast a model was in its first passes. */
export interface Speeds {
  /** Multiply-accumulates a millisecond of views by themselves. */
  alone: number;
  /** Work a millisecond of views together (shared-work.ts), beyond: */
  shared: number;
  /** Milliseconds that views together take however few they are. */
  sharedMs: number;
}

/** What a worker says. */
export type WorkerMessage =
  | { kind: 'facts'; facts: WorkerFacts }
  /** First message of a worker that cannot work, and its last. */
  | { kind: 'refusal'; code: VggError['code']; message: string; cause: string }
  | { kind: 'reply'; id: number; reply: WorkerReply }
  /** An error that the caller may see, and its cause in words, for the log. */
  | { kind: 'failure'; id: number; code: VggError['code']; message: string; cause: string };
