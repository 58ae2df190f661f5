// Enlarged pixels are Pillow's, bit for bit.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { enlarge } from '../../services/preprocess/enlarge.ts';
import { preparePhoto } from '../../services/preprocess/prepare.ts';
import { KERNELS } from '../../vgg/views.ts';
import { evaluation, MEAN, texture, textured } from './photos.ts';

// 5×4 pixels of harsh contrast.
const source = {
  width: 5,
  height: 4,
  rgb8: Buffer.from(Array.from({ length: 60 }, (_, i) => (i * i * 37 + i * 11) % 256)),
};

describe('the same as Pillow 13.0.0', () => {
  // Image.frombytes('RGB', (5, 4), …).resize(size, kernel), base64.
  test.each([
    [
      'nearest',
      9,
      7,
      'ADCqADCqbnzUbnzUdmKYGOL2GOL2VPzuVPzuADCqADCqbnzUbnzUdmKYGOL2GOL2VPzuVPzuKrCAKrCAmv6smv6spOZySGjSSGjShoTMhoTMKrCAKrCAmv6smv6spOZySGjSSGjShoTMhoTMXjpgXjpg0IqO0IqO3HRWgvi4gvi4wha0wha0nM5KnM5KECB6ECB6HgxExpKoxpKoCLKmCLKmnM5KnM5KECB6ECB6HgxExpKoxpKoCLKmCLKm',
    ],
    [
      'linear',
      9,
      7,
      'ADCqJUm4YnTPcnC5dmKYQqnMH+X1QPPxVPzuD16bNHepcqLBgp+rhpGKU6a/MLnoUsjkZtHiJ6eDTMGSi+yqm+qVod11bqGqTHTUboTQgo3ORHVwapB/qbuYurqEwK1kjq+abKXFj27CpE3AYkVegllut3uIx3l0zm1Vp7aLjNq3pma0tSGzhplSdX1iWk98Wj1pYjFKjHuCo7Cua46sSnqrnM5KbZRaIDN1FhdiHgxEe1Z8sZaoR6enCLKm',
    ],
    [
      'cubic',
      9,
      7,
      'ACCqGzy7Ym3WemS7clibOanOFfX8PP/2Vf/wCFWbKXGscKPIiZ+tgo6OSaLBJb3vTdPqZt/kHqh/RcSRjfeup/yUoOR1aJqpRWfYbn/Th4/OOGxrZo99us2b19CBz7xjjbuXZaXImVvDuTK/WjdaflFtwX2L2nZy1WxUpsmJh+y6qly3wAizkKRLeYNeUER+SCRmWidIlXt+r7iwZZOtPnuprulEdKVXDCd3AABfDwRDiUt5xJOrOrWpAMOl',
    ],
    [
      'lanczos3',
      9,
      7,
      'ABOnGTa/XWbZilq4c0+bNKTJFf//Of/7Wv/tBleZJHexZ6TLk6KsfZCPQJe9I7nzRtnvZufiGqV9QcOVhfCxsvqRnOF1YZSkRGbbZ3/YiZvLLmRmZ5N/xNqb/uJ94s9hisyRZZ7IoUjG1B25WTVXfFJwuXqM42pv0WdUoNWEiOu8pWO8wgevlqNHfIBhVEN+SxdiWiBIoYB4r7+yaJqxQHSltvpAda9bDTF5AABdBgRDmkF0wZCuOr6tAMqh',
    ],
  ] as const)('%s to %i×%i', async (kernel, width, height, pixels) => {
    const { rgb8 } = await enlarge(source, { width, height }, kernel);
    expect([...rgb8]).toEqual([...Buffer.from(pixels, 'base64')]);
  });
});

test('one colour stays that colour, whatever the sizes', async () => {
  const side = fc.integer({ min: 1, max: 40 });
  await fc.assert(
    fc.asyncProperty(
      side,
      side,
      side,
      side,
      fc.constantFrom(...KERNELS),
      async (w, h, width, height, kernel) => {
        const rgb8 = Buffer.alloc(w * h * 3, Buffer.from([9, 200, 255]));
        const large = await enlarge({ width: w, height: h, rgb8 }, { width, height }, kernel);
        expect(large.rgb8.equals(Buffer.alloc(width * height * 3, Buffer.from([9, 200, 255])))).toBe(true);
      },
    ),
  );
});

test('a mirrored photo gives the mirrored plane: nothing moves to one side', async () => {
  const mirrored = (rgb8: Buffer, width: number) =>
    Buffer.from(rgb8.map((_, i) => rgb8[i - 2 * ((Math.floor(i / 3) % width) * 3) + (width - 1) * 3] ?? 0));
  const rgb8 = texture(30, 20);
  for (const kernel of ['linear', 'cubic', 'lanczos3'] as const) {
    const size = { width: 47, height: 31 };
    const one = await enlarge({ width: 30, height: 20, rgb8 }, size, kernel);
    const other = await enlarge({ width: 30, height: 20, rgb8: mirrored(rgb8, 30) }, size, kernel);
    const differences = mirrored(other.rgb8, 47).map((level, i) => Math.abs(level - (one.rgb8[i] ?? 0)));
    expect(Math.max(...differences)).toBeLessThanOrEqual(1);
  }
});

test('the thread is given away while a large plane is made', async () => {
  let turns = 0;
  let done = false;
  const count = () => {
    turns += 1;
    if (!done) setImmediate(count);
  };
  setImmediate(count);
  await enlarge(
    { width: 100, height: 100, rgb8: texture(100, 100) },
    { width: 1000, height: 1000 },
    'linear',
  );
  done = true;
  expect(turns).toBeGreaterThan(4);
});

test('planes larger than the photo are made so', async () => {
  const photo = await textured(60, 50).png().toBuffer();
  const preparation = { evaluation: evaluation({ scales: [64] }), mean: MEAN, inputSize: 64 };
  for await (const { plane } of preparePhoto(photo, preparation)) {
    const { rgb8 } = await enlarge({ width: 60, height: 50, rgb8: texture(60, 50) }, plane, 'linear');
    expect([plane.width, plane.height]).toEqual([77, 64]);
    expect(plane.rgb8.equals(rgb8)).toBe(true);
  }
});
