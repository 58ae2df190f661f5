// Awkward photos against the planes that Pillow makes of them.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { packageRoot } from '../../proto/package-root.ts';
import { sharp } from '../../services/preprocess/loaders.ts';
import { preparePhoto } from '../../services/preprocess/prepare.ts';
import { evaluation, textured } from './photos.ts';

const folder = join(packageRoot, 'test/golden/photos');
const golden = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as {
  Q: number;
  alphaOver: [number, number, number];
  planes: Record<string, { width: number; height: number }>;
};
const [red, green, blue] = golden.alphaOver;

async function planeOf(photo: Buffer, scale: number) {
  const preparation = {
    evaluation: evaluation({ scales: [scale] }),
    mean: { red, green, blue },
    inputSize: 64,
  };
  for await (const { plane } of preparePhoto(photo, preparation)) return plane;
  throw new Error('no plane');
}

function difference(ours: Buffer, theirs: Buffer) {
  expect(ours.length).toBe(theirs.length);
  let sum = 0;
  let largest = 0;
  for (let i = 0; i < ours.length; i++) {
    const each = Math.abs((ours[i] ?? 0) - (theirs[i] ?? 0));
    sum += each;
    largest = Math.max(largest, each);
  }
  return { mean: sum / ours.length, largest };
}

describe('planes are those of Pillow', () => {
  const figures: string[] = [];
  const names = Object.entries(golden.planes);

  test('there are eleven photos', () => {
    expect(names).toHaveLength(11);
  });

  test.each(names)('%s', async (name, { width, height }) => {
    const plane = await planeOf(readFileSync(join(folder, name)), golden.Q);
    expect([plane.width, plane.height]).toEqual([width, height]);
    const reference = sharp(readFileSync(join(folder, 'planes', `${name}.png`)));
    const theirs = await reference.removeAlpha().toColourspace('srgb').raw().toBuffer();
    const { mean, largest } = difference(plane.rgb8, theirs);
    figures.push(`${name}: mean ${mean.toFixed(3)}, largest ${String(largest)}`);
    // eslint-disable-next-line no-console -- the figures are what this file is for
    if (figures.length === names.length) console.log(figures.join('\n'));
    expect(mean).toBeLessThanOrEqual(1);
  });
});

describe('a photo that is decoded reduced gives the planes of the whole photo', () => {
  // The large side of the ratios at which the reduction changes: none, by pixels, by the JPEG decoder.
  test.each([
    ['jpeg', 2.4],
    ['jpeg', 2.6],
    ['jpeg', 5.703125], // 365×511: by pixels, for 2 divides neither
    ['jpeg', 5.75], // 368×515
    ['jpeg', 5.8125], // 372×521
    ['jpeg', 5.625], // 360×504: by the decoder
    ['jpeg', 7.5],
    ['jpeg', 17.5],
    ['jpeg', 17.6],
    ['jpeg', 20],
    ['webp', 2.6],
    ['webp', 6.5],
    ['png', 6.5],
  ] as const)('%s, %f times as large', async (format, ratio) => {
    const side = Math.round(64 * ratio);
    const photo = await textured(side, Math.round(side * 1.4))
      .toFormat(format, format === 'png' ? {} : { quality: 95 })
      .toBuffer();
    const plane = await planeOf(photo, 64);
    const theirs = await sharp(await sharp(photo).raw().toBuffer(), {
      raw: { width: side, height: Math.round(side * 1.4), channels: 3 },
    })
      .resize(plane.width, plane.height, { fit: 'fill', kernel: 'linear', fastShrinkOnLoad: false })
      .raw()
      .toBuffer();
    expect(difference(plane.rgb8, theirs).mean).toBeLessThanOrEqual(1);
  });
});
