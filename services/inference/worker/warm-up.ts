// The first passes of a model, which nobody waits for. Knows what a broken model gives, and what is worth sharing.

import { VggError } from '../../../vgg/errors.ts';
import { macs, type NetworkSpec } from '../../../vgg/networks.ts';
import { pixelAxes, sharedCost, sharedStages } from '../../../vgg/sharing/stages.ts';
import { tileOutputs } from '../../../vgg/sharing/tile-sides.ts';
import type { View } from '../../../vgg/views.ts';
import type { LoadPhase, OnPhase, PlanePixels } from '../engine.ts';
import type { Cut, ModelSource, Speeds } from './messages.ts';
import { sharedWork } from './shared-work.ts';
import type { Sessions } from './thread.ts';

/** Does one phase of loading, and tells how long it took. */
export async function phase<Result>(
  name: LoadPhase,
  onPhase: OnPhase | undefined,
  work: () => Promise<Result> | Result,
): Promise<Result> {
  const began = performance.now();
  const result = await work();
  onPhase?.(name, performance.now() - began);
  return result;
}

/**
 * Scores one crop of a made-up photo: the first request is then as quick as the second, and broken weights are
 * found before anybody asks.
 *
 * @throws VggError INVALID_ARGUMENT if a class score is not finite
 */
export async function warmUp(sessions: Sessions, { key, name, spec }: ModelSource): Promise<void> {
  const { plane, views } = madeUp(spec, 1);
  const cuts = cutsOf(plane, views, true);
  const [scores] = await sessions.score({ kind: 'score', key, shared: false, cuts });
  const values = scores?.scoreMap?.values ?? new Float32Array([NaN]);
  if (!values.every(Number.isFinite)) {
    throw new VggError(
      'INVALID_ARGUMENT',
      `Expected finite class scores but ${name} gives ${String(values.find((value) => !Number.isFinite(value)))}: its weights are broken`,
    );
  }
}

/** How fast crops by themselves are, and how fast crops that overlap are together. */
export async function measureSpeeds(sessions: Sessions, { key, spec }: ModelSource): Promise<Speeds> {
  const timed = async ({ plane, views }: MadeUp, shared: boolean) => {
    const cuts = cutsOf(plane, views, false);
    const times: number[] = [];
    const began = performance.now();
    // The first of a shape is slower.
    while (times.length < 2 || (times.length < MOST_RUNS && performance.now() - began < ENOUGH_MS)) {
      const start = performance.now();
      await sessions.score({ kind: 'score', key, shared, cuts });
      times.push(performance.now() - start);
    }
    // Whatever else the machine does only adds to it.
    return Math.min(...times);
  };
  const crop = macs(spec, spec.inputSize, spec.inputSize);
  const side = Math.max(1, Math.min(MOST_ALONE, Math.floor(Math.sqrt(ENOUGH / crop))));
  const alone = (side * side * crop) / (await timed(madeUp(spec, side), false));
  const together = async (grid: number): Promise<Pass> => {
    const made = madeUp(spec, grid);
    const stages = sharedStages(spec, pixelAxes(made.views), tileOutputs);
    return { work: sharedWork(sharedCost(stages)), ms: await timed(made, true) };
  };
  return { alone, ...sharedSpeed(await together(1), await together(SHARED_GRID)) };
}

/** A pass of views together. */
interface Pass {
  /** See shared-work.ts. */
  work: number;
  ms: number;
}

/** The line through two passes, if it is one that can be. */
export function sharedSpeed(few: Pass, many: Pass): Pick<Speeds, 'shared' | 'sharedMs'> {
  const slope = (many.ms - few.ms) / (many.work - few.work);
  const sharedMs = few.ms - slope * few.work;
  return slope > 0 && sharedMs > 0
    ? { shared: 1 / slope, sharedMs }
    : { shared: many.work / many.ms, sharedMs: 0 };
}

// A quick model is measured so often, or for so long.
const MOST_RUNS = 40;
const ENOUGH_MS = 150;
// Multiply-accumulates that show how fast a library is.
const ENOUGH = 15e9;
// Crops along a side of a batch by themselves.
const MOST_ALONE = 5;
// Crops along a side of those together, as a plane has them: filters are read once for all, so few would look slow.
const SHARED_GRID = 5;

interface MadeUp {
  plane: PlanePixels;
  views: View[];
}

// A plane with a grid of crops, an eighth of a crop apart.
function madeUp({ inputSize }: NetworkSpec, grid: number): MadeUp {
  const apart = inputSize / 8;
  const side = inputSize + (grid - 1) * apart;
  const rgb8 = new Uint8Array(new SharedArrayBuffer(side * side * 3));
  for (let i = 0; i < rgb8.length; i++) rgb8[i] = (i * 7919) % 251;
  const views = Array.from({ length: grid * grid }, (_, index) => ({
    ...{ index, plane: 0, width: inputSize, height: inputSize, mirrored: false, weight: 1 / grid ** 2 },
    ...{ x: apart * (index % grid), y: apart * Math.floor(index / grid) },
  }));
  return { plane: { width: side, height: side, rgb8 }, views };
}

function cutsOf(plane: PlanePixels, views: readonly View[], scoreMap: boolean): Cut[] {
  return views.map((view) => ({ plane, view, softmaxFirst: false, scoreMap }));
}
