// The pixels of a crop, straight from a photo: what would be cut from the rescaled photo, without rescaling the rest of
// it. Knows pixels and places; nothing random.

import { mixRows, resampleRow, tapsOf } from '../../preprocess/resample.ts';
import type { Kernel, Size } from '../../../vgg/views.ts';
import type { Crop } from './augmentation.ts';
import type { Triple } from './eigen.ts';

/** Pixels: height × width × 3 bytes, RGB interleaved. */
export interface Pixels extends Size {
  rgb8: Uint8Array;
}

/** Cuts crops of one size. Not for two callers at a time: it keeps memory between crops. */
export class Cropper {
  readonly #size: number;
  readonly #kernel: Kernel;
  #rows = new Uint8ClampedArray(0);

  constructor(inputSize: number, kernel: Kernel) {
    this.#size = inputSize;
    this.#kernel = kernel;
  }

  /**
   * Writes a crop, unmirrored, as 8-bit levels: [inputSize, inputSize, 3].
   *
   * @param photo the photo, or a larger plane of it than the crop's
   */
  cut(photo: Pixels, { plane, x, y }: Crop, target: Uint8ClampedArray): void {
    const size = this.#size;
    const across = tapsOf(photo.width, plane.width, this.#kernel, x, size);
    const down = tapsOf(photo.height, plane.height, this.#kernel, y, size);
    const bytes = size * 3;
    // Rows of the photo that are wanted: those that the crop's first and last are made of.
    const top = down.first[0] ?? 0;
    const rows = (down.first[size - 1] ?? 0) + down.count - top;
    if (this.#rows.length < rows * bytes) this.#rows = new Uint8ClampedArray(rows * bytes);
    for (let row = 0; row < rows; row++) {
      resampleRow(photo.rgb8, (top + row) * photo.width * 3, this.#rows, row * bytes, across);
    }
    const shifted = { ...down, first: down.first.map((row) => row - top) };
    const middle = new Uint8Array(this.#rows.buffer);
    for (let row = 0; row < size; row++) mixRows(middle, target, bytes, row, shifted);
  }
}

/**
 * Levels as the network takes them: plus an offset a channel, each row mirrored if asked.
 *
 * @param levels [rows, width, 3]
 * @param offset a shift minus the mean
 * @param target as long as levels
 */
export function writePixels(
  levels: Uint8ClampedArray,
  width: number,
  mirrored: boolean,
  [red, green, blue]: Triple,
  target: Float32Array,
): void {
  const step = mirrored ? -3 : 3;
  for (let row = 0, out = 0; row < levels.length; row += width * 3) {
    let from = row + (mirrored ? (width - 1) * 3 : 0);
    for (let column = 0; column < width; column++, from += step) {
      target[out++] = (levels[from] ?? 0) + red;
      target[out++] = (levels[from + 1] ?? 0) + green;
      target[out++] = (levels[from + 2] ?? 0) + blue;
    }
  }
}
