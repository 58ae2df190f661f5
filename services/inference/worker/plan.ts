// How the views of a plane become units of work: each by itself, or together where that is less work. Knows
// rectangles and costs, not sessions.

import { expected } from '../../../vgg/errors.ts';
import { convWidth, macs, type NetworkSpec } from '../../../vgg/networks.ts';
import { pixelAxes, sharedCost, sharedStages, type TileOutputs } from '../../../vgg/sharing/stages.ts';
import type { Size, View } from '../../../vgg/views.ts';
import type { PlanePixels, Unit, Wanted } from '../engine.ts';
import { Recent } from './recent.ts';
import { sharedWork } from './shared-work.ts';

/** What planning needs of a model. */
export interface PlanModel {
  spec: NetworkSpec;
  /** Most pixels of one view. */
  mostPixels: number;
  sharing: Sharing;
}

/** What is known of a model's shared form. */
export interface Sharing {
  tileOutputs: TileOutputs;
  /** Work in shared form (shared-work.ts) that takes as long as one multiply-accumulate of a view by itself. */
  price: number;
  /** Multiply-accumulates that take as long as whatever a unit takes beside its work. */
  fixedCost: number;
  /** Most multiply-accumulates of a unit, so that others have their turn; a single view may take more. */
  mostCost: number;
  /** Multiply-accumulates of a batch of units, as long as it has more than one. */
  batchCost: number;
  /** Whether `auto` shares where that is less work; otherwise it does not share. */
  auto: boolean;
}

/** Where nobody knows whether it pays, views are together when that is asked for, as many as fit the memory. */
export const UNMEASURED = { price: 1, fixedCost: 0, mostCost: Infinity, batchCost: 0, auto: false };

/** Views that become a unit, by their places in the list. */
type Group = Pick<Unit, 'shapeKey' | 'shared' | 'cost' | 'pixels'> & { views: readonly number[] };

// Speeds are measured, and so not exact.
const CLEARLY = 0.85;
// Lists of views whose grouping is remembered.
const REMEMBERED = 256;

/** Plans one model's units. */
export class Planner {
  readonly #model: PlanModel;
  readonly #groups = new Recent<readonly Group[]>(REMEMBERED, () => 1);

  constructor(model: PlanModel) {
    this.#model = model;
  }

  /**
   * Units that answer every view once. Views by themselves share batches with those of one size, whatever plane
   * they are cut from; views together share them with those that lie alike in a plane of the same size.
   *
   * @throws VggError INVALID_ARGUMENT or TOO_LARGE naming the view at fault
   */
  plan(plane: PlanePixels, views: readonly View[], wanted: Wanted): Unit[] {
    const { width, height, rgb8 } = plane;
    if (rgb8.length !== width * height * 3)
      throw expected(`${String(width * height * 3)} bytes of pixels`, rgb8.length, 'rgb8');
    for (const [index, view] of views.entries())
      checkView(view, plane, this.#model.spec.inputSize, `views[${String(index)}]`);
    const all = [...views.keys()];
    const key = `${wanted.share} ${geometryKey(plane, views)}`;
    const groups = this.#groups.get(key, () =>
      wanted.share === 'off' || (wanted.share === 'auto' && !this.#model.sharing.auto)
        ? all.map((index) => this.#alone(views, index))
        : this.#together(views, all, { plane, always: wanted.share === 'on' }),
    );
    return groups.map((group) => ({
      ...group,
      views: group.views.flatMap((index) => views[index] ?? []),
      plane,
      wanted,
    }));
  }

  #alone(views: readonly View[], index: number): Group {
    const { mostPixels } = this.#model;
    const { width = 0, height = 0 } = views[index] ?? {};
    const pixels = height * width;
    if (pixels > mostPixels) {
      throw expected(`at most ${String(mostPixels)} pixels`, pixels, `views[${String(index)}]`, 'TOO_LARGE');
    }
    const shapeKey = `${String(width)}x${String(height)}`;
    return { shapeKey, shared: false, cost: this.#costAlone(views, [index]), pixels, views: [index] };
  }

  #costAlone(views: readonly View[], indices: readonly number[]): number {
    const sizes = new Map<string, number>();
    let sum = 0;
    for (const index of indices) {
      const { width = 0, height = 0 } = views[index] ?? {};
      const size = `${String(width)}x${String(height)}`;
      const cost = sizes.get(size) ?? macs(this.#model.spec, height, width);
      sizes.set(size, cost);
      sum += cost;
    }
    return sum;
  }

  // All in one unit if that is less work than each alone, fits the memory and does not take too long; else by halves.
  #together(
    views: readonly View[],
    indices: readonly number[],
    how: { plane: Size; always: boolean },
  ): Group[] {
    const { spec, mostPixels, sharing } = this.#model;
    const some = indices.flatMap((index) => views[index] ?? []);
    const stages = sharedStages(spec, pixelAxes(some), sharing.tileOutputs);
    const shared = sharedCost(stages);
    const cost = sharing.fixedCost + sharedWork(shared) / sharing.price;
    // As many pixels of a view by itself would take the same memory.
    const pixels = Math.ceil(shared.numbers / (2 * convWidth(spec.width, 0)));
    const pays = how.always || cost < CLEARLY * this.#costAlone(views, indices);
    const fits = pixels <= mostPixels && (cost <= sharing.mostCost || indices.length === 1);
    if (pays && fits) {
      const shapeKey = `shared ${geometryKey(how.plane, some)}`;
      return [{ shapeKey, shared: true, cost, pixels, views: indices }];
    }
    // Halves share no more than the whole, and are asked for only where that is too much at once.
    if (!pays || indices.length <= 1) return indices.map((index) => this.#alone(views, index));
    return halves(views, indices).flatMap((half) => this.#together(views, half, how));
  }
}

/** The same for lists of views that lie alike in planes of one size, and for no others. */
export function geometryKey({ width, height }: Size, views: readonly View[]): string {
  const places = views.map(({ x, y, width, height, mirrored }) =>
    [x, y, width, height, mirrored ? 'm' : ''].join(),
  );
  return [`${String(width)}x${String(height)}`, ...places].join(' ');
}

// Mirrored and not, which have little in common; else the upper and the lower half.
function halves(views: readonly View[], indices: readonly number[]): number[][] {
  const isMirrored = (index: number) => views[index]?.mirrored === true;
  const mirrored = indices.filter(isMirrored);
  if (mirrored.length > 0 && mirrored.length < indices.length)
    return [indices.filter((index) => !isMirrored(index)), mirrored];
  const middleOf = (index: number) => {
    const { y = 0, height = 0 } = views[index] ?? {};
    return y + height / 2;
  };
  const sorted = [...indices].sort((a, b) => middleOf(a) - middleOf(b) || a - b);
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
