// What other libraries read of a model and of crops: the golden networks' graph, run by one of them on the golden
// photo's crops, gives the golden answers.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { expect, test } from 'vitest';
import { writeTask, type Crop } from '../../bench/crops/peers.ts';
import { CROPS, NETWORK_FILES, POSTERIORS } from '../../bench/peers/network-files.ts';
import { readTensors } from '../../models/store.ts';
import { goldenNetwork, goldenPlane, viewOf } from '../inference/engine-conformance/fixtures.ts';

test.each(['A', 'A-LRN', 'D'])('%s', async (network) => {
  const { model, golden } = await goldenNetwork(network);
  const side = golden.input;
  const plane = await goldenPlane();
  // The grid's first and last crops, mirrored and not.
  const expected = [...golden.crops.slice(0, 3), ...golden.crops.slice(-3)];
  const crops = expected.map(({ x, y, mirrored }): Crop => {
    const view = viewOf(plane, { x, y, mirrored, width: side, height: side });
    return { work: { protocol: 'MULTI_CROP', plane, views: [view] }, view };
  });
  expect(new Set(expected.map(({ mirrored }) => mirrored)).size).toBe(2);
  const folder = mkdtempSync(join(tmpdir(), 'vgg-serve-peers-'));
  try {
    writeTask({ folder, model, crops, posteriors: [], threads: 1, device: 'cpu' });
    const tensors = await readTensors(join(folder, NETWORK_FILES.weights));
    expect(tensors.map(({ name, dtype }) => [name, dtype])).toEqual(
      model.tensors.map(({ name }) => [name, 'F32']),
    );
    const session = await InferenceSession.create(join(folder, NETWORK_FILES.graph));
    const pixels = channelsFirst(readFileSync(join(folder, 'crops.f32')), side);
    const fed = new Tensor('float32', pixels, [crops.length, 3, side, side]);
    const { [POSTERIORS]: output } = await session.run({ [CROPS]: fed });
    const posteriors = output?.data as Float32Array;
    for (const [i, { posterior }] of expected.entries())
      for (const [index, probability] of posterior.entries())
        expect(posteriors[i * golden.classes + index]).toBeCloseTo(probability, 5);
    await session.release();
  } finally {
    rmSync(folder, { recursive: true });
  }
});

// [n, side, side, 3] bytes of float32 → [n, 3, side, side]
function channelsFirst(bytes: Buffer, side: number): Float32Array {
  const values = new Float32Array(Uint8Array.from(bytes).buffer);
  const area = side * side;
  return values.map((_, at) => {
    const crop = Math.floor(at / (3 * area));
    const channel = Math.floor(at / area) % 3;
    return values[crop * 3 * area + (at % area) * 3 + channel] ?? NaN;
  });
}
