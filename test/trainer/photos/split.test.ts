// Held-out photos: how many of each class, and that who else is there does not matter.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { splitPhotos } from '../../../services/trainer/photos/split.ts';

function photosOf(perClass: readonly number[]) {
  return perClass.flatMap((count, classIndex) =>
    Array.from({ length: count }, (_, i) => ({ name: `${String(classIndex)}/${String(i)}.jpg`, classIndex })),
  );
}

const sizes = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 8 });
const shares = fc.double({ min: 0.001, max: 0.9, noNaN: true });
const seeds = fc.nat();

test('each class keeps a photo, and holds out its share or one', () => {
  fc.assert(
    fc.property(sizes, shares, seeds, (perClass, share, seed) => {
      const photos = photosOf(perClass);
      const { training, validation } = splitPhotos(photos, share, seed);
      expect(new Set([...training, ...validation])).toEqual(new Set(photos));
      expect(training.length + validation.length).toBe(photos.length);
      for (const [classIndex, count] of perClass.entries()) {
        const held = validation.filter((photo) => photo.classIndex === classIndex).length;
        expect(held).toBeLessThan(count);
        if (count >= 2) expect(held).toBeGreaterThan(0);
        if (held > 1 && held < count - 1) expect(Math.abs(held - share * count)).toBeLessThanOrEqual(0.5);
      }
    }),
  );
});

test('a photo’s side depends on neither the order of the list nor other classes', () => {
  fc.assert(
    fc.property(sizes, shares, seeds, (perClass, share, seed) => {
      const photos = photosOf(perClass);
      const held = (list: typeof photos) =>
        new Set(splitPhotos(list, share, seed).validation.map(({ name }) => name));
      expect(held([...photos].reverse())).toEqual(held(photos));
      const more = [
        ...photos,
        ...photosOf(perClass).map(({ name }) => ({ name: `x/${name}`, classIndex: 99 })),
      ];
      expect([...held(more)].filter((name) => !name.startsWith('x/'))).toEqual([...held(photos)]);
    }),
  );
});

test('a photo more in a class moves at most one other across', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 80 }), shares, seeds, (count, share, seed) => {
      const held = (photos: number) =>
        new Set(splitPhotos(photosOf([photos]), share, seed).validation.map(({ name }) => name));
      const [before, after] = [held(count), held(count + 1)];
      const changed = [...before].filter((name) => !after.has(name));
      const added = [...after].filter((name) => !before.has(name));
      expect(changed.length).toBeLessThanOrEqual(1);
      expect(added.length).toBeLessThanOrEqual(1 + changed.length);
    }),
  );
});

describe('seed and share', () => {
  const photos = photosOf([100, 100]);

  test('another seed holds out others', () => {
    expect(splitPhotos(photos, 0.1, 1).validation).not.toEqual(splitPhotos(photos, 0.1, 2).validation);
    expect(splitPhotos(photos, 0.1, 1)).toEqual(splitPhotos(photos, 0.1, 1));
  });

  test('a share of 0 holds out nothing', () => {
    expect(splitPhotos(photos, 0, 1)).toEqual({ training: photos, validation: [] });
  });
});
