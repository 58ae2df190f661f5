// How many units a batch holds. Knows networks, pixels and costs; on CPUs the numbers are each engine's, from bench/batch.

import { convWidth, type NetworkSpec } from '../../../vgg/networks.ts';
import type { Unit } from '../engine.ts';

/** Bounds of a batch, for every model of an engine. */
export interface BatchBounds {
  /** Views of a batch are limited to about this many pixels in all: beyond it nothing gets quicker. */
  pixels: number;
  /**
   * Most crops of a batch, and most pixels in crops: a small network's batches stay short, so that callers
   * do not all wait for the same one.
   */
  units: number;
  /** Memory that one batch may take, in bytes; one view that needs more is refused. */
  bytes: number;
  /** Outputs of the first convolution that the library holds at once, at the peak. */
  copies: number;
}

/** On a GPU larger batches fill it. Chosen, not measured: memory for 64 crops of D. */
export const GPU_BOUNDS: BatchBounds = { pixels: 64 * 224 * 224, units: 256, bytes: 2 ** 32, copies: 6 };

/** Memory that a pixel of a batch needs at the peak. */
function bytesPerPixel(spec: NetworkSpec, bounds: BatchBounds): number {
  return 4 * bounds.copies * Math.max(convWidth(spec.width, 0), 8);
}

/** Most pixels of one view. */
export function mostPixels(spec: NetworkSpec, bounds: BatchBounds): number {
  return Math.floor(bounds.bytes / bytesPerPixel(spec, bounds));
}

/** Views of `pixels` each that one batch should hold at most, ≥ 1. */
function batchUnits(spec: NetworkSpec, pixels: number, bounds: BatchBounds): number {
  const most = Math.min(bounds.pixels, bounds.units * spec.inputSize ** 2, mostPixels(spec, bounds));
  return Math.max(1, Math.min(bounds.units, Math.floor(most / pixels)));
}

/**
 * Units like this one that a batch should hold at most, ≥ 1.
 *
 * @param batchCost multiply-accumulates of a batch of units of views that are computed together
 */
export function batchLimit(
  spec: NetworkSpec,
  unit: Pick<Unit, 'shared' | 'pixels' | 'cost'>,
  bounds: BatchBounds,
  batchCost: number,
): number {
  if (!unit.shared) return batchUnits(spec, unit.pixels, bounds);
  const most = Math.min(batchCost / unit.cost, mostPixels(spec, bounds) / unit.pixels);
  return Math.max(1, Math.floor(most));
}
