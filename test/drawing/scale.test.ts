// Logarithmic axes: whatever they hold lies between their ends, in order.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { logScale } from '../../drawing/scale.ts';

describe('a logarithmic axis', () => {
  test.each([
    [3, 80, [2, 5, 10, 20, 50, 100]],
    [1, 10, [1, 2, 5, 10]],
    [0.7, 0.8, [0.5, 1]],
    [5, 5, [5, 10]],
    [0.5, 7000, [0.1, 1, 10, 100, 1000, 10_000]],
  ])('from %d to %d has ticks %j', (least, most, ticks) => {
    expect(logScale(least, most, 0, 100).ticks).toEqual(ticks);
  });

  test('holds its values, in order, and ends in ticks', () => {
    const value = fc.double({ min: 1e-6, max: 1e9, noNaN: true });
    fc.assert(
      fc.property(value, value, (a, b) => {
        const [least, most] = [Math.min(a, b), Math.max(a, b)];
        const { at, ticks } = logScale(least, most, 300, 20);
        expect(ticks.length).toBeGreaterThan(1);
        expect(ticks).toEqual([...ticks].sort((one, other) => one - other));
        expect(at(ticks[0] ?? NaN)).toBeCloseTo(300, 6);
        expect(at(ticks.at(-1) ?? NaN)).toBeCloseTo(20, 6);
        for (const each of [least, most]) {
          expect(at(each)).toBeLessThanOrEqual(300 + 1e-6);
          expect(at(each)).toBeGreaterThanOrEqual(20 - 1e-6);
        }
        expect(at(least)).toBeGreaterThanOrEqual(at(most));
      }),
    );
  });
});
