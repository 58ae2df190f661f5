// Held-out photos: every one once, in order, without anything random; made once.

import { rmSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { TrainingBatch } from '../../../services/trainer/batches.ts';
import { centreCrop } from '../../../services/trainer/photos/augmentation.ts';
import { Cropper } from '../../../services/trainer/photos/crop.ts';
import { decodedPhoto } from '../../../services/trainer/photos/decoded.ts';
import { listPhotos } from '../../../services/trainer/photos/folder.ts';
import {
  validationBatches,
  type LoaderOptions,
  type ValidationBatches,
} from '../../../services/trainer/photos/loader.ts';
import { photoFolder, put, smallRecipe, STATISTICS } from './folders.ts';

async function optionsFor(root: string): Promise<LoaderOptions> {
  const { photos } = await listPhotos(root);
  return { root, photos, recipe: smallRecipe(), statistics: STATISTICS };
}

async function all(held: ValidationBatches): Promise<TrainingBatch[]> {
  const batches = [];
  for await (const batch of held.batches()) batches.push(batch);
  return batches;
}

test('centre crops at the middle scale minus the mean, in order, the last piece smaller', async () => {
  const options = await optionsFor(await photoFolder([4, 2]));
  const batches = await all(validationBatches({ ...options, threads: 2 }));
  expect(batches.map(({ classes }) => [...classes])).toEqual([
    [0, 0, 0, 0],
    [1, 1],
  ]);
  const { root, photos, recipe } = options;
  const { mean } = STATISTICS;
  const purpose = { root, largestScale: 48, kernel: 'linear', background: mean } as const;
  const photo = await decodedPhoto(photos[5]?.name ?? '', purpose);
  const levels = new Uint8ClampedArray(32 * 32 * 3);
  new Cropper(32, 'linear').cut(photo, centreCrop(recipe, photo), levels);
  const wanted = Float32Array.from(
    levels,
    (level, i) => level - ([mean.red, mean.green, mean.blue][i % 3] ?? 0),
  );
  expect(batches[1]?.pixels.subarray(wanted.length)).toEqual(wanted);
});

test('are kept after the first time', async () => {
  const options = await optionsFor(await photoFolder([4, 2]));
  const held = validationBatches(options);
  const first = await all(held);
  rmSync(options.root, { recursive: true });
  expect(await all(held)).toEqual(first);
});

test('are made again where they may not be kept', async () => {
  const options = await optionsFor(await photoFolder([4, 2]));
  const held = validationBatches(options, 0);
  expect(await all(held)).toEqual(await all(held));
  rmSync(options.root, { recursive: true });
  await expect(all(held)).rejects.toThrow('unreadable');
});

test('a reader that leaves early ends the threads, and comes back', async () => {
  const held = validationBatches({ ...(await optionsFor(await photoFolder([8, 8]))), ahead: 1 });
  for await (const { classes } of held.batches()) {
    expect(classes.length).toBe(4);
    break;
  }
  expect((await all(held)).length).toBe(4);
});

test('a photo that cannot be decoded is named and left out', async () => {
  const root = await photoFolder([3, 3]);
  put(root, 'class-0/00.png', 'not a photo');
  const named: string[] = [];
  const held = validationBatches({
    ...(await optionsFor(root)),
    onUnreadable: ({ name }) => named.push(name),
  });
  expect((await all(held)).map(({ classes }) => [...classes])).toEqual([
    [0, 0, 0],
    [1, 1, 1],
  ]);
  expect(named).toEqual(['class-0/00.png']);
});

test('nothing held out gives nothing', async () => {
  const options = await optionsFor(await photoFolder([2, 2]));
  expect(await all(validationBatches({ ...options, photos: [] }))).toEqual([]);
});
