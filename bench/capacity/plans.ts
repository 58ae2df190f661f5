// What an engine makes of a photo of some size, as the simulation needs it, with units that can be timed.
// Knows protocols as text (`multi-crop`, `center-crop:72,92`); the pixels are made up.

import type { PlannedPlane } from '../../loadtest/simulate/plans.ts';
import type { EngineModel, Unit } from '../../services/inference/engine.ts';
import {
  evaluationViews,
  PROTOCOLS,
  resolveEvaluation,
  type Evaluation,
  type Size,
} from '../../vgg/views.ts';

/** The evaluation that a text names, with the model's defaults. */
export function evaluationOf(text: string, { model }: EngineModel): Evaluation {
  return resolveEvaluation(optionsOf(text), { ...model.json, inputSize: model.spec.inputSize });
}

/** A text's protocol and scales. */
export function optionsOf(text: string) {
  const [name = '', scales] = text.split(':');
  const protocol = PROTOCOLS.find((each) => each === name.toUpperCase().replaceAll('-', '_'));
  if (!protocol) throw new Error(`Expected a protocol but received ${name}`);
  return { protocol, ...(scales !== undefined && { scales: scales.split(',').map(Number) }) };
}

/** Units of a photo's by kind, of each as many as the largest batch holds, and from different photos. */
export function unitsByKind(model: EngineModel, photo: () => readonly Unit[]): Unit[][] {
  const kinds = new Map<string, Unit[]>();
  let grown = true;
  while (grown) {
    grown = false;
    for (const unit of photo()) {
      const kind = kinds.get(unit.shapeKey) ?? [];
      kinds.set(unit.shapeKey, kind);
      if (kind.length >= model.batchLimit(unit)) continue;
      kind.push(unit);
      grown = true;
    }
  }
  return [...kinds.values()];
}

/** Planes and units of a photo. */
export function plannedBy(
  model: EngineModel,
  photo: Size,
  evaluation: Evaluation,
): { planes: PlannedPlane[]; views: number; units: Unit[] } {
  const { planes, views } = evaluationViews(photo, evaluation, model.model.spec.inputSize);
  const units: Unit[] = [];
  const planned = planes.map(({ index, width, height }): PlannedPlane => {
    const rgb8 = new Uint8Array(new SharedArrayBuffer(width * height * 3));
    for (let i = 0; i < rgb8.length; i++) rgb8[i] = (i * 7919) % 251;
    const own = model.plan(
      { width, height, rgb8 },
      views.filter(({ plane }) => plane === index),
      {
        scoreOrder: evaluation.scoreOrder,
        scoreMaps: false,
        share: evaluation.share === 'OFF' ? 'off' : 'auto',
      },
    );
    units.push(...own);
    return {
      megabytes: (width * height * 3) / 1e6,
      megapixels: (width * height) / 1e6,
      units: own.map((unit) => ({
        shapeKey: unit.shapeKey,
        cost: unit.cost,
        views: { length: unit.views.length },
        pixels: unit.pixels,
        shared: unit.shared,
        limit: model.batchLimit(unit),
      })),
    };
  });
  return { planes: planned, views: views.length, units };
}
