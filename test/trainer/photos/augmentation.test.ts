// What is drawn for a crop: in range, evenly, and again the same.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { centreCrop, drawCrop, type Crop } from '../../../services/trainer/photos/augmentation.ts';
import type { Triple } from '../../../services/trainer/photos/eigen.ts';
import { smallRecipe } from './folders.ts';

const AXES: Triple[] = [
  [60, 50, 40],
  [10, 0, -10],
  [2, -4, 2],
];
const photo = { width: 90, height: 60 };

function draws(count: number, options: Parameters<typeof smallRecipe>[0] = {}): Crop[] {
  return Array.from({ length: count }, (_, place) => drawCrop(smallRecipe(options), AXES, photo, 5, place));
}

test('the plane’s smallest side is a scale, the crop lies on the plane', () => {
  const side = fc.integer({ min: 1, max: 4000 });
  fc.assert(
    fc.property(side, side, fc.nat(), fc.nat(), (width, height, epoch, place) => {
      const { plane, x, y } = drawCrop(smallRecipe(), AXES, { width, height }, epoch, place);
      const scale = Math.min(plane.width, plane.height);
      expect(scale).toBeGreaterThanOrEqual(36);
      expect(scale).toBeLessThanOrEqual(48);
      expect(x).toBeGreaterThanOrEqual(0);
      expect(y).toBeGreaterThanOrEqual(0);
      expect(x + 32).toBeLessThanOrEqual(plane.width);
      expect(y + 32).toBeLessThanOrEqual(plane.height);
    }),
  );
});

test('a draw is a function of seed, epoch and place', () => {
  const draw = (seed: number, epoch: number, place: number) =>
    drawCrop(smallRecipe({ seed }), AXES, photo, epoch, place);
  expect(draw(1, 2, 3)).toEqual(draw(1, 2, 3));
  for (const other of [draw(2, 2, 3), draw(1, 3, 3), draw(1, 2, 4)]) expect(other).not.toEqual(draw(1, 2, 3));
});

test('scales, ends included, are equally frequent, and so are places at one scale', () => {
  const all = draws(13_000);
  const scales = new Map<number, number>();
  for (const { plane } of all) scales.set(plane.height, (scales.get(plane.height) ?? 0) + 1);
  expect(scales.size).toBe(13);
  for (const count of scales.values()) expect(Math.abs(count - 1000)).toBeLessThan(160);
  const fixed = draws(8500, { scales: [36, 36] }).map(({ y }) => y);
  const rows = [0, 1, 2, 3, 4].map((row) => fixed.filter((y) => y === row).length);
  expect(rows.reduce((sum, each) => sum + each)).toBe(8500);
  for (const count of rows) expect(Math.abs(count - 1700)).toBeLessThan(190);
});

describe('mirrors', () => {
  test.each([0, 0.5, 1])('a share of %d', (mirror) => {
    const share = draws(4000, { mirror }).filter(({ mirrored }) => mirrored).length / 4000;
    expect(Math.abs(share - mirror)).toBeLessThanOrEqual(mirror === 0.5 ? 0.04 : 0);
  });
});

describe('colour shift', () => {
  test('has the axes’ covariance, times the deviation squared, and no mean', () => {
    const shifts = draws(40_000).map(({ shift }) => shift);
    for (const i of [0, 1, 2] as const) {
      const mean = shifts.reduce((sum, each) => sum + each[i], 0) / shifts.length;
      expect(Math.abs(mean)).toBeLessThan(0.15);
      for (const j of [0, 1, 2] as const) {
        const covariance = shifts.reduce((sum, each) => sum + each[i] * each[j], 0) / shifts.length;
        const wanted = 0.01 * AXES.reduce((sum, axis) => sum + axis[i] * axis[j], 0);
        expect(Math.abs(covariance - wanted)).toBeLessThan(1.2);
      }
    }
  });

  test('a deviation of 0 shifts nothing', () => {
    for (const { shift } of draws(10, { colourShift: 0 })) expect(shift.map(Math.abs)).toEqual([0, 0, 0]);
  });
});

test('held-out photos give their centre at the middle scale, unchanged', () => {
  expect(centreCrop(smallRecipe({ scales: [36, 47] }), { width: 84, height: 42 })).toEqual({
    plane: { width: 84, height: 42 },
    x: 26,
    y: 5,
    mirrored: false,
    shift: [0, 0, 0],
  });
});
