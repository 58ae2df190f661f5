// Photos of a folder, read before the test begins, so that no request waits for the disk. Knows files; what is in
// them is the server's to judge.

import { readFile, readdir, stat } from 'node:fs/promises';
import { extname, join, relative } from 'node:path';
import { VggError, expected } from '../vgg/errors.ts';
import { randomAt } from '../vgg/random.ts';
import type { LoadPhoto } from './request.ts';

const IMAGE = new Set(['.jpg', '.jpeg', '.png', '.webp', '.avif', '.tif', '.tiff', '.gif']);

/** Bytes of photos that are held unless told otherwise: 512 MiB. */
export const PHOTO_BYTES = 512 * 1024 ** 2;

/**
 * The photos of a folder and of those in it, or one photo; drawn by chance where they are more than fit.
 *
 * @param seed of the test: which photos are taken where not all are
 * @param maxBytes bytes of all that are taken
 * @returns at least one, by name
 * @throws VggError NOT_FOUND without such a folder; INVALID_ARGUMENT where it has no image file that fits
 */
export async function readPhotos(path: string, seed: number, maxBytes = PHOTO_BYTES): Promise<LoadPhoto[]> {
  const about = await stat(path).catch((cause: unknown) => {
    throw new VggError('NOT_FOUND', `Expected a folder of photos but received ${path} (--photos)`, { cause });
  });
  const files = about.isDirectory() ? await filesIn(path) : [path];
  if (files.length === 0) {
    throw expected(`a folder with image files (${[...IMAGE].join(', ')})`, path, '--photos');
  }
  const photos: LoadPhoto[] = [];
  let left = maxBytes;
  for (const file of randomAt(seed, 'photos').shuffle(files)) {
    const { size } = await stat(file);
    if (size === 0 || size > left) continue;
    photos.push({
      name: relative(about.isDirectory() ? path : join(path, '..'), file),
      bytes: await readFile(file),
    });
    left -= size;
  }
  if (photos.length === 0) {
    throw expected(`a photo of at most ${String(maxBytes)} bytes, not empty`, path, '--photos');
  }
  return photos.sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory() && IMAGE.has(extname(entry.name).toLowerCase()))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** What a result says of photos. */
export function photoFacts(photos: readonly LoadPhoto[]) {
  const sizes = photos.map(({ bytes }) => bytes.length);
  return {
    count: photos.length,
    smallest: Math.min(...sizes),
    largest: Math.max(...sizes),
    total: sizes.reduce((sum, size) => sum + size, 0),
  };
}
