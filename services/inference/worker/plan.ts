// How the plain engine cuts views into units: one view, one unit. Knows rectangles and costs, not sessions.

import { expected } from '../../../vgg/errors.ts';
import { macs, type NetworkSpec } from '../../../vgg/networks.ts';
import type { View } from '../../../vgg/views.ts';
import type { PlanePixels, Unit, Wanted } from '../engine.ts';

/** What planning needs of a model. */
export interface PlanModel {
  spec: NetworkSpec;
  /** Most pixels of one view. */
  mostPixels: number;
}

/**
 * One unit per view, in their order. Views of one size share batches, whatever plane they are cut from.
 *
 * @throws VggError INVALID_ARGUMENT or TOO_LARGE naming the view at fault
 */
export function planViews(
  { spec, mostPixels }: PlanModel,
  plane: PlanePixels,
  views: readonly View[],
  wanted: Wanted,
): Unit[] {
  const bytes = plane.width * plane.height * 3;
  if (plane.rgb8.length !== bytes)
    throw expected(`${String(bytes)} bytes of pixels`, plane.rgb8.length, 'rgb8');
  const costs = new Map<string, number>();
  return views.map((view, index) => {
    checkView(view, plane, spec.inputSize, `views[${String(index)}]`);
    const { height, width } = view;
    const pixels = height * width;
    if (pixels > mostPixels) {
      throw expected(`at most ${String(mostPixels)} pixels`, pixels, `views[${String(index)}]`, 'TOO_LARGE');
    }
    const shapeKey = `${String(width)}x${String(height)}`;
    const cost = costs.get(shapeKey) ?? macs(spec, height, width);
    costs.set(shapeKey, cost);
    return { shapeKey, cost, pixels, views: [view], plane, wanted };
  });
}

function checkView(view: View, plane: PlanePixels, inputSize: number, field: string): void {
  for (const [at, side] of [
    ['x', 'width'],
    ['y', 'height'],
  ] as const) {
    const start = view[at];
    const length = view[side];
    if (!(Number.isInteger(length) && length >= inputSize)) {
      throw expected(`${side} ≥ ${String(inputSize)}`, length, `${field}.${side}`);
    }
    if (!(Number.isInteger(start) && start >= 0 && start + length <= plane[side])) {
      throw expected(`${at} from 0 to ${String(plane[side] - length)}`, start, `${field}.${at}`);
    }
  }
}
