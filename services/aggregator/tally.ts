// What has been scored so far, over all models, and the answer that follows from it.
// Knows posteriors and weights; neither pixels nor calls.

import { PosteriorMean, meanOfModels, topK, type Prediction, type ScoreMap } from '../../vgg/scores.ts';
import type { View } from '../../vgg/views.ts';

/** A view and what a model said of it. */
export interface ScoredView {
  view: View;
  posterior: Float32Array;
  scoreMap?: ScoreMap;
  /** From arrival at the engine's queue until its batch began, in milliseconds. */
  queueMs: number;
  /** Engine time of its batch, in milliseconds. */
  computeMs: number;
  /** Views in that batch. */
  batchViews: number;
}

/** One model's views. */
export class ModelTally {
  readonly name: string;
  readonly total: number;
  readonly #mean: PosteriorMean;
  readonly #scored: (ScoredView | undefined)[] = [];

  /**
   * @param classes classes of the model
   * @param total views that it will have
   */
  constructor(name: string, classes: number, total: number) {
    this.name = name;
    this.total = total;
    this.#mean = new PosteriorMean(classes);
  }

  /** Views scored so far. */
  get done(): number {
    return this.#mean.count;
  }

  /** Whether a view is scored. */
  has(index: number): boolean {
    return this.#scored[index] !== undefined;
  }

  /** Counts a view, once, however often it is scored. */
  add(scored: ScoredView): void {
    if (this.#mean.add(scored.view.index, scored.posterior, scored.view.weight)) {
      this.#scored[scored.view.index] = scored;
    }
  }

  /** Weighted mean of what is there: [classes]. */
  posterior(): Float64Array {
    return this.#mean.mean();
  }

  /** What is there, in view order. */
  scored(): ScoredView[] {
    return this.#scored.filter((each) => each !== undefined);
  }
}

/** All models' views. */
export class Tally {
  readonly models: readonly ModelTally[];

  constructor(models: readonly ModelTally[]) {
    this.models = models;
  }

  /** Views scored so far. */
  get done(): number {
    return this.models.reduce((sum, { done }) => sum + done, 0);
  }

  /** Views of the whole answer. */
  get total(): number {
    return this.models.reduce((sum, { total }) => sum + total, 0);
  }

  /** Mean over the models that have scored something (paper, Table 6): [classes]. */
  posterior(): Float64Array {
    return meanOfModels(this.models.filter(({ done }) => done > 0).map((model) => model.posterior()));
  }

  /** Most probable classes. */
  predictions(top: number, labels: readonly string[]): Prediction[] {
    return topK(this.posterior(), top, labels);
  }

  /** Mean time that a view waited, and engine time of all views, in milliseconds. */
  times(): { queueMs: number; computeMs: number } {
    let queueMs = 0;
    let computeMs = 0;
    for (const model of this.models) {
      for (const scored of model.scored()) {
        queueMs += scored.queueMs;
        computeMs += scored.computeMs / scored.batchViews;
      }
    }
    return { queueMs: this.done > 0 ? queueMs / this.done : 0, computeMs };
  }
}
