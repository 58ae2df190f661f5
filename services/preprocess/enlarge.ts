// Enlarging pixels as Pillow does, for libvips (8.18) enlarges about half a pixel off: an enlarged
// plane would lie beside the reduced ones. Knows pixels alone; the antialiased kernels reduce too,
// which serves a photo of which one side grows while rounding shrinks the other.

import { setImmediate } from 'node:timers/promises';
import type { Kernel, Size } from '../../vgg/views.ts';
import type { Pixels } from './decode.ts';
import { mixRows, resampleRow, tapsOf } from './resample.ts';

// Multiplications after which others get a turn on this thread: about 2 ms.
const SLICE = 1_000_000;

/**
 * Resamples pixels to a size: across, rounded to 8 bits, then down, with the edges' own weights
 * (Pillow's `resize`).
 */
export async function enlarge(source: Pixels, size: Size, kernel: Kernel): Promise<Pixels> {
  const across = tapsOf(source.width, size.width, kernel);
  const down = tapsOf(source.height, size.height, kernel);
  const middle = { width: size.width, height: source.height };
  const wide = await rows(middle, across.count, (target, y) => {
    resampleRow(source.rgb8, y * source.width * 3, target, y * size.width * 3, across);
  });
  const rgb8 = await rows(size, down.count, (target, y) => {
    mixRows(wide, target, size.width * 3, y, down);
  });
  return { ...size, rgb8 };
}

// Fills the rows of an image one after the other, and lets others have the thread now and then.
async function rows(
  { width, height }: Size,
  taps: number,
  fill: (image: Uint8ClampedArray, y: number) => void,
): Promise<Buffer> {
  const image = Buffer.allocUnsafe(width * height * 3);
  // Cubic and Lanczos overshoot: levels are clamped as they are stored.
  const clamped = new Uint8ClampedArray(image.buffer, image.byteOffset, image.length);
  const atOnce = Math.max(1, Math.floor(SLICE / (width * 3 * taps)));
  for (let y = 0; y < height; y++) {
    if (y > 0 && y % atOnce === 0) await setImmediate();
    fill(clamped, y);
  }
  return image;
}
