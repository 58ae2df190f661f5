// The first passes of a model, which nobody waits for. Knows what a broken model gives, and what is worth sharing.

import { VggError } from '../../../vgg/errors.ts';
import { macs, type NetworkSpec } from '../../../vgg/networks.ts';
import { pixelAxes, sharedCost, sharedStages } from '../../../vgg/sharing/stages.ts';
import { tileOutputs } from '../../../vgg/sharing/tile-sides.ts';
import type { View } from '../../../vgg/views.ts';
import type { PlanePixels } from '../engine.ts';
import type { Cut, ModelSource, Speeds } from './messages.ts';
import type { Sessions } from './thread.ts';

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

/** How fast a crop by itself is, and how fast nine that overlap are together. */
export async function measureSpeeds(sessions: Sessions, { key, spec }: ModelSource): Promise<Speeds> {
  const timed = async (grid: number, shared: boolean) => {
    const { plane, views } = madeUp(spec, grid);
    const cuts = cutsOf(plane, views, false);
    const start = performance.now();
    await sessions.score({ kind: 'score', key, shared, cuts });
    return performance.now() - start;
  };
  // The first crop has been a warm-up's.
  const alone = macs(spec, spec.inputSize, spec.inputSize) / (await timed(1, false));
  await timed(SHARED_GRID, true);
  const { views } = madeUp(spec, SHARED_GRID);
  const { products } = sharedCost(sharedStages(spec, pixelAxes(views), tileOutputs));
  return { alone, shared: products / (await timed(SHARED_GRID, true)) };
}

// Filters are read once for all crops, so that few crops would look slow.
const SHARED_GRID = 3;

// A plane with a grid of crops, an eighth of a crop apart.
function madeUp({ inputSize }: NetworkSpec, grid: number): { plane: PlanePixels; views: View[] } {
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
