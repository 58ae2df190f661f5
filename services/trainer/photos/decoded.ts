// A photo's file becomes the pixels that crops of every scale are cut from. Knows files and sizes; not which photos
// there are, nor what becomes of the pixels.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { planeSize, type Kernel, type Rgb } from '../../../vgg/views.ts';
import { rescale } from '../../preprocess/planes.ts';
import { decodePhoto } from '../../preprocess/prepare.ts';
import type { Pixels } from './crop.ts';

/** What photos are decoded for. */
export interface DecodeOptions {
  /** Folder that names are relative to. */
  root: string;
  /** Largest scale that is cut from the pixels. */
  largestScale: number;
  kernel: Kernel;
  /** Colour under transparent pixels. */
  background: Rgb;
}

// As in serving; here it only ends a decoder that hangs.
const LIMITS = { stepSeconds: 20 };

// Smallest side in units of the largest scale: a photo below the first is kept as it is, any other at the second.
// From twice the size a kernel makes the same plane as from the whole photo, to about half a level; from a plane of
// the largest scale itself it would make a blurred one, which serving never shows to the network.
const WHOLE_UP_TO = 2.5;
const REDUCED_TO = 2;

/**
 * Reads and decodes a photo; a large one comes reduced to twice the largest scale, any other as it is.
 *
 * @throws VggError if the photo cannot be read or is beyond the limits of serving, or the system's error
 */
export async function decodedPhoto(
  name: string,
  { root, largestScale, kernel, background }: DecodeOptions,
): Promise<Pixels> {
  const file = await readFile(join(root, name));
  const photo = await decodePhoto(file, { background, largestScale, kernel });
  if (Math.min(photo.width, photo.height) < WHOLE_UP_TO * largestScale || kernel === 'nearest') return photo;
  const scale = REDUCED_TO * largestScale;
  return rescale(photo, { index: 0, scale, ...planeSize(photo, scale) }, kernel, LIMITS);
}

/** Most bytes that a photo takes, unless it is more than twice as long as wide. */
export function usualBytes(largestScale: number): number {
  return (WHOLE_UP_TO * largestScale) ** 2 * 3 * 2;
}
