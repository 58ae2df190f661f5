// How the views of a plane become units of work: each by itself, or together where that is less work. Knows
// rectangles and costs, not sessions.

import { expected } from '../../../vgg/errors.ts';
import { convWidth, macs, type NetworkSpec } from '../../../vgg/networks.ts';
import { pixelAxes, sharedCost, sharedStages, type TileOutputs } from '../../../vgg/sharing/stages.ts';
import type { View } from '../../../vgg/views.ts';
import type { PlanePixels, Unit, Wanted } from '../engine.ts';

/** What planning needs of a model. */
export interface PlanModel {
  spec: NetworkSpec;
  /** Most pixels of one view. */
  mostPixels: number;
  /** Present where the library can compute views together. */
  sharing?: Sharing;
}

/** How a library shares. */
export interface Sharing {
  tileOutputs: TileOutputs;
  /** Products in shared form that take as long as one multiply-accumulate of a view by itself. */
  price: number;
}

/**
 * Units that answer every view once. Views by themselves share batches with those of one size, whatever plane
 * they are cut from; views together are a batch of their own.
 *
 * @throws VggError INVALID_ARGUMENT or TOO_LARGE naming the view at fault
 */
export function planViews(
  { spec, mostPixels, sharing }: PlanModel,
  plane: PlanePixels,
  views: readonly View[],
  wanted: Wanted,
): Unit[] {
  const bytes = plane.width * plane.height * 3;
  if (plane.rgb8.length !== bytes)
    throw expected(`${String(bytes)} bytes of pixels`, plane.rgb8.length, 'rgb8');
  for (const [index, view] of views.entries())
    checkView(view, plane, spec.inputSize, `views[${String(index)}]`);
  const alone = () => views.map((view, index) => aloneUnit(view, index));
  if (!sharing || wanted.share === 'off') return alone();
  return together(views);

  function aloneUnit(view: View, index: number): Unit {
    const { height, width } = view;
    const pixels = height * width;
    if (pixels > mostPixels) {
      throw expected(`at most ${String(mostPixels)} pixels`, pixels, `views[${String(index)}]`, 'TOO_LARGE');
    }
    const shapeKey = `${String(width)}x${String(height)}`;
    return { shapeKey, shared: false, cost: costAlone(view), pixels, views: [view], plane, wanted };
  }

  function costAlone({ height, width }: View): number {
    return macs(spec, height, width);
  }

  // All in one unit if that is less work than each alone and its states fit; else by halves.
  function together(some: readonly View[]): Unit[] {
    if (!sharing) return [];
    const { products, numbers } = sharedCost(sharedStages(spec, pixelAxes(some), sharing.tileOutputs));
    const cost = products / sharing.price;
    // As many pixels of a view by itself would take the same memory.
    const pixels = numbers / (2 * convWidth(spec.width, 0));
    const costApart = some.reduce((sum, view) => sum + costAlone(view), 0);
    if (cost < costApart && pixels <= mostPixels) {
      const key = some.map(({ x, y, width, height, mirrored }) => [x, y, width, height, mirrored].join());
      const shapeKey = ['shared', plane.width, plane.height, ...key].join(' ');
      return [{ shapeKey, shared: true, cost, pixels, views: some, plane, wanted }];
    }
    if (some.length === 1) return some.map((view) => aloneUnit(view, views.indexOf(view)));
    return halves(some).flatMap(together);
  }
}

// Mirrored and not, which have little in common; else the upper and the lower half.
function halves(views: readonly View[]): [View[], View[]] {
  const mirrored = views.filter((view) => view.mirrored);
  if (mirrored.length > 0 && mirrored.length < views.length)
    return [views.filter((view) => !view.mirrored), mirrored];
  const sorted = [...views].sort((a, b) => a.y + a.height / 2 - b.y - b.height / 2 || a.x - b.x);
  const middle = Math.ceil(sorted.length / 2);
  return [sorted.slice(0, middle), sorted.slice(middle)];
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
