// The stages of a photo: sizes and views are those of the geometry, and the work stops when nobody
// wants it any more.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  preparePhoto,
  type PrepareContext,
  type Prepared,
  type Step,
} from '../../services/preprocess/prepare.ts';
import { rescale } from '../../services/preprocess/planes.ts';
import { reducedSize } from '../../services/preprocess/decode.ts';
import { enlarge } from '../../services/preprocess/enlarge.ts';
import { DEFAULT_LIMITS } from '../../services/preprocess/limits.ts';
import { VggError } from '../../vgg/errors.ts';
import { evaluationViews, KERNELS, PROTOCOLS, type Evaluation } from '../../vgg/views.ts';
import { evaluation, MEAN, plain, texture, textured } from './photos.ts';

const photo = await textured(120, 90).png().toBuffer();

function prepare(bytes: Uint8Array, options: Partial<Evaluation>, context: PrepareContext = {}) {
  return preparePhoto(bytes, { evaluation: evaluation(options), mean: MEAN, inputSize: 32 }, context);
}

async function all(prepared: AsyncIterable<Prepared>): Promise<Prepared[]> {
  const list = [];
  for await (const each of prepared) list.push(each);
  return list;
}

test('planes and views are those of the geometry, in order, for any photo and evaluation', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({ width: fc.integer({ min: 2, max: 300 }), height: fc.integer({ min: 2, max: 300 }) }),
      fc.constantFrom(...PROTOCOLS),
      fc.constantFrom(...KERNELS),
      fc.array(fc.integer({ min: 32, max: 80 }), { minLength: 1, maxLength: 4 }),
      fc.boolean(),
      async (size, protocol, kernel, scales, jpeg) => {
        const image = plain(size.width, size.height, 200, 100, 50);
        const bytes = await (jpeg ? image.jpeg() : image.png()).toBuffer();
        const options = { protocol, kernel, scales, grid: 3 };
        const wanted = evaluationViews(size, evaluation(options), 32);
        const came = await all(prepare(bytes, options));
        expect(came.map(({ plane: { rgb8, ...spec } }) => ({ ...spec, bytes: rgb8.length }))).toEqual(
          wanted.planes.map((spec) => ({ ...spec, bytes: spec.width * spec.height * 3 })),
        );
        expect(came.flatMap(({ views }) => views)).toEqual(wanted.views);
        for (const { total } of came) {
          expect(total).toEqual({ planes: wanted.planes.length, views: wanted.views.length });
        }
      },
    ),
    { numRuns: 60 },
  );
});

test('the sides of a turned photo are swapped', async () => {
  const turned = await textured(120, 90).jpeg().withMetadata({ orientation: 6 }).toBuffer();
  const [one] = await all(prepare(turned, { scales: [64] }));
  expect([one?.plane.width, one?.plane.height]).toEqual([64, 85]);
});

test('a plane of the photo’s own size is the photo', async () => {
  const [one] = await all(prepare(photo, { scales: [90] }));
  expect(one?.plane.rgb8.equals(texture(120, 90))).toBe(true);
});

test('nearest planes hold pixels of the photo, however large it is', async () => {
  const pixels = texture(640, 480);
  const colours = new Set<number>();
  for (let at = 0; at < pixels.length; at += 3) colours.add(pixels.readUIntBE(at, 3));
  const large = await textured(640, 480).png().toBuffer();
  const [one] = await all(prepare(large, { scales: [64], kernel: 'nearest' }));
  const plane = one?.plane.rgb8 ?? Buffer.alloc(0);
  expect(plane.length).toBe(64 * 85 * 3);
  for (let at = 0; at < plane.length; at += 3) expect(colours.has(plane.readUIntBE(at, 3))).toBe(true);
});

