// Planes on top of each other.

import { expect, test } from 'vitest';
import { stackPlanes } from '../../services/inference/worker/stack.ts';
import { noisePlane, viewOf } from './engine-conformance/fixtures.ts';

const cutOf = (plane: ReturnType<typeof noisePlane>, y: number) => ({
  plane,
  view: viewOf(plane, { x: 3, y, width: 32, height: 32, mirrored: y === 2 }),
  ...{ softmaxFirst: false, scoreMap: false },
});

test('views move with their planes, and see the same pixels', () => {
  const planes = [noisePlane(40, 36, 1), noisePlane(40, 50, 2)] as const;
  const cuts = [cutOf(planes[0], 1), cutOf(planes[0], 2), cutOf(planes[1], 0), cutOf(planes[1], 18)];
  const { width, height, rgb8, views } = stackPlanes(cuts);
  expect([width, height]).toEqual([40, 86]);
  expect(views.map(({ y }) => y)).toEqual([1, 2, 36, 54]);
  expect(views.map(({ mirrored }) => mirrored)).toEqual([false, true, false, false]);
  for (const [i, { plane, view }] of cuts.entries()) {
    const y = views[i]?.y ?? 0;
    const rows = (pixels: Uint8Array, first: number) =>
      pixels.subarray(first * 40 * 3, (first + view.height) * 40 * 3);
    expect(rows(rgb8, y)).toEqual(new Uint8Array(rows(plane.rgb8, view.y)));
  }
});

test('one plane is itself', () => {
  const plane = noisePlane(40, 36);
  const { height, rgb8, views } = stackPlanes([cutOf(plane, 4)]);
  expect(height).toBe(36);
  expect(rgb8).toEqual(new Uint8Array(plane.rgb8));
  expect(views[0]?.y).toBe(4);
});
