// How many products it takes to score the views of a plane: in three forms, so that what sharing saves and what tiles
// save stand apart. Knows costs; computes nothing.

import type { Unit } from '../../services/inference/engine.ts';
import { tileOutputs } from '../../vgg/sharing/tile-sides.ts';
import { macs, type NetworkSpec } from '../../vgg/networks.ts';
import { pixelAxes, sharedCost, sharedStages, type TileOutputs } from '../../vgg/sharing/stages.ts';
import type { View } from '../../vgg/views.ts';

/** Multiply-accumulates. */
export interface Products {
  /** Every view by itself. */
  alone: number;
  /** Every activation once, whichever views have it. */
  once: number;
  /** As units are computed: where views share, in Winograd's tiles too. */
  units: number;
}

/** @param units that answer the views */
export function productsOf(spec: NetworkSpec, views: readonly View[], units: readonly Unit[]): Products {
  return {
    alone: alone(spec, views),
    once: together(spec, views, () => 0),
    units: units.reduce(
      (sum, unit) => sum + (unit.shared ? together(spec, unit.views, tileOutputs) : alone(spec, unit.views)),
      0,
    ),
  };
}

function alone(spec: NetworkSpec, views: readonly View[]): number {
  return views.reduce((sum, { width, height }) => sum + macs(spec, height, width), 0);
}

function together(spec: NetworkSpec, views: readonly View[], tiles: TileOutputs): number {
  return sharedCost(sharedStages(spec, pixelAxes(views), tiles)).products;
}