test('a plane of less than a quarter of the photo’s size is not a mean of blocks', async () => {
  // Stripes of eight pixels: libvips alone is 2 levels off here.
  const stripes = (_: unknown, i: number) => ((((i / 3) | 0) % 280) % 16 < 8 ? 240 : 0);
  const source = {
    width: 280,
    height: 270,
    rgb8: Buffer.from(Array.from({ length: 280 * 270 * 3 }, stripes)),
  };
  const spec = { index: 0, scale: 64, width: 66, height: 64 };
  const plane = await rescale(source, spec, 'linear', DEFAULT_LIMITS);
  const exact = await enlarge(source, spec, 'linear');
  const sum = plane.rgb8.reduce((total, level, i) => total + Math.abs(level - (exact.rgb8[i] ?? 0)), 0);
  expect(sum / plane.rgb8.length).toBeLessThan(1);
});

test('a square is cut from the rescaled photo, then resized', async () => {
  const came = await all(prepare(photo, { protocol: 'GOOGLENET_144', scales: [60] }));
  expect(came).toHaveLength(4);
  const [whole] = came;
  for (const { plane } of came.slice(1)) {
    const { square } = plane;
    if (!whole || !square) throw new Error('Expected a square');
    const cut = Buffer.concat(
      Array.from({ length: square.height }, (_, row) => {
        const from = ((square.y + row) * whole.plane.width + square.x) * 3;
        return whole.plane.rgb8.subarray(from, from + square.width * 3);
      }),
    );
    const source = { width: square.width, height: square.height, rgb8: cut };
    const spec = { index: 0, scale: 32, width: 32, height: 32 };
    const alone = await rescale(source, spec, 'linear', DEFAULT_LIMITS);
    expect(plane.rgb8.equals(alone.rgb8)).toBe(true);
  }
});

describe('how far a photo is reduced while it is decoded', () => {
  const header = { format: 'jpeg', hasAlpha: false, rgb: true } as const;
  const reduced = (width: number, height: number, over = {}) =>
    reducedSize({ ...header, upright: { width, height }, ...over }, 512);
  const decoder = { wholeFirst: false };
  const pixels = { wholeFirst: true };

  test.each([
    ['a small photo: not at all', 500, 375, undefined],
    ['up to 2.5 times: not at all', 1700, 1279, undefined],
    ['to twice the scale', 1280, 1280, { width: 1024, height: 1024, ...decoder }],
    ['a third, for 2 divides both sides', 4000, 3000, { width: 1333, height: 1000, ...decoder }],
    ['a third of odd thirds', 4096, 3064, { width: 1365, height: 1021, ...decoder }],
    ['no third where 2 does not divide', 4001, 3000, { width: 1366, height: 1024, ...decoder }],
    ['to twice the scale by the decoder', 8000, 6000, { width: 1365, height: 1024, ...decoder }],
    [
      'by pixels where the decoder would move the picture',
      8001,
      6001,
      { width: 1365, height: 1024, ...pixels },
    ],
  ])('%s', (_, width, height, wanted) => {
    expect(reduced(width, height)).toEqual(wanted);
  });

  test('only once a background is laid', () => {
    const alpha = { hasAlpha: true, format: 'png' };
    expect(reduced(8000, 6000, { ...alpha, rgb: false })).toBeUndefined();
    expect(reduced(8000, 6000, alpha)).toEqual({ width: 1365, height: 1024, ...decoder });
  });

  test('a grey JPEG that the decoder would move is not reduced', () => {
    expect(reduced(8001, 6001, { rgb: false })).toBeUndefined();
  });

  test('whatever is decoded keeps 15/8 of the largest scale', () => {
    const side = fc.integer({ min: 1, max: 16_384 });
    const scale = fc.integer({ min: 32, max: 2048 });
    fc.assert(
      fc.property(
        side,
        side,
        scale,
        fc.constantFrom('jpeg', 'png', 'webp'),
        (width, height, largest, format) => {
          const size = reducedSize({ ...header, format, upright: { width, height } }, largest);
          if (!size) return;
          expect(Math.min(size.width, size.height)).toBeGreaterThanOrEqual((15 / 8) * largest);
          expect(Math.min(size.width, size.height)).toBeLessThanOrEqual(Math.min(width, height));
        },
      ),
    );
  });
});

