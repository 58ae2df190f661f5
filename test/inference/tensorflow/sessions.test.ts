// What the TensorFlow engine's worker holds: nothing that grows, and half precision. Runs on this thread.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { randomModel } from '../../../bench/random-model.ts';
import { openModel, type OpenModel } from '../../../models/store.ts';
import {
  loadTensorFlow,
  tensorFlowBinding,
  type TensorFlow,
  type TensorFlowBinding,
} from '../../../services/host/tensorflow/library.ts';
import { Operations } from '../../../services/inference/tensorflow/operations.ts';
import { TensorFlowSessions } from '../../../services/inference/tensorflow/sessions.ts';
import type { Cut, ModelSource } from '../../../services/inference/worker/messages.ts';
import { tensorFlowMissing } from '../../tensorflow-library.ts';
import {
  goldenNetwork,
  goldenPlane,
  largestDifference,
  noisePlane,
  viewOf,
} from '../engine-conformance/fixtures.ts';
import { copyModel, overwrite } from '../engine-conformance/weights-files.ts';

const KIND = { kind: 'score', key: 0, shared: false } as const;

// The library as it would be on a GPU.
function onGpu(binding: TensorFlowBinding): TensorFlowBinding {
  return changed(binding, { isUsingGpuDevice: () => true });
}

// The library of which one operation fails.
function failingAt(binding: TensorFlowBinding, failing: { name: string }): TensorFlowBinding {
  return changed(binding, {
    executeOp: (name, ...rest) => {
      if (name === failing.name) throw new Error(`${name} fails`);
      return binding.executeOp(name, ...rest);
    },
  });
}

function changed(binding: TensorFlowBinding, part: Partial<TensorFlowBinding>): TensorFlowBinding {
  // Its own properties are read-only.
  return Object.create(binding, Object.getOwnPropertyDescriptors(part)) as TensorFlowBinding;
}

function sourceOf({ name, spec, json, weightsPath, tensors }: OpenModel, key = 0): ModelSource {
  return { key, name, spec, mean: json.mean, weightsPath, tensors };
}

