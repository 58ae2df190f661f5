// What is scored: the planes of a photo with their views. Knows the photo; neither networks' layers nor engines.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../proto/package-root.ts';
import type { PlanePixels } from '../../services/inference/engine.ts';
import { sharp } from '../../services/preprocess/loaders.ts';
import { preparePhoto } from '../../services/preprocess/prepare.ts';
import type { Evaluation, Protocol, Rgb, Size, View } from '../../vgg/views.ts';

/** The views of one plane, by one protocol. */
export interface Work {
  protocol: Protocol;
  plane: PlanePixels;
  views: readonly View[];
}

/** A photo of this size, from the middle of one that everybody has: a PNG. */
export async function photoOf({ width, height }: Size): Promise<Buffer> {
  const photo = readFileSync(join(packageRoot, 'test', 'golden', 'photos', 'large.jpg'));
  return sharp(photo).resize(width, height, { fit: 'cover' }).png({ compressionLevel: 1 }).toBuffer();
}

/** A photo's planes with their views. */
export async function worksOf(
  photo: Uint8Array,
  evaluation: Evaluation,
  model: { mean: Rgb; inputSize: number },
): Promise<Work[]> {
  const works: Work[] = [];
  for await (const { plane, views } of preparePhoto(photo, { evaluation, ...model })) {
    const { width, height } = plane;
    const rgb8 = new Uint8Array(new SharedArrayBuffer(plane.rgb8.length));
    rgb8.set(plane.rgb8);
    works.push({ protocol: evaluation.protocol, plane: { width, height, rgb8 }, views });
  }
  return works;
}

/** At most so many of a list, from all over it. */
export function spread<Item>(items: readonly Item[], most: number): Item[] {
  if (items.length <= most) return [...items];
  return Array.from({ length: most }, (_, i) => items[Math.floor(((i + 0.5) * items.length) / most)] as Item);
}
