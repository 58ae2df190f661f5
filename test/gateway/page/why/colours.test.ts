// The colour scale: lightness rises, ink is readable.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  colourAt,
  css,
  inkOn,
  luminance,
  placeInRange,
  rangeOf,
  wideRange,
} from '../../../../services/gateway/page/why/colours.ts';

const place = fc.double({ min: 0, max: 1, noNaN: true });

test('the ends are those of viridis', () => {
  expect([css(colourAt(0)), css(colourAt(1))]).toEqual(['rgb(68 1 84)', 'rgb(253 231 37)']);
  expect(colourAt(0.5)).toEqual([33, 145, 140]);
  expect([colourAt(-1), colourAt(2)]).toEqual([colourAt(0), colourAt(1)]);
});

test('a larger value is never darker by more than a level of rounding', () => {
  fc.assert(
    fc.property(place, place, (a, b) => {
      const [less, more] = [Math.min(a, b), Math.max(a, b)];
      expect(luminance(colourAt(more))).toBeGreaterThanOrEqual(luminance(colourAt(less)) - 0.004);
    }),
  );
});

test('ink has a contrast of at least 4.5 on every colour', () => {
  for (let i = 0; i <= 1000; i++) {
    const colour = colourAt(i / 1000);
    const [light, dark] = inkOn(colour) === '#fff' ? [1, luminance(colour)] : [luminance(colour), 0];
    expect((light + 0.05) / (dark + 0.05)).toBeGreaterThanOrEqual(4.5);
  }
});

test('ranges', () => {
  expect(rangeOf([NaN, 3, -1])).toEqual({ least: -1, most: 3 });
  expect(rangeOf([NaN])).toEqual({ least: 0, most: 1 });
  expect(wideRange({ least: 0.2, most: 0.21 }, 0.05)).toEqual({ least: 0.2, most: 0.25 });
  expect([-2, -1, 1, 3, 4].map((value) => placeInRange(value, { least: -1, most: 3 }))).toEqual([
    0, 0, 0.5, 1, 1,
  ]);
  expect(placeInRange(7, { least: 7, most: 7 })).toBe(0.5);
});
