// What a network does with batches and pieces, and that it lets go of what it no longer needs.

import { expect, test } from 'vitest';
import { hashedBatch } from './hashed.ts';
import { smallNetwork, tensorsOf, train } from './small-network.ts';
import { describeComputing } from './tensorflow.ts';

describeComputing('pieces', (tf) => {
  test('four pieces have the gradients of one batch, where no batch statistics are', async () => {
    const network = await smallNetwork(tf, { batchNorm: false, dropout: 0, network: 'A-LRN' });
    const { pixels, classes } = hashedBatch(network.spec, 0, 8);
    const whole = network.accumulate({ pixels, classes });
    const names = network.variables.names().filter((name) => !name.startsWith('momentum/'));
    const wanted = names.map((name) => network.gradient(name));
    network.discard();
    let [loss, correct] = [0, 0];
    for (let piece = 0; piece < 4; piece++) {
      const part = network.accumulate({
        pixels: pixels.subarray((piece * pixels.length) / 4, ((piece + 1) * pixels.length) / 4),
        classes: classes.subarray(2 * piece, 2 * piece + 2),
      });
      loss += part.loss / 4;
      correct += part.correct;
    }
    expect(Math.abs(loss / whole.loss - 1)).toBeLessThan(1e-5);
    expect(correct).toBe(whole.correct);
    for (const [i, name] of names.entries()) {
      const [sum, full] = [network.gradient(name), wanted[i] ?? new Float32Array()];
      const size = Math.max(...full.map(Math.abs));
      expect(size, name).toBeGreaterThan(0);
      expect(
        Math.max(...sum.map((value, at) => Math.abs(value - (full[at] ?? NaN)))) / size,
        name,
      ).toBeLessThan(1e-4);
    }
    network.dispose();
  });

  test('an update needs a whole batch', async () => {
    const network = await smallNetwork(tf);
    network.accumulate(hashedBatch(network.spec, 0, 2));
    expect(() => {
      network.apply(0.1);
    }).toThrow('Expected 8 accumulated images but received 2 (batch)');
    network.dispose();
  });

  test('what is no piece is refused', async () => {
    const network = await smallNetwork(tf);
    const { pixels, classes } = hashedBatch(network.spec, 0, 2);
    expect(() => network.accumulate({ pixels: pixels.subarray(1), classes })).toThrow('images of 64×64×3');
    expect(() => network.accumulate({ pixels, classes: classes.subarray(1) })).toThrow('Expected 2 classes');
    expect(() => network.accumulate({ pixels, classes: Int32Array.of(0, 5) })).toThrow(
      'Expected classes from 0 to 4 but received 5 (classes)',
    );
    expect(() => network.evaluate(new Float32Array())).toThrow('pixels');
    network.dispose();
  });
});

describeComputing('learning', (tf) => {
  test('a batch that is seen again and again is learnt', async () => {
    const network = await smallNetwork(tf, { dropout: 0, batch: 8 });
    const batch = hashedBatch(network.spec, 0, 8);
    const losses: number[] = [];
    let correct = 0;
    for (let update = 0; update < 60; update++) {
      const result = network.accumulate(batch);
      losses.push(result.loss);
      correct = result.correct;
      network.apply(0.02);
    }
    expect(losses.at(-1)).toBeLessThan((losses[0] ?? 0) / 4);
    expect(correct).toBe(8);
    network.dispose();
  });

  test.each([true, false])('no tensor is left behind (batch normalisation %s)', async (batchNorm) => {
    const before = tf.memory().numTensors;
    const network = await smallNetwork(tf, { batchNorm, network: 'A-LRN', batch: 2 });
    const step = () => {
      train(network, 1, 2, 1);
      network.evaluate(hashedBatch(network.spec, 0, 2).pixels);
    };
    step();
    const { numTensors } = tf.memory();
    for (let i = 0; i < 50; i++) step();
    expect(tf.memory().numTensors).toBe(numTensors);
    network.accumulate(hashedBatch(network.spec, 0, 2));
    network.keepBest();
    network.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  test('a loss that is no number is reported', async () => {
    const network = await smallNetwork(tf, { batchNorm: false });
    const bias = network.variables.read('fc8.bias');
    network.variables.write('fc8.bias', bias.fill(Infinity));
    expect(network.accumulate(hashedBatch(network.spec, 0, 2)).loss).toBeNaN();
    network.dispose();
  });
});

describeComputing('dropout', (tf) => {
  test('drops its share of outputs, and makes up for them', async () => {
    const network = await smallNetwork(tf, { hidden: 4000, dropout: 0.3, batchNorm: false });
    const { variables, spec } = network;
    const gradientOfFc8 = () => {
      variables.write('fc7.weight', new Float32Array(spec.hidden ** 2));
      variables.write('fc7.bias', new Float32Array(spec.hidden).fill(1));
      variables.write('fc8.weight', new Float32Array(spec.hidden * spec.classes));
      network.accumulate(hashedBatch(spec, 0, 1));
      const gradient = network.gradient('fc8.weight');
      const bias = network.gradient('fc8.bias')[0] ?? NaN;
      network.discard();
      // The gradient of fc8 is fc7's output times that of the scores.
      return Float32Array.from({ length: spec.hidden }, (_, i) => (gradient[i * spec.classes] ?? NaN) / bias);
    };
    const outputs = gradientOfFc8();
    const kept = outputs.filter((value) => value !== 0);
    for (const value of kept) expect(value).toBeCloseTo(1 / 0.7, 4);
    // Five standard errors of a binomial share.
    expect(Math.abs(kept.length / spec.hidden - 0.7)).toBeLessThan(5 * Math.sqrt((0.7 * 0.3) / spec.hidden));
    expect(gradientOfFc8(), 'the same update and piece').toEqual(outputs);
    network.progress = { ...network.progress, updates: 1 };
    expect(gradientOfFc8(), 'another update').not.toEqual(outputs);
    network.dispose();
  });
});

describeComputing('determinism', (tf) => {
  test('the same seed and batches give the same bits', async () => {
    const runs = await Promise.all(
      [0, 1].map(async () => {
        const network = await smallNetwork(tf, { network: 'C' });
        const losses = train(network, 10);
        const tensors = tensorsOf(network);
        network.dispose();
        return { losses, tensors };
      }),
    );
    expect(runs[0]).toEqual(runs[1]);
    const other = await smallNetwork(tf, { network: 'C', seed: 2 });
    expect(train(other, 1)).not.toEqual(runs[0]?.losses.slice(0, 4));
    other.dispose();
  });
});
