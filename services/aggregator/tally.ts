// What has been scored so far, over all models, and the answer that follows from it.
// Knows posteriors and weights; neither pixels nor calls.

import { PosteriorMean, meanOfModels, topK, type Prediction, type ScoreMap } from '../../vgg/scores.ts';
import { Standing } from '../../vgg/standing.ts';
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
  #weight = 0;

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

  /** Weight of the views scored so far, from 0 to 1. */
  get weight(): number {
    return this.#weight;
  }

  /** Whether a view is scored. */
  has(index: number): boolean {
    return this.#scored[index] !== undefined;
  }

  /** Counts a view, once, however often it is scored; false if it was scored before. */
  add(scored: ScoredView): boolean {
    const { view, posterior } = scored;
    if (!this.#mean.add(view.index, posterior, view.weight)) return false;
    this.#scored[view.index] = scored;
    this.#weight += view.weight;
    return true;
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
  /** Who leads, over all models. */
  readonly standing: Standing;
  readonly #mayStop: boolean;
  #decided = false;

  /**
   * @param classes of every model
   * @param mayStop whether the answer may be known before every view is scored
   */
  constructor(models: readonly ModelTally[], { classes, mayStop }: { classes: number; mayStop: boolean }) {
    this.models = models;
    this.standing = new Standing(classes);
    this.#mayStop = mayStop;
  }

  /** Counts a model's view, once. */
  add(model: ModelTally, scored: ScoredView): void {
    const { posterior, view } = scored;
    if (!model.add(scored)) return;
    this.standing.add(posterior, view.weight / this.models.length);
    this.#decided ||= this.#mayStop && this.standing.decided;
  }

  /** Whether nothing more is needed: every view is scored, or none to come can change the most probable class. */
  get known(): boolean {
    return this.#decided || this.done === this.total;
  }

  /** Views scored so far. */
  get done(): number {
    return this.models.reduce((sum, { done }) => sum + done, 0);
  }

  /** Views of the whole answer. */
  get total(): number {
    return this.models.reduce((sum, { total }) => sum + total, 0);
  }

  /**
   * Mean over the models (paper, Table 6); while views are missing, over the views that are there, their weights
   * scaled to sum to 1, so that whoever leads is the most probable class: [classes].
   */
  posterior(): Float64Array {
    const some = this.models.filter(({ done }) => done > 0);
    const posteriors = some.map((model) => model.posterior());
    return this.done === this.total || some.length === 1
      ? meanOfModels(posteriors)
      : meanOfModels(
          posteriors,
          some.map(({ weight }) => weight),
        );
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
