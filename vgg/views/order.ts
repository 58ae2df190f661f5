// In which order views are computed where an answer may be known before all of them are.

import type { Evaluation } from './evaluation.ts';
import { evaluationViews } from './views.ts';

/** A model, as far as the order depends on it. */
export interface OrderedModel {
  evaluation: Evaluation;
  /** Side of a crop in pixels. */
  inputSize: number;
  /** Multiply-accumulates of a crop. */
  macs: number;
}

/** A view's place. */
export interface OrderedView {
  /** Place in the list of models. */
  model: number;
  plane: number;
  /** Place in the model's evaluation. */
  index: number;
  /** Share in the answer over all models. */
  weight: number;
}

/**
 * All models' views, those first that cost least for their weight: a dense view before the crops that weigh as much,
 * small models before large ones. Crops cost the same at any scale, but those of a small plane overlap more, which
 * is computed once: so small planes come before large ones, whatever the order of the scales.
 *
 * It is the same for every photo: costs are those of a square one.
 */
export function decidingOrder(models: readonly OrderedModel[]): OrderedView[] {
  const places = models.flatMap(({ evaluation, inputSize, macs }, model) => {
    const side = Math.max(...evaluation.scales);
    const { planes, views } = evaluationViews({ width: side, height: side }, evaluation, inputSize);
    return views.map(({ plane, index, width, height, weight }) => {
      const cost = (macs * width * height) / inputSize ** 2 / weight;
      // Weights that are thirds of sevenths are not equal to the last bit.
      return {
        ...{ cost: Number(cost.toPrecision(6)), scale: planes[plane]?.scale ?? 0 },
        place: { model, plane, index, weight: weight / models.length },
      };
    });
  });
  return places.sort((a, b) => a.cost - b.cost || a.scale - b.scale).map(({ place }) => place);
}
