// Training batches: the same ones whatever threads, memory and interruptions; failures reach the reader.

import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { BatchPosition } from '../../../services/trainer/batches.ts';
import { drawCrop } from '../../../services/trainer/photos/augmentation.ts';
import { Cropper, writePixels } from '../../../services/trainer/photos/crop.ts';
import { decodedPhoto } from '../../../services/trainer/photos/decoded.ts';
import { listPhotos } from '../../../services/trainer/photos/folder.ts';
import { createLoader, type LoaderOptions } from '../../../services/trainer/photos/loader.ts';
import { createSampler } from '../../../services/trainer/photos/sampling.ts';
import { colourAxes } from '../../../services/trainer/photos/statistics.ts';
import { photoFolder, put, smallRecipe, STATISTICS } from './folders.ts';

async function optionsFor(root: string, recipe = smallRecipe()): Promise<LoaderOptions> {
  const { photos } = await listPhotos(root);
  return { root, photos, recipe, statistics: STATISTICS };
}

function open(options: LoaderOptions, position?: BatchPosition) {
  const loader = createLoader(options, position);
  onTestFinished(() => loader.close());
  return loader;
}

async function read(options: LoaderOptions, pieces: number, position?: BatchPosition) {
  const loader = open(options, position);
  const all = [];
  for (let i = 0; i < pieces; i++) all.push(await loader.next());
  await loader.close();
  return all;
}

test('a piece is the epoch’s photos, each cut, shifted, mirrored and without the mean', async () => {
  const recipe = smallRecipe({ balance: 0.5 });
  const options = await optionsFor(await photoFolder([9, 4, 5]), recipe);
  const { photos, root } = options;
  const order = createSampler(
    photos.map(({ classIndex }) => classIndex),
    recipe,
  ).order(1);
  // The second piece of epoch 1: places 4 to 7.
  const [, piece] = await read(options, 2, { epoch: 1, batch: 0 });
  const { red, green, blue } = STATISTICS.mean;
  const purpose = { root, largestScale: 48, kernel: 'linear', background: STATISTICS.mean } as const;
  for (const [i, place] of [4, 5, 6, 7].entries()) {
    const photo = photos[order[place] ?? 0];
    expect(piece?.classes[i]).toBe(photo?.classIndex);
    const pixels = await decodedPhoto(photo?.name ?? '', purpose);
    const crop = drawCrop(recipe, colourAxes(STATISTICS.components), pixels, 1, place);
    const levels = new Uint8ClampedArray(32 * 32 * 3);
    new Cropper(32, 'linear').cut(pixels, crop, levels);
    const wanted = new Float32Array(levels.length);
    const [r, g, b] = crop.shift;
    writePixels(levels, 32, crop.mirrored, [r - red, g - green, b - blue], wanted);
    expect(piece?.pixels.subarray(i * wanted.length, (i + 1) * wanted.length)).toEqual(wanted);
  }
});

describe('the same batches, bit for bit', () => {
  // 18 photos: two batches of 8 in four pieces; eleven pieces reach into the third epoch.
  test.each([
    ['three threads', { threads: 3 }],
    ['two threads that may not run ahead', { threads: 2, ahead: 1 }],
    ['no memory for photos', { cacheBytes: 0 }],
    ['memory for some', { cacheBytes: 40_000, threads: 2 }],
  ])('with %s', async (_, changed) => {
    const options = await optionsFor(await photoFolder([9, 4, 5]));
    expect(await read({ ...options, ...changed }, 11)).toEqual(await read(options, 11));
  });

  test('from any position on', async () => {
    const options = await optionsFor(await photoFolder([9, 4, 5]), smallRecipe({ balance: 1 }));
    const all = await read(options, 12);
    for (const batch of [1, 2, 5]) {
      const position = { epoch: Math.floor(batch / 2), batch: batch % 2 };
      const rest = await read({ ...options, threads: 2 }, 2, position);
      expect(rest).toEqual(all.slice(batch * 2, batch * 2 + 2));
    }
  });
});

test('counts photos and full batches', async () => {
  const loader = open(await optionsFor(await photoFolder([9, 4, 5])));
  expect([loader.imagesPerEpoch, loader.batchesPerEpoch]).toEqual([18, 2]);
});

test('says how long readers waited', async () => {
  let time = 0;
  const loader = open({ ...(await optionsFor(await photoFolder([5, 5]))), now: () => (time += 5) });
  expect(loader.waitedMs).toBe(0);
  await loader.next();
  await loader.next();
  expect(loader.waitedMs).toBe(10);
});

test('runs ahead while the reader’s thread is busy, but not further than it may', async () => {
  const loader = open({ ...(await optionsFor(await photoFolder([6, 6]))), threads: 2, ahead: 3 });
  await loader.next();
  // Nothing else runs on this thread here; the limit is for a loader that would wait for it.
  const end = performance.now() + 30_000;
  while (loader.made < 4 && performance.now() < end);
  expect(loader.made).toBe(4);
  for (let read = 2; read < 12; read++) {
    await loader.next();
    expect(loader.made).toBeLessThanOrEqual(read + 3);
  }
});

describe('closing', () => {
  test('tells who waits, and who comes later', async () => {
    const loader = open({ ...(await optionsFor(await photoFolder([6, 6]))), threads: 2 });
    const waiting = Array.from({ length: 50 }, () => loader.next().catch((error: unknown) => error));
    await loader.close();
    const last = (await Promise.all(waiting)).at(-1);
    expect(last).toMatchObject({ code: 'CANCELLED' });
    await expect(loader.next()).rejects.toMatchObject({ code: 'CANCELLED' });
    const { made } = loader;
    await loader.close();
    expect(loader.made).toBe(made);
  });
});

describe('refused', () => {
  test('fewer photos than a batch', async () => {
    const options = await optionsFor(await photoFolder([4, 3]));
    expect(() => createLoader(options)).toThrow(
      'at least one batch of 8 training photos but received 7 (batch)',
    );
  });
});

describe('photos that cannot be decoded', () => {
  test('one is named once, and another of its class stands for it', async () => {
    const root = await photoFolder([8, 8]);
    put(root, 'class-1/9.png', 'not a photo');
    const named: string[] = [];
    const options = {
      ...(await optionsFor(root)),
      onUnreadable: ({ name }: { name: string }) => named.push(name),
    };
    const pieces = await read({ ...options, threads: 2 }, 12);
    expect(named).toEqual(['class-1/9.png']);
    const seen = pieces.flatMap(({ classes }) => [...classes]);
    expect(seen.length).toBe(48);
    expect(await read(options, 12)).toEqual(pieces);
  });

  test('more than one in a hundred are the reader’s error', async () => {
    const root = await photoFolder([8, 8]);
    for (const name of ['a', 'b']) put(root, `class-1/${name}.png`, 'not a photo');
    await expect(read(await optionsFor(root), 8)).rejects.toThrow(/at most 1 % of 18 photos .* found 2/);
  });

  test('a class of nothing else is an error that names one', async () => {
    const root = await photoFolder([9]);
    put(root, 'other/a.png', 'not a photo');
    await expect(read(await optionsFor(root), 8)).rejects.toThrow(
      /a photo that can be decoded in the class of other\/a.png/,
    );
  });

  test('a photo that went away is one', async () => {
    const options = await optionsFor(await photoFolder([8, 8]));
    const gone = { ...options, root: join(options.root, 'elsewhere') };
    await expect(read(gone, 2)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});
