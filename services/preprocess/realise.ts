// Planes as the numbers that a network takes: mean subtracted, little-endian float32. Pure.
// Knows pixels and views; neither photos nor messages.

import type { Rgb, View } from '../../vgg/views.ts';
import type { Plane } from './planes.ts';

/** Values of one plane or of a run of crops. */
export interface Realised {
  /** [height, width, 3] for a plane, [crops, height, width, 3] for crops. */
  shape: number[];
  /** product(shape) little-endian float32. */
  values: Buffer;
}

type PixelSource = Pick<Plane, 'width' | 'height' | 'rgb8'>;

/** The whole plane, unmirrored: [height, width, 3]. */
export function realisePlane(plane: PixelSource, mean: Rgb): Realised {
  const { width, height } = plane;
  const values = Buffer.allocUnsafe(width * height * 12);
  writeRectangle(values, 0, plane, { x: 0, y: 0, width, height, mirrored: false }, levels(mean));
  return { shape: [height, width, 3], values };
}

/** Finished crops of one plane, in the order of `views`, which have one size: [crops, height, width, 3]. */
export function realiseCrops(plane: PixelSource, views: readonly View[], mean: Rgb): Realised {
  const { width = 0, height = 0 } = views[0] ?? {};
  const values = Buffer.allocUnsafe(views.length * width * height * 12);
  const table = levels(mean);
  for (const [i, view] of views.entries())
    writeRectangle(values, i * width * height * 12, plane, view, table);
  return { shape: [views.length, height, width, 3], values };
}

/**
 * Cuts views into runs, in order, that make one message each: views of one size whose float32
 * values take at most `bytes`, or one view that takes more.
 */
export function cropRuns(views: readonly View[], bytes: number): View[][] {
  const runs: View[][] = [];
  for (const view of views) {
    const run = runs.at(-1);
    const [first] = run ?? [];
    const fits =
      first?.width === view.width &&
      first.height === view.height &&
      ((run?.length ?? 0) + 1) * view.width * view.height * 12 <= bytes;
    if (fits) run?.push(view);
    else runs.push([view]);
  }
  return runs;
}

// [channel][level] → level − mean as float32 bytes: one subtraction for each of the 768, and the
// byte order is settled once.
function levels({ red, green, blue }: Rgb): Int32Array {
  const bytes = Buffer.alloc(768 * 4);
  for (const [channel, mean] of [red, green, blue].entries()) {
    for (let level = 0; level < 256; level++) bytes.writeFloatLE(level - mean, (channel * 256 + level) * 4);
  }
  return new Int32Array(bytes.buffer, bytes.byteOffset, 768);
}

function writeRectangle(
  to: Buffer,
  offset: number,
  plane: PixelSource,
  { x, y, width, height, mirrored }: Omit<View, 'index' | 'plane' | 'weight'>,
  table: Int32Array,
): void {
  // Bytes are moved as whole words, whatever number they spell.
  const words = new Int32Array(to.buffer, to.byteOffset + offset, width * height * 3);
  const { rgb8 } = plane;
  const step = mirrored ? -3 : 3;
  let out = 0;
  for (let row = y; row < y + height; row++) {
    let from = (row * plane.width + (mirrored ? x + width - 1 : x)) * 3;
    for (let column = 0; column < width; column++, from += step) {
      words[out++] = table[rgb8[from] ?? 0] ?? 0;
      words[out++] = table[256 + (rgb8[from + 1] ?? 0)] ?? 0;
      words[out++] = table[512 + (rgb8[from + 2] ?? 0)] ?? 0;
    }
  }
}
