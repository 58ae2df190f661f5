// What the views of a plane save by being computed together, step by step. Knows counts; computes nothing.

import { describeNetwork } from '../describe.ts';
import { networkLayers, type NetworkSpec } from '../networks.ts';
import type { Evaluation } from '../views/evaluation.ts';
import type { PlaneSpec, Size } from '../views/planes.ts';
import { evaluationViews, type View } from '../views/views.ts';
import { activationCount } from './grids.ts';
import { pixelAxes, sharedStages, stageCosts, type Stage, type TileOutputs } from './stages.ts';

/** Counts of a step. */
export interface StepCounts {
  /** Activations that views have after it, in positions; those that are the same counted once. */
  readonly activations: number;
  /** 0: it is not computed in tiles. */
  readonly tiles: number;
  /** Multiply-accumulates of products, in tiles those of Winograd's form. */
  readonly products: number;
}

/** A step, for views by themselves and for views together. */
export interface StepSavings {
  /** Its layers: a convolution in tiles and the pool after it are one step. */
  readonly layers: readonly string[];
  /** Multiply-accumulates of every view by itself, each sum as it is written. */
  readonly direct: number;
  /** Every view by itself, in the form in which they are together. */
  readonly alone: StepCounts;
  readonly together: StepCounts;
  /** Distinct activations along each axis. */
  readonly rowKeys: number;
  readonly columnKeys: number;
}

/** What views of one plane save. */
export function sharingSavings(
  spec: NetworkSpec,
  views: readonly View[],
  tileOutputs: TileOutputs,
): StepSavings[] {
  const stages = sharedStages(spec, pixelAxes(views), tileOutputs);
  const together = stepCounts(stages);
  const alone = sizesOf(views).map(({ view, count }) => ({
    count,
    steps: stepCounts(sharedStages(spec, pixelAxes([view]), tileOutputs)),
    macs: new Map(describeNetwork(spec, view).layers.map(({ name, macs }) => [name, macs])),
  }));
  const sum = (of: (size: (typeof alone)[number]) => number) =>
    alone.reduce((total, size) => total + size.count * of(size), 0);
  return stages.map((stage, step) => {
    const layers = layersOf(spec, stage);
    const summed = (name: keyof StepCounts) => sum(({ steps }) => steps[step]?.[name] ?? 0);
    return {
      layers,
      direct: sum(({ macs }) => layers.reduce((total, layer) => total + (macs.get(layer) ?? 0), 0)),
      alone: {
        activations: summed('activations'),
        tiles: summed('tiles'),
        products: summed('products'),
      },
      together: together[step] ?? NOTHING,
      rowKeys: stage.axes.rows.keys,
      columnKeys: stage.axes.columns.keys,
    };
  });
}

const NOTHING: StepCounts = { activations: 0, tiles: 0, products: 0 };

/** A plane of a photo, what its views save at each step, and at all steps. */
export interface PlaneSavings {
  readonly plane: PlaneSpec;
  readonly views: number;
  readonly steps: readonly StepSavings[];
  readonly total: Pick<StepSavings, 'direct' | 'alone' | 'together'>;
}

/** What the views of a photo save, plane by plane. */
export function photoSavings(
  spec: NetworkSpec,
  photo: Size,
  evaluation: Evaluation,
  tileOutputs: TileOutputs,
): PlaneSavings[] {
  const { planes, views } = evaluationViews(photo, evaluation, spec.inputSize);
  return planes.flatMap((plane) => {
    const some = views.filter((view) => view.plane === plane.index);
    if (some.length === 0) return [];
    const steps = sharingSavings(spec, some, tileOutputs);
    return [{ plane, views: some.length, steps, total: summedSavings(steps) }];
  });
}

/** Savings of several steps, or of several planes. */
export function summedSavings(
  some: readonly Pick<StepSavings, 'direct' | 'alone' | 'together'>[],
): PlaneSavings['total'] {
  return {
    direct: some.reduce((sum, { direct }) => sum + direct, 0),
    alone: summedCounts(some.map(({ alone }) => alone)),
    together: summedCounts(some.map(({ together }) => together)),
  };
}

function summedCounts(counts: readonly StepCounts[]): StepCounts {
  return counts.reduce(
    (sum, each) => ({
      activations: sum.activations + each.activations,
      tiles: sum.tiles + each.tiles,
      products: sum.products + each.products,
    }),
    NOTHING,
  );
}

function stepCounts(stages: readonly Stage[]): StepCounts[] {
  const costs = stageCosts(stages);
  return stages.map(({ axes }, step) => {
    const { tiles = 0, products = 0 } = costs[step] ?? {};
    return { activations: activationCount(axes), tiles, products };
  });
}

// Views of one size cost the same by themselves, wherever they lie.
function sizesOf(views: readonly View[]): { view: View; count: number }[] {
  const sizes = new Map<string, { view: View; count: number }>();
  for (const view of views) {
    const key = `${String(view.width)}x${String(view.height)}`;
    const size = sizes.get(key) ?? { view, count: 0 };
    size.count++;
    sizes.set(key, size);
  }
  return [...sizes.values()];
}

function layersOf(spec: NetworkSpec, stage: Stage): string[] {
  const names = networkLayers(spec).map(({ name }) => name);
  const at = names.indexOf(stage.layer.name);
  return names.slice(at, at + (stage.kind === 'tiles' && stage.pooled ? 2 : 1));
}
