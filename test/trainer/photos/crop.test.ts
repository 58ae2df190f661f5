// A crop that is cut from the photo is what would be cut from the rescaled photo.

import { describe, expect, test } from 'vitest';
import { rescale } from '../../../services/preprocess/planes.ts';
import { Cropper, writePixels } from '../../../services/trainer/photos/crop.ts';
import type { Crop } from '../../../services/trainer/photos/augmentation.ts';
import { KERNELS, planeSize, type Kernel } from '../../../vgg/views.ts';
import { pixelsOf } from './folders.ts';

const SIZE = 32;

async function compared(width: number, height: number, scale: number, kernel: Kernel) {
  const rgb8 = pixelsOf(width, height, width + height);
  const plane = planeSize({ width, height }, scale);
  const spec = { index: 0, scale, ...plane };
  const whole = await rescale({ width, height, rgb8 }, spec, kernel, { stepSeconds: 20 });
  const cropper = new Cropper(SIZE, kernel);
  let [most, sum, count] = [0, 0, 0];
  const levels = new Uint8ClampedArray(SIZE * SIZE * 3);
  for (const x of [0, Math.floor((plane.width - SIZE) / 3), plane.width - SIZE]) {
    for (const y of [0, Math.floor((plane.height - SIZE) / 2), plane.height - SIZE]) {
      cropper.cut({ width, height, rgb8 }, { plane, x, y, mirrored: false, shift: [0, 0, 0] }, levels);
      for (const [i, level] of levels.entries()) {
        const at =
          ((y + Math.floor(i / 3 / SIZE)) * plane.width + x + (Math.floor(i / 3) % SIZE)) * 3 + (i % 3);
        const difference = Math.abs(level - (whole.rgb8[at] ?? NaN));
        most = Math.max(most, difference);
        sum += difference;
        count++;
      }
    }
  }
  return { most, mean: sum / count };
}

describe.each(KERNELS.filter((kernel) => kernel !== 'nearest'))('%s', (kernel) => {
  test.each([
    [90, 70, 60],
    [70, 120, 40],
    [150, 130, 40],
    [48, 48, 47],
  ])('%i × %i reduced to S = %i, within the rounding of two libraries', async (width, height, scale) => {
    const { most, mean } = await compared(width, height, scale, kernel);
    expect(most).toBeLessThanOrEqual(3);
    expect(mean).toBeLessThan(0.5);
  });

  test.each([
    [40, 30, 50],
    [20, 35, 64],
  ])('%i × %i enlarged to S = %i, exactly', async (width, height, scale) => {
    expect((await compared(width, height, scale, kernel)).most).toBe(0);
  });
});

test('nearest takes the photo’s own pixels, as the enlarged plane does', async () => {
  expect((await compared(40, 30, 50, 'nearest')).most).toBe(0);
});

test('at its own size a photo is cut as it is', async () => {
  expect((await compared(60, 50, 50, 'linear')).most).toBe(0);
});

test('a cropper’s crops do not depend on those before', () => {
  const photo = { width: 60, height: 44, rgb8: pixelsOf(60, 44, 1) };
  const crop: Crop = { plane: { width: 55, height: 40 }, x: 3, y: 5, mirrored: false, shift: [0, 0, 0] };
  const cut = (cropper: Cropper) => {
    const levels = new Uint8ClampedArray(SIZE * SIZE * 3);
    cropper.cut(photo, crop, levels);
    return levels;
  };
  const used = new Cropper(SIZE, 'linear');
  const large = { width: 300, height: 300, rgb8: pixelsOf(300, 300, 2) };
  used.cut(large, { ...crop, plane: { width: 40, height: 40 } }, new Uint8ClampedArray(SIZE * SIZE * 3));
  expect(cut(used)).toEqual(cut(new Cropper(SIZE, 'linear')));
});

test('pixels are levels plus an offset a channel; mirrored rows run backwards', () => {
  const levels = Uint8ClampedArray.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
  const written = (mirrored: boolean) => {
    const target = new Float32Array(12);
    writePixels(levels, 2, mirrored, [0.5, -1, -100], target);
    return [...target];
  };
  expect(written(false)).toEqual([1.5, 1, -97, 4.5, 4, -94, 7.5, 7, -91, 10.5, 10, -88]);
  expect(written(true)).toEqual([4.5, 4, -94, 1.5, 1, -97, 10.5, 10, -88, 7.5, 7, -91]);
});
