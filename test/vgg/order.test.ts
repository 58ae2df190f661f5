// The order in which views are computed where an answer may be known early.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  PROTOCOLS,
  decidingOrder,
  evaluationViews,
  resolveEvaluation,
  type OrderedModel,
} from '../../vgg/index.ts';

const model = (options: Parameters<typeof resolveEvaluation>[0], macs = 1e9): OrderedModel => ({
  evaluation: resolveEvaluation({ scales: [112, 72, 92], ...options }, { inputSize: 64 }),
  inputSize: 64,
  macs,
});

// Runs of views of one model and one plane.
function runs(models: readonly OrderedModel[]): [model: number, plane: number, views: number][] {
  const result: [number, number, number][] = [];
  for (const { model, plane } of decidingOrder(models)) {
    const last = result.at(-1);
    if (last?.[0] === model && last[1] === plane) last[2]++;
    else result.push([model, plane, 1]);
  }
  return result;
}

test('crops of small planes come first, whatever the order of the scales, each plane in view order', () => {
  const crops = model({ protocol: 'MULTI_CROP' });
  expect(runs([crops])).toEqual([
    [0, 1, 50],
    [0, 2, 50],
    [0, 0, 50],
  ]);
  const indices = decidingOrder([crops]).map(({ index }) => index);
  expect(indices.slice(0, 50)).toEqual(Array.from({ length: 50 }, (_, i) => 50 + i));
});

test('dense views weigh much and cost little: they come before crops', () => {
  expect(runs([model({ protocol: 'DENSE_AND_MULTI_CROP', grid: 2 })])).toEqual([
    [0, 1, 2],
    [0, 2, 2],
    [0, 0, 2],
    [0, 1, 8],
    [0, 2, 8],
    [0, 0, 8],
  ]);
});

test('a small model comes before a large one; equal ones go plane by plane', () => {
  const options = { protocol: 'TEN_CROP', scales: [72, 92] } as const;
  expect(runs([model(options, 9e9), model(options, 1e9)])).toEqual([
    [1, 0, 10],
    [1, 1, 10],
    [0, 0, 10],
    [0, 1, 10],
  ]);
  expect(runs([model(options), model(options)])).toEqual([
    [0, 0, 10],
    [1, 0, 10],
    [0, 1, 10],
    [1, 1, 10],
  ]);
});

test('GoogLeNet’s resized squares stay with their scale', () => {
  const scales = runs([model({ protocol: 'GOOGLENET_144', scales: [72, 92] })]).map(([, plane]) => plane);
  expect(scales).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
});

test('it has every view once, costs for their weight rise, weights sum to 1', () => {
  const options = fc.record({
    protocol: fc.constantFrom(...PROTOCOLS),
    scales: fc.array(fc.integer({ min: 64, max: 200 }), { minLength: 1, maxLength: 4 }),
    grid: fc.integer({ min: 1, max: 6 }),
  });
  const several = fc.array(fc.tuple(options, fc.integer({ min: 1, max: 100 })), {
    minLength: 1,
    maxLength: 3,
  });
  fc.assert(
    fc.property(several, (asked) => {
      const models = asked.map(([each, macs]) => model(each, macs));
      const order = decidingOrder(models);
      const seen = new Set(order.map(({ model, index }) => `${String(model)} ${String(index)}`));
      expect(seen.size).toBe(order.length);
      expect(order.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(1, 10);
      const views = models.map(({ evaluation }) => {
        const side = Math.max(...evaluation.scales);
        return evaluationViews({ width: side, height: side }, evaluation, 64).views;
      });
      const costs = order.map(({ model, index, plane, weight }) => {
        const view = views[model]?.[index];
        expect(view?.plane).toBe(plane);
        expect((view?.weight ?? NaN) / models.length).toBeCloseTo(weight, 12);
        return ((models[model]?.macs ?? NaN) * (view?.width ?? NaN) * (view?.height ?? NaN)) / weight;
      });
      for (const [i, cost] of costs.entries()) expect(cost).toBeGreaterThan((costs[i - 1] ?? 0) * (1 - 1e-5));
    }),
  );
});