describe('the work stops', () => {
  const scales = [40, 50, 60, 70];
  const counted = () => {
    const steps: string[] = [];
    return { steps, onStep: ({ step }: Step) => void steps.push(step) };
  };
  // The work runs apart from its reader: tells when it has ended, however it did.
  const watched = () => {
    const end = { promise: Promise.resolve() };
    const run: PrepareContext['run'] = (work) => {
      const done = work();
      end.promise = done.then(
        () => undefined,
        () => undefined,
      );
      return done;
    };
    return { end, run };
  };

  test('every step is taken when nobody stops it', async () => {
    const { steps, onStep } = counted();
    expect(await all(prepare(photo, { scales }, { onStep }))).toHaveLength(4);
    expect(steps).toEqual(['header', 'decode', 'resize', 'resize', 'resize', 'resize']);
  });

  test('before anything, where the signal has been aborted', async () => {
    const { steps, onStep } = counted();
    const reason = new VggError('CANCELLED', 'The client went away');
    await expect(all(prepare(photo, { scales }, { onStep, signal: AbortSignal.abort(reason) }))).rejects.toBe(
      reason,
    );
    expect(steps).toEqual([]);
  });

  test.each([
    ['header', ['header']],
    ['decode', ['header', 'decode']],
  ] as const)('after the %s', async (at, wanted) => {
    const { steps, onStep } = counted();
    const { end, run } = watched();
    const client = new AbortController();
    const reason = new VggError('DEADLINE_EXCEEDED', 'Deadline exceeded');
    const stopping = (step: Step) => {
      onStep(step);
      if (step.step === at) client.abort(reason);
    };
    await expect(
      all(prepare(photo, { scales }, { onStep: stopping, signal: client.signal, run })),
    ).rejects.toBe(reason);
    await end.promise;
    expect(steps).toEqual(wanted);
  });

  test('after the first plane: of the others only the one that had begun is made', async () => {
    const { steps, onStep } = counted();
    const { end, run } = watched();
    const client = new AbortController();
    const stopping = (step: Step) => {
      onStep(step);
      if (step.step === 'resize') client.abort();
    };
    await expect(
      all(prepare(photo, { scales }, { onStep: stopping, signal: client.signal, run })),
    ).rejects.toThrow('The call was cancelled while the photo was prepared');
    await end.promise;
    expect(steps).toEqual(['header', 'decode', 'resize', 'resize']);
  });

  test('when the reader leaves', async () => {
    const { steps, onStep } = counted();
    const { end, run } = watched();
    const planes = prepare(photo, { protocol: 'GOOGLENET_144', scales }, { onStep, run });
    await planes.next();
    await planes.return();
    await end.promise;
    // Two are resized at a time; sixteen would be all.
    expect(steps.filter((step) => step === 'resize').length).toBeLessThan(8);
    await expect(planes.next()).resolves.toEqual({ done: true, value: undefined });
  });

  test('a slow reader does not hold the slot', async () => {
    const { end, run } = watched();
    const planes = prepare(photo, { scales }, { run });
    await planes.next();
    await end.promise; // All planes are made though one was read.
    expect(await all(planes)).toHaveLength(3);
  });

  test('a step that fails stops the others, and is what the reader sees', async () => {
    const { steps, onStep } = counted();
    const failing = async () => {
      await Promise.resolve();
      throw new VggError('RESOURCE_EXHAUSTED', 'full', { retryAfterMs: 7 });
    };
    await expect(all(prepare(photo, { scales }, { onStep, run: failing }))).rejects.toThrow('full');
    expect(steps).toEqual(['header']);
  });
});
