// Cuts views out of planes into one batch of pixels. Knows bytes and rectangles only.

import type { Cut } from './messages.ts';

/** Bytes of a pixel. */
const CHANNELS = 3;

/**
 * Cuts rectangles of one size.
 *
 * @param cuts views of one size, each within its plane
 * @returns [cuts, height, width, 3]
 */
export function cutBatch(
  cuts: readonly Pick<Cut, 'plane' | 'view'>[],
  height: number,
  width: number,
): Uint8Array<ArrayBuffer> {
  const rowBytes = width * CHANNELS;
  const batch = new Uint8Array(cuts.length * height * rowBytes);
  let at = 0;
  for (const { plane, view } of cuts) {
    const { x, y, mirrored } = view;
    for (let row = y; row < y + height; row++) {
      const from = (row * plane.width + x) * CHANNELS;
      const pixels = plane.rgb8.subarray(from, from + rowBytes);
      if (mirrored) mirrorRow(pixels, batch, at);
      else batch.set(pixels, at);
      at += rowBytes;
    }
  }
  return batch;
}

function mirrorRow(row: Uint8Array, target: Uint8Array, at: number): void {
  for (let from = row.length - CHANNELS; from >= 0; from -= CHANNELS) {
    for (let channel = 0; channel < CHANNELS; channel++) target[at++] = row[from + channel] ?? 0;
  }
}
