// What is concluded from the first passes of a model.

import { describe, expect, test } from 'vitest';
import { sharedSpeed } from '../../services/inference/worker/warm-up.ts';

describe('the speed of views together', () => {
  test('is a line: what any unit takes, and its products', () => {
    // 5 ms, and 100 products a millisecond beyond.
    const { shared, sharedMs } = sharedSpeed({ work: 100, ms: 6 }, { work: 1000, ms: 15 });
    expect(shared).toBeCloseTo(100);
    expect(sharedMs).toBeCloseTo(5);
  });

  test.each([
    ['more products take less time', { work: 100, ms: 9 }, { work: 1000, ms: 8 }, 125],
    ['the line begins below zero', { work: 100, ms: 1 }, { work: 1000, ms: 20 }, 50],
  ])('is all in the products where %s', (_, few, many, speed) => {
    expect(sharedSpeed(few, many)).toEqual({ shared: speed, sharedMs: 0 });
  });
});
