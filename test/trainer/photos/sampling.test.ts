// Epochs: every photo once, or every class as often, and in between.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createSampler } from '../../../services/trainer/photos/sampling.ts';

const lists = fc
  .array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 8 })
  .map((sizes) => sizes.flatMap((count, classIndex) => Array.from({ length: count }, () => classIndex)));

function counts(values: Iterable<number>): Map<number, number> {
  const found = new Map<number, number>();
  for (const value of values) found.set(value, (found.get(value) ?? 0) + 1);
  return found;
}

test('an epoch has as many places as there are photos, whatever the balance', () => {
  fc.assert(
    fc.property(
      lists,
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.nat(),
      fc.nat(1000),
      (classes, balance, seed, epoch) => {
        const order = createSampler(classes, { balance, seed }).order(epoch);
        expect(order.length).toBe(classes.length);
        const seen = counts([...order].map((photo) => classes[photo] ?? -1));
        const all = counts(classes);
        for (const [classIndex, size] of all) {
          const target = (1 - balance) * size + (balance * classes.length) / all.size;
          expect(Math.abs((seen.get(classIndex) ?? 0) - target)).toBeLessThan(1);
        }
      },
    ),
  );
});

test('balance 0: every epoch is every photo once', () => {
  fc.assert(
    fc.property(lists, fc.nat(), fc.nat(1000), (classes, seed, epoch) => {
      const order = createSampler(classes, { balance: 0, seed }).order(epoch);
      expect([...order].sort((one, other) => one - other)).toEqual(classes.map((_, i) => i));
    }),
  );
});

test('no photo comes again before all of its class have come, across epochs too', () => {
  fc.assert(
    fc.property(lists, fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(), (classes, balance, seed) => {
      const sampler = createSampler(classes, { balance, seed });
      const times = new Map(classes.map((_, photo) => [photo, 0]));
      for (let epoch = 0; epoch < 4; epoch++) {
        for (const photo of sampler.order(epoch)) times.set(photo, (times.get(photo) ?? 0) + 1);
        for (const classIndex of new Set(classes)) {
          const each = [...times]
            .filter(([photo]) => classes[photo] === classIndex)
            .map(([, count]) => count);
          expect(Math.max(...each) - Math.min(...each)).toBeLessThanOrEqual(1);
        }
      }
    }),
  );
});

describe('orders', () => {
  const classes = Array.from({ length: 200 }, (_, i) => i % 5);
  const sampler = createSampler(classes, { balance: 0.5, seed: 3 });

  test('are the same for the same seed and epoch, others for others', () => {
    expect(createSampler(classes, { balance: 0.5, seed: 3 }).order(7)).toEqual(sampler.order(7));
    expect(sampler.order(8)).not.toEqual(sampler.order(7));
    expect(createSampler(classes, { balance: 0.5, seed: 4 }).order(7)).not.toEqual(sampler.order(7));
  });

  test('mix the classes', () => {
    // The longest run of a class among 200 fair draws of five exceeds 9 about once in a million.
    let [run, longest, last] = [0, 0, -1];
    for (const photo of sampler.order(0)) {
      run = classes[photo] === last ? run + 1 : 1;
      last = classes[photo] ?? -1;
      longest = Math.max(longest, run);
    }
    expect(longest).toBeLessThanOrEqual(9);
  });
});