describe.skipIf(tensorFlowMissing !== undefined)('sessions', () => {
  let library: TensorFlow;
  let binding: TensorFlowBinding;
  let folder: string;
  let model: OpenModel;

  beforeAll(async () => {
    library = await loadTensorFlow();
    binding = tensorFlowBinding(library);
    folder = await mkdtemp(join(tmpdir(), 'vgg-sessions-'));
    const spec = { network: 'A-LRN', width: 1 / 32, hidden: 8, classes: 5, inputSize: 32 } as const;
    model = await openModel(await randomModel(spec, folder));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const held = () => [binding.getNumOfTensors(), library.memory().numTensors];

  test('a thousand batches leave no tensor behind, and unloading none at all', async () => {
    const before = held();
    const sessions = new TensorFlowSessions(binding, 'float32');
    await sessions.load(sourceOf(model));
    const loaded = held();
    expect(loaded[0]).toBeGreaterThan(before[0] ?? 0);
    const plane = noisePlane(64, 48);
    for (let i = 0; i < 1000; i++) {
      const [height, width] = i % 3 === 0 ? [48, 64] : [32, 32];
      const view = viewOf(plane, { height, width });
      const cut: Cut = { plane, view, softmaxFirst: i % 2 === 0, scoreMap: i % 5 === 0 };
      await sessions.score({ ...KIND, shared: i % 4 > 1, cuts: [cut, cut] });
      if (i % 100 === 0) expect(held()).toEqual(loaded);
    }
    expect(held()).toEqual(loaded);
    await sessions.unload(0);
    expect(held()).toEqual(before);
  });

  test('the weights of the shared form are there while the model is', async () => {
    const before = held();
    const sessions = new TensorFlowSessions(onGpu(binding), 'float32');
    // On a GPU nothing is measured, and nothing is made that is not asked for.
    expect(await sessions.load(sourceOf(model))).toBeUndefined();
    const loaded = held();
    const plane = noisePlane(48, 40);
    const cuts = [0, 8].map((x) => {
      const view = viewOf(plane, { x, width: 32, height: 32 });
      return { plane, view, softmaxFirst: false, scoreMap: false };
    });
    const [alone] = await sessions.score({ ...KIND, cuts });
    expect(held()).toEqual(loaded);
    const [together] = await sessions.score({ ...KIND, shared: true, cuts });
    expect(held()[0]).toBeGreaterThan(loaded[0] ?? 0);
    expect(largestDifference(alone?.posterior ?? [], together?.posterior ?? [])).toBeLessThan(1e-5);
    await sessions.unload(0);
    expect(held()).toEqual(before);
  });

  test.each(['Gather', 'BatchMatMulV2', 'MaxPool', 'LRN', 'ConcatV2', 'MatMul'])(
    'views together of which %s fails leave no tensor behind, and the next ones are answered',
    async (name) => {
      const before = held();
      const failing = { name: '' };
      const sessions = new TensorFlowSessions(failingAt(binding, failing), 'float32');
      await sessions.load(sourceOf(model));
      const loaded = held();
      const plane = noisePlane(48, 40);
      const cuts = [{ plane, view: viewOf(plane), softmaxFirst: false, scoreMap: false }];
      const job = { ...KIND, shared: true, cuts };
      failing.name = name;
      await expect(sessions.score(job)).rejects.toMatchObject({ code: 'INTERNAL' });
      expect(held()).toEqual(loaded);
      failing.name = '';
      expect(await sessions.score(job)).toHaveLength(1);
      await sessions.close();
      expect(held()).toEqual(before);
    },
  );

  test('neither does a model that cannot be loaded, nor an operation that fails', async () => {
    const before = held();
    const sessions = new TensorFlowSessions(binding, 'float32');
    const broken = await copyModel(model, join(folder, 'broken'));
    await overwrite(broken, 'fc8.bias', 2, NaN);
    await expect(sessions.load(sourceOf(broken))).rejects.toThrow(/^Expected finite weights but fc8\.bias/);
    expect(held()).toEqual(before);
    const operations = new Operations(binding);
    const failing = () =>
      operations.scope(() => {
        const x = operations.floats([2, 3], new Float32Array(6));
        return [operations.multiply(operations.relu(x, 'float32'), x, 'float32')];
      });
    expect(failing).toThrow(/Matrix size-incompatible/);
    expect(held()).toEqual(before);
  });

  // The engine refuses float16 on a CPU, where it only costs time; its numbers are the same there.
  test.each(['A-LRN', 'D'])('%s in float16 answers as in float32, to its precision', async (network) => {
    const golden = await goldenNetwork(network);
    const plane = await goldenPlane();
    const cuts: Cut[] = [{ plane, view: viewOf(plane), softmaxFirst: false, scoreMap: true }];
    const before = held();
    const [whole, half] = await Promise.all(
      (['float32', 'float16'] as const).map(async (type) => {
        const sessions = new TensorFlowSessions(binding, type);
        await sessions.load(sourceOf(golden.model));
        const [alone] = await sessions.score({ ...KIND, cuts });
        const [shared] = await sessions.score({ ...KIND, shared: true, cuts });
        await sessions.close();
        return { alone, shared };
      }),
    );
    for (const form of ['alone', 'shared'] as const) {
      const difference = largestDifference(
        whole?.alone?.posterior ?? [],
        half?.[form]?.posterior ?? [],
      ).toExponential(1);
      process.stdout.write(`${network} in float16, ${form}: posteriors differ by ${difference}\n`);
      expect(Number(difference)).toBeGreaterThan(0);
      expect(Number(difference)).toBeLessThan(1e-2);
    }
    expect(held()).toEqual(before);
  });
});
