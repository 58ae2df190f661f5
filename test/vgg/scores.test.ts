// Scores against golden score maps of another library, and the arithmetic of the average.

import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../proto/package-root.ts';
import { PosteriorMean, meanOfModels, posteriorOfScoreMap, softmax, topK } from '../../vgg/index.ts';

interface Expected {
  dense_unmirrored: number[];
  dense_score_map_unmirrored: { shape_chw: [number, number, number]; values: number[] };
}

test.each(['A', 'A-LRN', 'D'])('the posterior of %s follows from its score map', (network) => {
  const file = join(packageRoot, 'test/golden/networks', network, 'expected.json');
  const golden = JSON.parse(readFileSync(file, 'utf8')) as Expected;
  const { shape_chw: shape, values: chw } = golden.dense_score_map_unmirrored;
  const [classes, height, width] = shape;
  const values = new Float32Array(chw.length);
  for (let c = 0; c < classes; c++)
    for (let p = 0; p < height * width; p++) values[p * classes + c] = chw[c * height * width + p] ?? NaN;
  const posterior = posteriorOfScoreMap({ height, width, classes, values });
  for (const [i, value] of golden.dense_unmirrored.entries()) expect(posterior[i]).toBeCloseTo(value, 6);
});

test('softmax at each location, then mean, is another answer', () => {
  const values = new Float32Array([0, 4, 0, 0]);
  const map = { height: 1, width: 2, classes: 2, values };
  expect(posteriorOfScoreMap(map, 'SOFTMAX_THEN_MEAN')[0]).toBeCloseTo((1 / (1 + Math.exp(4)) + 0.5) / 2, 12);
  expect(posteriorOfScoreMap(map)[0]).toBeCloseTo(1 / (1 + Math.exp(2)), 12);
});

test('softmax neither overflows nor underflows to nothing', () => {
  expect([...softmax([1000, 1000])]).toEqual([0.5, 0.5]);
  expect([...softmax([-1000, -1000])]).toEqual([0.5, 0.5]);
});

test('the average does not depend on the order of arrival, to the last bit', () => {
  const posterior = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 3, maxLength: 3 });
  fc.assert(
    fc.property(
      fc.array(posterior, { minLength: 1, maxLength: 20 }),
      fc.infiniteStream(fc.nat()),
      (all, order) => {
        const inOrder = new PosteriorMean(3);
        const shuffled = new PosteriorMean(3);
        for (const [i, each] of all.entries()) inOrder.add(i, each, 1 / all.length);
        const indices = all
          .map((_, i) => ({ i, key: order.next().value as number }))
          .sort((a, b) => a.key - b.key);
        for (const { i } of indices) shuffled.add(i, all[i] ?? [], 1 / all.length);
        expect([...shuffled.mean()]).toEqual([...inOrder.mean()]);
      },
    ),
  );
});

test('a view counts once, however often it arrives', () => {
  const mean = new PosteriorMean(2);
  expect(mean.add(0, [1, 0], 0.5)).toBe(true);
  expect(mean.add(0, [0, 1], 0.5)).toBe(false);
  expect(mean.count).toBe(1);
  expect([...mean.mean()]).toEqual([1, 0]);
});

test('the mean so far has the weights of what is there', () => {
  const mean = new PosteriorMean(2);
  mean.add(3, [1, 0], 0.1);
  mean.add(1, [0, 1], 0.3);
  const [first, second] = mean.mean();
  expect(first).toBeCloseTo(0.25, 12);
  expect(second).toBeCloseTo(0.75, 12);
});

test('posteriors of another length are refused', () => {
  expect(() => new PosteriorMean(3).add(7, [1, 0], 1)).toThrow(
    'Expected posteriors of 3 classes but received 2 (posterior[7])',
  );
  expect(() => new PosteriorMean(3).mean()).toThrow('Expected at least one posterior');
});

test('models are averaged with equal weight', () => {
  expect([...meanOfModels([new Float32Array([1, 0]), [0.5, 0.5]])]).toEqual([0.75, 0.25]);
});

test('top-k: most probable first, equal ones by index, no more than there are', () => {
  expect(topK([0.2, 0.5, 0.2, 0.1], 3, ['a', 'b', 'c'])).toEqual([
    { label: 'b', classIndex: 1, score: 0.5 },
    { label: 'a', classIndex: 0, score: 0.2 },
    { label: 'c', classIndex: 2, score: 0.2 },
  ]);
  expect(topK([1], 5)).toEqual([{ label: '0', classIndex: 0, score: 1 }]);
});
