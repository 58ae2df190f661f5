// Plans of views that are computed together, kept by how the views lie, and what comes of a plan. Knows lists; not
// how a layer is computed.

import type { NetworkSpec } from '../../../vgg/networks.ts';
import { sharedPlan, type SharedPlan } from '../../../vgg/sharing/plan.ts';
import { tileOutputs } from '../../../vgg/sharing/tile-sides.ts';
import type { Size, View } from '../../../vgg/views.ts';
import { geometryKey } from './plan.ts';
import { Recent } from './recent.ts';
import type { OwnScoreMap } from './score-maps.ts';
import { stripSize } from './tiles.ts';

// Photos of a few sizes at three scales.
const PLAN_BYTES = 2 ** 27;

/** Plans of one network. */
export class SharedPlans {
  readonly #spec: NetworkSpec;
  readonly #plans = new Recent<SharedPlan>(PLAN_BYTES, planBytes);

  constructor(spec: NetworkSpec) {
    this.#spec = spec;
  }

  /** The plan of views of one plane. */
  of(plane: Size, views: readonly View[]): SharedPlan {
    return this.#plans.get(geometryKey(plane, views), () =>
      sharedPlan(this.#spec, plane, views, { tileOutputs, stripSize }),
    );
  }
}

/** What fc6 reads, [rows, places]: all but the row that is nobody's. */
export function rowReads({ steps }: SharedPlan): { rows: number; reads: Int32Array<ArrayBuffer> } {
  for (const step of steps) {
    if (step.kind !== 'gathered' || step.layer.name !== 'fc6') continue;
    const { size, reads } = step.strips;
    return { rows: size - 1, reads: reads.subarray(reads.length / size) };
  }
  throw new Error('a network without fc6');
}

/** Each view's map. @param scores [rows, classes] of the rows that fc6 reads */
export function scoreMapsOf({ views }: SharedPlan, scores: Float32Array, classes: number): OwnScoreMap[] {
  return views.map(({ height, width, positions }) => {
    const values = new Float32Array(positions.length * classes);
    for (const [place, position] of positions.entries())
      values.set(scores.subarray((position - 1) * classes, position * classes), place * classes);
    return { height, width, classes, values };
  });
}

function planBytes({ steps, views }: SharedPlan): number {
  const lists = steps.map((step) => (step.kind === 'pointwise' ? 0 : step.strips.reads.byteLength));
  return [...lists, ...views.map(({ positions }) => positions.byteLength)].reduce((sum, each) => sum + each);
}
