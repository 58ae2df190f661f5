// When the first class is known: held against every answer that the rest might still make.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PosteriorMean, Standing, meanOfModels, topK } from '../../vgg/index.ts';

interface Scored {
  model: number;
  posterior: Float32Array;
  /** Share in its model's answer. */
  weight: number;
}

// One probability per class; often all for one class, or as much for two: where decisions are tight.
const posteriorOf = (classes: number) =>
  fc
    .oneof(
      fc.array(fc.integer({ min: 0, max: 8 }), { minLength: classes, maxLength: classes }),
      fc.nat(classes - 1).map((sure) => Array.from({ length: classes }, (_, i) => Number(i === sure))),
    )
    .map((parts) => {
      const sum = parts.reduce((a, b) => a + b, 0);
      return Float32Array.from(parts, (part) => (sum > 0 ? part / sum : 1 / classes));
    });

// Views of several models, each model's weights summing to 1, in any order.
const answers = fc
  .record({ classes: fc.integer({ min: 1, max: 5 }), models: fc.integer({ min: 1, max: 3 }) })
  .chain(({ classes, models }) =>
    fc.tuple(
      fc.constant({ classes, models }),
      ...Array.from({ length: models }, () =>
        fc.array(fc.tuple(fc.integer({ min: 1, max: 20 }), posteriorOf(classes)), {
          minLength: 1,
          maxLength: 10,
        }),
      ),
      fc.infiniteStream(fc.nat()),
    ),
  )
  .map(([{ classes, models }, ...rest]) => {
    const keys = rest.pop() as Iterator<number>;
    const views = (rest as [number, Float32Array][][]).flatMap((own, model): Scored[] => {
      const sum = own.reduce((all, [weight]) => all + weight, 0);
      return own.map(([weight, posterior]) => ({ model, posterior, weight: weight / sum }));
    });
    const order = views
      .map((view) => ({ view, key: keys.next().value as number }))
      .sort((a, b) => a.key - b.key)
      .map(({ view }) => view);
    return { classes, models, views: order };
  });

/** The whole answer, as it is computed where nothing stops early. */
function wholeAnswer(classes: number, models: number, views: readonly Scored[]): Float64Array {
  const means = Array.from({ length: models }, () => new PosteriorMean(classes));
  for (const [i, { model, posterior, weight }] of views.entries()) means[model]?.add(i, posterior, weight);
  return meanOfModels(means.map((mean) => mean.mean()));
}

// The standing after so many views, and what is left.
function after(
  count: number,
  { classes, models, views }: { classes: number; models: number; views: Scored[] },
) {
  const standing = new Standing(classes);
  const sums = new Float64Array(classes);
  for (const { posterior, weight } of views.slice(0, count)) {
    standing.add(posterior, weight / models);
    for (const [i, each] of posterior.entries()) sums[i] = (sums[i] ?? 0) + (weight / models) * each;
  }
  const [first, second] = topK(sums, 2);
  return { standing, first: first?.classIndex ?? -1, second: second?.classIndex, left: views.slice(count) };
}

const oneHot = (classes: number, at: number) =>
  Float32Array.from({ length: classes }, (_, i) => Number(i === at));

describe('for any posteriors, weights, order and models', () => {
  test('what is decided is the first class of the whole answer', () => {
    fc.assert(
      fc.property(answers, (answer) => {
        for (let count = 1; count <= answer.views.length; count++) {
          const { standing, first } = after(count, answer);
          if (!standing.decided) continue;
          const whole = wholeAnswer(answer.classes, answer.models, answer.views);
          expect(topK(whole, 1)[0]?.classIndex).toBe(first);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('what is decided is decided whatever the rest says, and nothing else is', () => {
    fc.assert(
      fc.property(answers, (answer) => {
        const { classes, models, views } = answer;
        for (let count = 1; count < views.length; count++) {
          const { standing, first, second, left } = after(count, answer);
          if (second === undefined) continue;
          // The worst that may come: all for the class that is second.
          const worst = left.map((view) => ({ ...view, posterior: oneHot(classes, second) }));
          const whole = wholeAnswer(classes, models, [...views.slice(0, count), ...worst]);
          const ahead = (whole[first] ?? NaN) - (whole[second] ?? NaN);
          if (standing.decided) expect(ahead).toBeGreaterThan(0);
          else expect(ahead).toBeLessThan(4e-5);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('with less weight than is needed nothing is decided, with more it can be', () => {
    fc.assert(
      fc.property(answers, fc.double({ min: 0.01, max: 0.99, noNaN: true }), (answer, part) => {
        for (let count = 0; count < answer.views.length; count++) {
          const { standing, first } = after(count, answer);
          const { needed } = standing;
          if (standing.decided || first < 0) continue;
          expect(needed).toBeGreaterThan(0);
          const best = oneHot(answer.classes, first);
          const less = after(count, answer).standing;
          less.add(best, needed * part);
          expect(less.decided).toBe(false);
          const enough = after(count, answer).standing;
          enough.add(best, needed * 1.01);
          expect(enough.decided).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });
});

test.each([150, 6, 2])('of %d equal views that agree, more than half decide', (count) => {
  const standing = new Standing(3);
  expect(standing.needed).toBeCloseTo(0.5, 4);
  for (let i = 1; i <= count / 2; i++) {
    standing.add([0, 1, 0], 1 / count);
    expect(standing.decided).toBe(false);
  }
  standing.add([0, 1, 0], 1 / count);
  expect(standing.decided).toBe(true);
  expect(standing.needed).toBe(0);
});

test('a tie is never decided, not even at the end', () => {
  const standing = new Standing(3);
  for (let i = 0; i < 10; i++) {
    standing.add(i % 2 === 0 ? [1, 0, 0] : [0, 0, 1], 0.1);
    expect(standing.decided).toBe(false);
  }
  expect(standing.taken).toBeCloseTo(1, 12);
});

test('a lead that another way of computing could turn is not decided', () => {
  const standing = new Standing(2);
  standing.add([0.5, 0.5], 0.5);
  standing.add([0.500005, 0.499995], 0.5);
  expect(standing.lead).toBeGreaterThan(0);
  expect(standing.decided).toBe(false);
});
