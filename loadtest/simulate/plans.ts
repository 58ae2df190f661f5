// What a photo becomes on the road: planes of so many bytes, each with units for the batcher. Knows sizes and views, and
// plans by the engine's own planner; no pixels.

import { GPU_BOUNDS } from '../../services/inference/worker/batch-limit.ts';
import { batchLimit, type BatchBounds } from '../../services/inference/worker/batch-limit.ts';
import { Planner, UNMEASURED, type Sharing } from '../../services/inference/worker/plan.ts';
import type { BatchUnit } from '../../services/inference/batcher.ts';
import type { NetworkSpec } from '../../vgg/networks.ts';
import { tileOutputs } from '../../vgg/sharing/tile-sides.ts';
import { evaluationViews, type Evaluation, type Size } from '../../vgg/views.ts';

/** A unit, as batcher and timings see it: one object stands for all photos' units that are alike. */
export interface PlannedUnit extends BatchUnit {
  readonly pixels: number;
  readonly shared: boolean;
  /** Most units like it in a batch. */
  readonly limit: number;
}

/** A plane on the road. */
export interface PlannedPlane {
  readonly megabytes: number;
  readonly megapixels: number;
  readonly units: readonly PlannedUnit[];
}

/** A photo on the road. */
export interface PlannedPhoto {
  /** Of its file. */
  readonly megabytes: number;
  /** As it is decoded. */
  readonly megapixels: number;
  readonly planes: readonly PlannedPlane[];
  readonly views: number;
}

/** What a photo's plan depends on. */
export interface PlanOptions {
  spec: NetworkSpec;
  evaluation: Evaluation;
  photo: Size & { bytes: number };
  bounds: BatchBounds;
  sharing: Sharing;
  mostPixels: number;
  /**
   * Crops by themselves that are simulated as one unit, with batches of so many fewer: 1 is what the services do;
   * more is quicker to simulate, and lets requests take turns only so often.
   */
  grain?: number;
}

/** What plans on a GPU: every view by itself, in batches as the TensorFlow engine bounds them there. */
export const GPU_PLANNING = {
  bounds: GPU_BOUNDS,
  sharing: { ...UNMEASURED, tileOutputs },
  mostPixels: Infinity,
};

const MEGA = 1e6;

/** The plan of every photo of one size. */
export function planPhoto(options: PlanOptions): PlannedPhoto {
  const { spec, evaluation, photo, bounds, sharing, mostPixels, grain = 1 } = options;
  const { planes, views } = evaluationViews(photo, evaluation, spec.inputSize);
  const planner = new Planner({ spec, mostPixels, sharing });
  const wanted = {
    scoreOrder: evaluation.scoreOrder,
    scoreMaps: false,
    share: evaluation.share === 'OFF' ? 'off' : 'auto',
  } as const;
  return {
    megabytes: photo.bytes / MEGA,
    megapixels: (photo.width * photo.height) / MEGA,
    views: views.length,
    planes: planes.map(({ index, width, height }) => {
      const own = views.filter(({ plane }) => plane === index);
      // The planner checks that there are as many bytes as pixels; none of them is read.
      const rgb8 = new Uint8Array(new SharedArrayBuffer(width * height * 3));
      const units = planner.plan({ width, height, rgb8 }, own, wanted);
      return {
        megabytes: (width * height * 3) / MEGA,
        megapixels: (width * height) / MEGA,
        units: coarser(
          units.map((unit) => ({
            shapeKey: unit.shapeKey,
            cost: unit.cost,
            views: { length: unit.views.length },
            pixels: unit.pixels,
            shared: unit.shared,
            limit: batchLimit(spec, unit, bounds, sharing.batchCost),
          })),
          grain,
        ),
      };
    }),
  };
}

// Units of one kind by so many.
function coarser(units: readonly PlannedUnit[], grain: number): PlannedUnit[] {
  if (grain === 1) return [...units];
  const kinds = new Map<string, PlannedUnit[]>();
  for (const unit of units) kinds.set(unit.shapeKey, [...(kinds.get(unit.shapeKey) ?? []), unit]);
  return [...kinds.values()].flatMap((alike) => {
    const most = Math.max(1, Math.min(grain, Math.floor((alike[0]?.limit ?? 1) / 2)));
    const groups = Math.ceil(alike.length / most);
    return Array.from({ length: groups }, (_, i) => {
      const some = alike.slice(
        Math.floor((i * alike.length) / groups),
        Math.floor(((i + 1) * alike.length) / groups),
      );
      const sum = (pick: (unit: PlannedUnit) => number) => some.reduce((all, unit) => all + pick(unit), 0);
      return {
        shapeKey: some[0]?.shapeKey ?? '',
        cost: sum((unit) => unit.cost),
        views: { length: sum((unit) => unit.views.length) },
        pixels: sum((unit) => unit.pixels),
        shared: some[0]?.shared ?? false,
        limit: Math.max(1, Math.floor((some[0]?.limit ?? 1) / most)),
      };
    });
  });
}
