// What the TensorFlow engine asks of its worker on a GPU. No library: the worker says that it has one.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { randomModel } from '../../../bench/random-model.ts';
import { openModel } from '../../../models/store.ts';
import { startTensorFlowEngine } from '../../../services/inference/tensorflow/engine.ts';
import { noisePlane, PLAIN, viewOf } from '../engine-conformance/fixtures.ts';

const GPU = `
  const { parentPort } = require('node:worker_threads');
  parentPort.postMessage({ kind: 'facts', facts: { version: '2', providers: ['gpu'], device: 'gpu' } });
  parentPort.on('message', ({ id }) => parentPort.postMessage({ kind: 'reply', id, reply: { scores: [] } }));
`;

test('on a GPU, where nobody has measured it, views are together only where that is asked for', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'vgg-gpu-'));
  const spec = { network: 'A', width: 1 / 32, hidden: 8, classes: 5, inputSize: 32 } as const;
  const sharedBy = async (sharing: 'measured' | 'always') => {
    const engine = await startTensorFlowEngine({ spawn: () => new Worker(GPU, { eval: true }), sharing });
    const loaded = await engine.load(await openModel(await randomModel(spec, folder)));
    expect(engine.facts().device).toBe('gpu');
    await engine.close();
    return (share: 'auto' | 'off') =>
      loaded.plan(plane, views, { ...PLAIN, share }).map(({ shared, views: some }) => [shared, some.length]);
  };
  const plane = noisePlane(34, 34);
  // The same view many times over: nothing could pay more.
  const views = Array.from({ length: 8 }, (_, index) => viewOf(plane, { index }));
  const apart = views.map(() => [false, 1]);
  const measured = await sharedBy('measured');
  expect(measured('auto')).toEqual(apart);
  const always = await sharedBy('always');
  expect(always('auto')).toEqual([[true, 8]]);
  expect(always('off')).toEqual(apart);
  await rm(folder, { recursive: true });
});
