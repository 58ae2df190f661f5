// Which networks are measured, and how their photos are evaluated. Knows the paper's choices and the default model's.

import { join } from 'node:path';
import { packageRoot } from '../../proto/package-root.ts';
import { openModel, type OpenModel } from '../../models/store.ts';
import type { NetworkName } from '../../vgg/networks.ts';
import type { Evaluation } from '../../vgg/views.ts';
import { randomModel } from '../random-model.ts';

/** A network that is measured. */
export interface Subject {
  name: string;
  weights: string;
  model: OpenModel;
  /** Whatever is not the model's own, or everybody's. */
  evaluation: Partial<Evaluation>;
}

/** The model that is in the package. */
export const DEFAULT = 'default';

/** @param scales of the paper's networks; the default model has its own */
export async function subjectOf(name: NetworkName | typeof DEFAULT, scales: number[]): Promise<Subject> {
  if (name === DEFAULT) {
    const model = await openModel(join(packageRoot, 'models', 'caltech-101-d'));
    return { name, weights: model.name, model, evaluation: {} };
  }
  const spec = { network: name, width: 1, hidden: 4096, classes: 1000, inputSize: 224 };
  const model = await openModel(await randomModel(spec));
  return { name, weights: 'random', model, evaluation: { scales, align: 8 } };
}
