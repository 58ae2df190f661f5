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

/**
 * Reads and decodes a photo; a large one is its plane at the largest scale, a small one is as it is.
 *
 * @throws VggError if the photo cannot be read or is beyond the limits of serving, or the system's error
 */
export async function decodedPhoto(
  name: string,
  { root, largestScale, kernel, background }: DecodeOptions,
): Promise<Pixels> {
  const file = await readFile(join(root, name));
  const photo = await decodePhoto(file, { background, largestScale, kernel });
  if (Math.min(photo.width, photo.height) <= largestScale) return photo;
  const spec = { index: 0, scale: largestScale, ...planeSize(photo, largestScale) };
  return rescale(photo, spec, kernel, LIMITS);
}
