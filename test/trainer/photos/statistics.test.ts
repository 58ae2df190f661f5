// Mean and components of colours: from training photos alone, kept in a file, whatever is decoded first.

import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { sharp } from '../../../services/preprocess/loaders.ts';
import { listPhotos, type PhotoFile } from '../../../services/trainer/photos/folder.ts';
import {
  colourAxes,
  colourStatistics,
  type StatisticsOptions,
} from '../../../services/trainer/photos/statistics.ts';
import { photoFolder, put, scratchFolder, smallRecipe } from './folders.ts';

async function optionsFor(root: string): Promise<StatisticsOptions & { training: PhotoFile[] }> {
  const { photos } = await listPhotos(root);
  const file = join(scratchFolder(), 'statistics.json');
  return { root, training: photos, recipe: smallRecipe(), file, atOnce: 3 };
}

test('photos of one colour each: the mean of the colours, and their covariance', async () => {
  const root = scratchFolder();
  const colours = [
    { r: 200, g: 100, b: 40 },
    { r: 100, g: 100, b: 80 },
    { r: 60, g: 40, b: 120 },
    { r: 40, g: 0, b: 160 },
  ];
  for (const [i, background] of colours.entries()) {
    // Sizes differ: a photo counts once, however large.
    const create = { width: 20 + 30 * i, height: 30 + 10 * i, channels: 3, background } as const;
    put(root, `${String(i % 2)}/${String(i)}.png`, await sharp({ create }).png().toBuffer());
  }
  const { mean, components, photos } = await colourStatistics(await optionsFor(root));
  expect(photos).toBe(4);
  expect(mean).toEqual({ red: 100, green: 60, blue: 100 });
  // The trace of the covariance.
  const [rr, gg, bb] = [3800, 1800, 2000];
  expect(components.values.reduce((sum, value) => sum + value)).toBeCloseTo(rr + gg + bb, 8);
  const [first] = colourAxes(components);
  expect(Math.hypot(...(first ?? []))).toBeCloseTo(Math.sqrt(components.values[0]), 9);
});

test('the same bits, however many photos are decoded at once', async () => {
  const options = await optionsFor(await photoFolder([9, 6]));
  const alone = await colourStatistics({ ...options, atOnce: 1 });
  rmSync(options.file);
  expect(await colourStatistics({ ...options, atOnce: 5 })).toEqual(alone);
});

describe('the file', () => {
  test('is read instead of the photos when they are the same ones', async () => {
    const options = await optionsFor(await photoFolder([3, 3]));
    const seen: number[] = [];
    const first = await colourStatistics({ ...options, onPhoto: (done) => seen.push(done) });
    expect(seen).toEqual([1, 2, 3, 4, 5, 6]);
    rmSync(options.root, { recursive: true });
    expect(await colourStatistics(options)).toEqual(first);
  });

  test.each([
    ['fewer photos', (options: StatisticsOptions) => ({ ...options, training: options.training.slice(1) })],
    [
      'another scale',
      (options: StatisticsOptions) => ({ ...options, recipe: smallRecipe({ scales: [40, 48] }) }),
    ],
  ])('is made anew for %s', async (_, changed) => {
    const options = await optionsFor(await photoFolder([3, 3]));
    await colourStatistics(options);
    const before = readFileSync(options.file, 'utf8');
    await colourStatistics(changed(options));
    expect(readFileSync(options.file, 'utf8')).not.toBe(before);
  });

  test('is made anew where it is damaged', async () => {
    const options = await optionsFor(await photoFolder([2, 2]));
    const first = await colourStatistics(options);
    writeFileSync(options.file, readFileSync(options.file, 'utf8').slice(0, 50));
    expect(await colourStatistics(options)).toEqual(first);
  });
});

test('of many photos a seeded part is looked at', async () => {
  const options = await optionsFor(await photoFolder([6, 6]));
  const names = (seed: number) =>
    colourStatistics({
      ...options,
      most: 5,
      recipe: smallRecipe({ seed }),
      file: join(scratchFolder(), 's.json'),
    });
  const one = await names(1);
  expect(one.photos).toBe(5);
  expect(await names(1)).toEqual(one);
  expect(await names(2)).not.toEqual(one);
});

describe('photos that cannot be decoded', () => {
  test('one is named and left out', async () => {
    const root = await photoFolder([3, 3]);
    const without = await colourStatistics(await optionsFor(root));
    put(root, 'class-1/broken.jpg', 'not a photo');
    const named: string[] = [];
    const options = await optionsFor(root);
    const statistics = await colourStatistics({ ...options, onUnreadable: ({ name }) => named.push(name) });
    expect(named).toEqual(['class-1/broken.jpg']);
    expect(statistics).toEqual(without);
  });

  test('more than one in a hundred are an error that names some', async () => {
    const root = await photoFolder([3, 3]);
    for (const name of ['a', 'b']) put(root, `class-1/${name}.jpg`, 'not a photo');
    await expect(colourStatistics(await optionsFor(root))).rejects.toThrow(
      /at most 1 % of 8 photos .* found 2, such as class-1\/[ab].jpg and class-1\/[ab].jpg: Expected a JPEG/,
    );
  });
});

test('stops where it is told to', async () => {
  const options = await optionsFor(await photoFolder([4, 4]));
  const stop = new AbortController();
  const seen: number[] = [];
  const run = colourStatistics({
    ...options,
    atOnce: 1,
    signal: stop.signal,
    onPhoto: (done) => {
      seen.push(done);
      stop.abort(new Error('enough'));
    },
  });
  await expect(run).rejects.toThrow('enough');
  expect(seen).toEqual([1]);
});
