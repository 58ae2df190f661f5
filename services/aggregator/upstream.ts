// What the road needs of the other services, in the words of the method. sdk-upstream.ts does it over
// gRPC; tests may do it otherwise.

import type { ScoreMap } from '../../vgg/scores.ts';
import type { Evaluation, Kernel, PlaneSpec, Rgb, ScoreOrder, Share, View } from '../../vgg/views.ts';

/** What the road must know of a model. */
export interface ModelFacts {
  name: string;
  network: string;
  classes: number;
  inputSize: number;
  /** Multiply-accumulates of one crop. */
  macs: number;
  mean: Rgb;
  scales: number[];
  kernel: Kernel;
  labels: string[];
  engine: string;
}

/** A plane with its pixels and views. */
export interface PreparedPlane {
  plane: PlaneSpec & { rgb8: Uint8Array; mean: Rgb };
  views: View[];
}

/** How a photo is prepared; models that agree on it share the planes. */
export interface Preparation {
  evaluation: Evaluation;
  mean: Rgb;
  inputSize: number;
}

/** How views are scored. */
export interface Scoring {
  model: string;
  scoreOrder: ScoreOrder;
  share: Share;
  scoreMaps: boolean;
  priority: 'INTERACTIVE' | 'BATCH';
  /** Views that will be sent. */
  views: number;
}

/** One view's score, as it arrives. */
export interface ArrivedScore {
  view: number;
  posterior: Float32Array;
  scoreMap?: ScoreMap;
  queueMs: number;
  computeMs: number;
  batchViews: number;
}

/** What holds for every call that belongs to one request. */
export interface CallScope {
  signal: AbortSignal;
  /** Milliseconds, on the clock of the server that serves the request. */
  deadline: number;
  requestId: string;
}

/** The services that the road leads through. */
export interface Upstream {
  /** Facts of a model; of the default one for an empty name. */
  model(name: string, scope: CallScope): Promise<ModelFacts>;
  /** Planes in order of their index. */
  prepare(photo: Uint8Array, preparation: Preparation, scope: CallScope): AsyncIterable<PreparedPlane>;
  /** Scores in the order in which they are computed. Leaving early drops what is not computed. */
  score(
    scoring: Scoring,
    planes: AsyncIterable<PreparedPlane>,
    scope: CallScope,
  ): AsyncIterable<ArrivedScore>;
}
