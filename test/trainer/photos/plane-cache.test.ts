// Decoded photos in shared memory: what fits stays, what does not is no error.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createCacheMemory, PlaneCache } from '../../../services/trainer/photos/plane-cache.ts';
import { pixelsOf } from './folders.ts';

const MIB = 1024 * 1024;

test('gives back what was put in, to every user of the memory', () => {
  const memory = createCacheMemory(3, MIB, MIB);
  const [one, other] = [new PlaneCache(memory), new PlaneCache(structuredClone(memory))];
  const photo = { width: 20, height: 10, rgb8: pixelsOf(20, 10, 1) };
  one.put(1, photo);
  for (const cache of [one, other]) {
    expect(cache.get(0)).toBeUndefined();
    expect(cache.get(1)).toEqual({ width: 20, height: 10, rgb8: new Uint8Array(photo.rgb8) });
  }
});

test('a second photo in the same place is not taken', () => {
  const cache = new PlaneCache(createCacheMemory(1, MIB, MIB));
  cache.put(0, { width: 1, height: 1, rgb8: Buffer.of(1, 2, 3) });
  cache.put(0, { width: 1, height: 1, rgb8: Buffer.of(4, 5, 6) });
  expect([...(cache.get(0)?.rgb8 ?? [])]).toEqual([1, 2, 3]);
});

test('photos never overlap, and never take more than the bound', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 60 })), { minLength: 1 }),
      fc.integer({ min: 0, max: 60_000 }),
      (sizes, bound) => {
        const cache = new PlaneCache(createCacheMemory(sizes.length, bound, MIB));
        for (const [i, [width, height]] of sizes.entries())
          cache.put(i, { width, height, rgb8: Buffer.alloc(width * height * 3, i + 1) });
        let bytes = 0;
        for (const [i, [width, height]] of sizes.entries()) {
          const kept = cache.get(i);
          if (!kept) continue;
          expect([kept.width, kept.height]).toEqual([width, height]);
          expect(kept.rgb8.every((level) => level === i + 1)).toBe(true);
          bytes += kept.rgb8.length;
        }
        expect(bytes).toBeLessThanOrEqual(bound);
      },
    ),
  );
});

test('memory beyond one chunk is used, each photo within one', () => {
  const cache = new PlaneCache(createCacheMemory(4, 130 * MIB, 1024 * MIB));
  // Three of 37 MiB: one a chunk of 64, and the last of 2 has no room.
  for (let i = 0; i < 3; i++) {
    const rgb8 = Buffer.alloc(39_000_000, i + 1);
    cache.put(i, { width: 1_000_000, height: 13, rgb8 });
  }
  cache.put(3, { width: 600, height: 1000, rgb8: Buffer.alloc(1_800_000, 9) });
  expect([0, 1, 2, 3].map((i) => cache.get(i) !== undefined)).toEqual([true, true, false, true]);
});
