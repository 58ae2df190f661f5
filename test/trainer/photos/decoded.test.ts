// What crops are cut from: photos as they are, large ones at twice the largest scale.

import { expect, test } from 'vitest';
import { sharp } from '../../../services/preprocess/loaders.ts';
import { decodedPhoto } from '../../../services/trainer/photos/decoded.ts';
import type { Kernel } from '../../../vgg/views.ts';
import { pixelsOf, put, scratchFolder } from './folders.ts';

const background = { red: 10, green: 20, blue: 30 };

async function decoded(width: number, height: number, kernel: Kernel = 'linear') {
  const root = scratchFolder();
  const rgb8 = pixelsOf(width, height, 1);
  const raw = { width, height, channels: 3 } as const;
  put(root, 'photo.png', await sharp(rgb8, { raw }).png().toBuffer());
  const pixels = await decodedPhoto('photo.png', { root, largestScale: 40, kernel, background });
  return { ...pixels, same: Buffer.compare(pixels.rgb8, rgb8) === 0 };
}

test.each([
  [30, 20, 'linear', 30, 20],
  [149, 99, 'linear', 149, 99],
  [101, 202, 'linear', 80, 160],
  [300, 200, 'cubic', 120, 80],
  [300, 200, 'nearest', 300, 200],
] as const)('%i × %i for a scale of 40 (%s) is %i × %i', async (width, height, kernel, wide, high) => {
  const pixels = await decoded(width, height, kernel);
  expect([pixels.width, pixels.height]).toEqual([wide, high]);
  expect(pixels.rgb8.length).toBe(wide * high * 3);
  expect(pixels.same).toBe(wide === width);
});

test('transparency is laid over the background', async () => {
  const root = scratchFolder();
  const create = {
    width: 4,
    height: 4,
    channels: 4,
    background: { r: 255, g: 255, b: 255, alpha: 0 },
  } as const;
  put(root, 'clear.png', await sharp({ create }).png().toBuffer());
  const { rgb8 } = await decodedPhoto('clear.png', { root, largestScale: 40, kernel: 'linear', background });
  expect([...rgb8.subarray(0, 3)]).toEqual([10, 20, 30]);
});

test('what is no photo is an error that says so', async () => {
  const root = scratchFolder();
  put(root, 'page.jpg', '<html>');
  const options = { root, largestScale: 40, kernel: 'linear', background } as const;
  await expect(decodedPhoto('page.jpg', options)).rejects.toThrow('received an HTML page');
  await expect(decodedPhoto('gone.jpg', options)).rejects.toThrow('ENOENT');
});
