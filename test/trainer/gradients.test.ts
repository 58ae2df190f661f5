// Three updates of a tiny network of every row against PyTorch's in float64 (test/golden/training/make.py).

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../proto/package-root.ts';
import { TrainingNetwork } from '../../services/trainer/network/network.ts';
import type { NetworkName, NetworkSpec } from '../../vgg/index.ts';
import { hashedBatch, setHashedWeights, toCanonical } from './hashed.ts';
import { describeComputing } from './tensorflow.ts';

interface Digest {
  norm: number;
  sum: number;
  at: Record<string, number>;
}

interface Case {
  network: NetworkName;
  batchNorm: boolean;
  rate: number;
  losses: number[];
  gradients: Record<string, Digest>;
  after: Record<string, Digest>;
  scores: number[];
}

const [PIECES, IMAGES, STEPS] = [2, 3, 3];
const cases = JSON.parse(
  readFileSync(join(packageRoot, 'test/golden/training/expected.json'), 'utf8'),
) as Case[];

describeComputing('three updates, as PyTorch does them', (tf) => {
  test.each(cases)('$network, batch normalisation $batchNorm', (wanted) => {
    const spec: NetworkSpec = {
      ...{ network: wanted.network, batchNorm: wanted.batchNorm },
      ...{ width: 1 / 32, hidden: 12, classes: 5, inputSize: 64 },
    };
    const recipe = {
      ...{ batch: PIECES * IMAGES, momentum: 0.9, weightDecay: 0.01 },
      ...{ dropout: 0, labelSmoothing: 0.1, seed: 1 },
    };
    const network = new TrainingNetwork(tf, spec, recipe);
    setHashedWeights(network);
    const losses: number[] = [];
    for (let step = 0; step < STEPS; step++) {
      for (let piece = 0; piece < PIECES; piece++) {
        const batch = hashedBatch(spec, (step * PIECES + piece) * IMAGES, IMAGES);
        losses.push(network.accumulate(batch).loss);
      }
      if (step === 0) {
        for (const [name, digest] of Object.entries(wanted.gradients))
          expectDigest(toCanonical(spec, name, network.gradient(name)), digest, `gradient of ${name}`);
      }
      network.apply(wanted.rate);
    }
    expectClose(losses, wanted.losses, 'losses');
    for (const [name, digest] of Object.entries(wanted.after))
      expectDigest(toCanonical(spec, name, network.variables.read(name)), digest, name);
    expectClose(network.evaluate(hashedBatch(spec, 0, IMAGES).pixels), wanted.scores, 'scores');
    network.dispose();
  });
});

function expectDigest(values: Float32Array, { norm, sum, at }: Digest, what: string): void {
  const places = Object.keys(at).map(Number);
  const scale = norm / Math.sqrt(values.length);
  const came = places.map((place) => values[place] ?? NaN);
  expectClose(came, Object.values(at), what, scale);
  expect(Math.abs(Math.hypot(...values) / norm - 1), `norm of ${what}`).toBeLessThan(1e-4);
  const total = values.reduce((partial, value) => partial + value, 0);
  expect(Math.abs(total - sum) / (norm * Math.sqrt(values.length)), `sum of ${what}`).toBeLessThan(1e-4);
}

// Differences relative to the largest value, or a given scale if that is larger.
function expectClose(came: ArrayLike<number>, wanted: readonly number[], what: string, scale = 0): void {
  expect(came.length, what).toBe(wanted.length);
  const size = Math.max(scale, ...wanted.map(Math.abs));
  const worst = Math.max(...wanted.map((value, i) => Math.abs((came[i] ?? NaN) - value)));
  expect(worst / size, what).toBeLessThan(1e-4);
}
