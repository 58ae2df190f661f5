// Plans carried out on tiny networks, position by position and layer by layer, against every view computed by itself.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NETWORK_NAMES, type ConvLayer, type NetworkSpec } from '../../../vgg/networks.ts';
import {
  plannedSteps,
  sharedPlan,
  viewPositions,
  type SharedPlanOptions,
  type SharedStep,
  type ViewPositions,
} from '../../../vgg/sharing/plan.ts';
import { PROTOCOLS, type Size, type View } from '../../../vgg/views.ts';
import { planeMatrix, rowOf, stepResult, tinyNetwork, viewAlone, type Matrix } from './tiny-networks.ts';
import { anyViews, protocolViews } from './view-lists.ts';

// The first layer as one product, the others in tiles; strips so small that there are many.
const OPTIONS: SharedPlanOptions = {
  tileOutputs: ({ name, kernel }: ConvLayer) => (name === 'conv1_1' ? 0 : kernel === 3 ? 4 : 2),
  stripSize: () => 7,
};

// Every choice of tiles: one for filters of 3 × 3, one for those of 5 × 5, one for the first layer.
const anyOptions = fc
  .record({
    three: fc.constantFrom(0, 2, 4, 6),
    five: fc.constantFrom(0, 2, 4),
    first: fc.constantFrom(0, 2, 4),
    strip: fc.integer({ min: 2, max: 60 }),
  })
  .map(({ three, five, first, strip }): SharedPlanOptions => ({
    tileOutputs: ({ name, kernel }) => (name === 'conv1_1' ? first : kernel === 3 ? three : five),
    stripSize: () => strip,
  }));

/** The name of the layer after which a step leaves its state. */
function lastLayer(step: SharedStep): string {
  return step.kind === 'tiles' && step.pooled ? `pool${step.layer.name.charAt(4)}` : step.layer.name;
}

/**
 * Carries a plan out. After each step whatever no view has becomes NaN, so that whoever reads it shows; and every
 * view's activations are those that it has by itself, to the bit.
 */
function expectSame(spec: NetworkSpec, plane: Size, views: readonly View[], options: SharedPlanOptions) {
  const alone = views.map((view) => new Map(viewAlone(spec, view)));
  let matrix = planeMatrix(plane);
  let needed = new Set(views.flatMap((view) => [...pixelsOf(view).map(([x, y]) => 1 + y * plane.width + x)]));
  poison(matrix, needed);
  let last: ViewPositions[] = [];
  for (const { step, state } of plannedSteps(spec, plane, views, options)) {
    if (step.kind !== 'pointwise')
      expect(step.strips.reads.every((position) => position === 0 || needed.has(position))).toBe(true);
    matrix = stepResult(step, matrix);
    last = views.map((_, view) => viewPositions(state, view));
    needed = new Set(last.flatMap(({ positions }) => [...positions]));
    expect(needed.has(0)).toBe(false);
    poison(matrix, needed);
    for (const [index, { height, width, positions }] of last.entries()) {
      const own = alone[index]?.get(lastLayer(step));
      if (!own) throw new Error(`no layer ${lastLayer(step)}`);
      expect([height, width]).toEqual([own.height, own.width]);
      const where = `view ${String(index)} after ${lastLayer(step)}`;
      expect(firstDifference(matrix, positions, own), where).toBeUndefined();
    }
  }
  expect(sharedPlan(spec, plane, views, options).views).toEqual(last);
}

function pixelsOf({ x, y, width, height }: View): [number, number][] {
  return Array.from({ length: width * height }, (_, i) => [x + (i % width), y + Math.floor(i / width)]);
}

// The first place of a view whose activation differs.
function firstDifference(matrix: Matrix, positions: Int32Array, own: Matrix): object | undefined {
  for (const [place, position] of positions.entries()) {
    const [came, wanted] = [rowOf(matrix, position), rowOf(own, 1 + place)];
    if (!came.every((value, channel) => value === wanted[channel])) return { place, came, wanted };
  }
  return undefined;
}

function poison(matrix: Matrix, needed: ReadonlySet<number>): void {
  for (let position = 1; position < matrix.values.length / matrix.channels; position++)
    if (!needed.has(position)) rowOf(matrix, position).fill(NaN);
}

describe('every activation of every view is what it is alone, and no list reads what is nobody’s', () => {
  test.each(NETWORK_NAMES)('network %s', (network) => {
    const plane = { width: 43, height: 38 };
    const views = protocolViews(plane, 32, { protocol: 'DENSE_AND_MULTI_CROP', grid: 3, align: 1 });
    expectSame(tinyNetwork(network), plane, views, OPTIONS);
  });

  test.each(PROTOCOLS)('protocol %s', (protocol) => {
    const plane = { width: 37, height: 44 };
    expectSame(tinyNetwork('A'), plane, protocolViews(plane, 32, { protocol, grid: 2, align: 4 }), OPTIONS);
  });

  test('any network, any views of any plane, any tiles', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...NETWORK_NAMES),
        anyViews(32, 64),
        anyOptions,
        (network, { plane, views }, options) => {
          expectSame(tinyNetwork(network), plane, views, options);
        },
      ),
      { numRuns: 30 },
    );
  });
});
