// The learning rate's way: tenfold falls on a plateau, as in Section 3.1, or a cosine.

import { describe, expect, test } from 'vitest';
import { paperRecipe } from '../../services/trainer/recipe.ts';
import {
  FIRST_STATE,
  judgeEpoch,
  learningRate,
  type ScheduleState,
} from '../../services/trainer/schedule.ts';

const recipe = { ...paperRecipe('A'), patience: 2, drops: 3, epochs: 100 };

function run(errors: readonly number[], used = recipe) {
  let state: ScheduleState = FIRST_STATE;
  const rates: number[] = [];
  for (const [i, error] of errors.entries()) {
    rates.push(learningRate(used, state, i));
    const verdict = judgeEpoch(used, state, error, i + 1);
    state = verdict.state;
    if (verdict.done) break;
  }
  return { rates, state };
}

describe('plateau', () => {
  test('three drops, then the end', () => {
    const { rates, state } = run([0.9, 0.8, 0.8, 0.81, 0.7, 0.7, 0.7, 0.6, 0.6, 0.6, 0.6, 0.6, 0.1]);
    const tenths = rates.map((rate) => Math.round(Math.log10(rate / 1e-2)));
    // Two epochs without less error: a fall. The third fall's plateau ends the run: 0.1 is never reached.
    expect(tenths).toEqual([0, 0, 0, 0, -1, -1, -1, -2, -2, -2, -3, -3].map((each) => each + 0));
    expect(state).toMatchObject({ leastError: 0.6, drops: 3 });
  });

  test('a run that keeps improving ends with its epochs', () => {
    const { rates } = run(
      Array.from({ length: 200 }, (_, i) => 1 / (i + 1)),
      { ...recipe, epochs: 7 },
    );
    expect(rates).toEqual(Array.from({ length: 7 }, () => 1e-2));
  });
});

test('cosine falls from the base to zero, after a rise', () => {
  const cosine = { ...recipe, schedule: 'cosine' as const, epochs: 10, warmUp: 2, learningRate: 0.5 };
  const at = (progress: number) => learningRate(cosine, FIRST_STATE, progress);
  expect(at(0)).toBe(0);
  expect(at(1)).toBeCloseTo((0.25 * (1 + Math.cos(Math.PI / 10))) / 2, 12);
  expect(at(5)).toBeCloseTo(0.25, 12);
  expect(at(10)).toBeCloseTo(0, 12);
});

test('the best epoch is the first of the least error', () => {
  const first = judgeEpoch(recipe, FIRST_STATE, 0.5, 1);
  expect(first.best).toBe(true);
  expect(judgeEpoch(recipe, first.state, 0.5, 2).best).toBe(false);
  expect(judgeEpoch(recipe, first.state, 0.4, 2).best).toBe(true);
});
