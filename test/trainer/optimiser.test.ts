import { expect, test } from 'vitest';
import { sgdUpdate, type Learning } from '../../services/trainer/network/optimiser.ts';
import { describeComputing } from './tensorflow.ts';

describeComputing('an update', (tf) => {
  const numbers = (values: number[]) => tf.tensor1d(values, 'float32');

  test('v ← μ v + ∇ + λ w, w ← w − rate · v', () => {
    const before = { value: numbers([2, -4]), momentum: numbers([1, 0.5]) };
    const recipe = { momentum: 0.5, weightDecay: 0.25 };
    const after = sgdUpdate(tf, before, numbers([3, 1]), true, 0.125, recipe);
    expect([...after.momentum.dataSync()]).toEqual([4, 0.25]);
    expect([...after.value.dataSync()]).toEqual([1.5, -4.03125]);
  });

  test('without the penalty for what does not decay', () => {
    const before = { value: numbers([2, -4]), momentum: numbers([1, 0.5]) };
    const recipe = { momentum: 0.5, weightDecay: 0.25 };
    const after = sgdUpdate(tf, before, numbers([3, 1]), false, 0.125, recipe);
    expect([...after.momentum.dataSync()]).toEqual([3.5, 1.25]);
    expect([...after.value.dataSync()]).toEqual([1.5625, -4.15625]);
  });

  test('the paper’s form gives the same weights while the rate stays', () => {
    const recipe = { momentum: 0.9, weightDecay: 5e-4 };
    const rate = 0.01;
    let learning: Learning = { value: numbers([1]), momentum: numbers([0]) };
    let [weight, velocity] = [1, 0];
    for (let step = 0; step < 20; step++) {
      const gradient = Math.sin(step);
      learning = sgdUpdate(tf, learning, numbers([gradient]), true, rate, recipe);
      velocity = 0.9 * velocity - rate * (5e-4 * weight + gradient);
      weight += velocity;
    }
    expect([...learning.value.dataSync()][0]).toBeCloseTo(weight, 6);
  });
});
