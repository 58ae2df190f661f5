// Which engine is started, and that none does without a GPU in silence.

import { describe, expect, test } from 'vitest';
import { startEngine, type EngineChoice, type EngineWishes } from '../../services/inference/engines.ts';
import type { VggError } from '../../vgg/index.ts';
import { tensorFlowMissing } from '../tensorflow-library.ts';

// Whatever this machine has, the library sees no GPU.
process.env['CUDA_VISIBLE_DEVICES'] = '-1';

const NO_GPU = () => [];
// As a machine shows it whose library cannot use it.
const A_GPU = () => ['nvidia0'];

async function facts(choice: EngineChoice, wishes: EngineWishes) {
  const engine = await startEngine(choice, { threads: 1, ...wishes });
  const { engine: name, library, device, threads } = engine.facts();
  await engine.close();
  return { name, library, device, threads };
}

function refusal(choice: EngineChoice, wishes: EngineWishes): Promise<VggError> {
  return facts(choice, wishes).then(
    () => expect.unreachable('an engine started'),
    (error: unknown) => error as VggError,
  );
}

const ONNX = { name: 'onnx', library: 'onnxruntime-node', device: 'cpu', threads: 1 };

test('auto is onnx on a machine without a GPU, and says nothing', async () => {
  const told: VggError[] = [];
  const onFallback = (reason: VggError) => told.push(reason);
  expect(await facts('auto', { gpus: NO_GPU, onFallback })).toEqual(ONNX);
  expect(await facts('auto', { gpus: A_GPU, device: 'cpu', onFallback })).toEqual(ONNX);
  expect(told).toEqual([]);
});

test('auto tells if it does without a GPU that is there', async () => {
  const told: VggError[] = [];
  const onFallback = (reason: VggError) => told.push(reason);
  expect(await facts('auto', { gpus: A_GPU, onFallback })).toEqual(ONNX);
  expect(told).toHaveLength(1);
  expect(told[0]).toMatchObject({ code: 'UNAVAILABLE' });
  expect(told[0]?.message).toMatch(/Expected (a GPU|the TensorFlow library)/);
});

test('onnx says why it cannot use a GPU, and names the way out', async () => {
  const { message } = await refusal('onnx', { gpus: A_GPU });
  expect(message).toMatch(
    /onnxruntime cannot use one: \S.*\. Has its install script fetched the CUDA provider/,
  );
  expect(message).toContain('VGG_DEVICE=cpu');
});

test.each<[EngineChoice, EngineWishes]>([
  ['auto', { device: 'gpu' }],
  ['auto', { precision: 'float16' }],
  ['onnx', { device: 'gpu' }],
  ['onnx', { gpus: A_GPU }],
  ['tensorflow', { device: 'gpu' }],
  ['tensorflow', { precision: 'float16' }],
])('%s with %j does not start without a GPU', async (choice, wishes) => {
  const error = await refusal(choice, { gpus: NO_GPU, ...wishes });
  expect(error.code).toBe('UNAVAILABLE');
  expect(error.message).toMatch(/^The engine cannot start: Expected (a GPU|the TensorFlow library)/);
});

test('what no CPU can do is refused, and named', async () => {
  expect((await refusal('onnx', { precision: 'float16' })).message).toBe(
    'Expected float32 with VGG_ENGINE=onnx but received float16 (VGG_INFERENCE_PRECISION)',
  );
  for (const choice of ['onnx', 'auto', 'tensorflow'] as const) {
    const error = await refusal(choice, { device: 'cpu', precision: 'float16' });
    expect(error.message).toBe('Expected float32 on the CPU but received float16 (VGG_INFERENCE_PRECISION)');
  }
});

describe.skipIf(tensorFlowMissing !== undefined)('tensorflow', () => {
  const TENSORFLOW = { ...ONNX, name: 'tensorflow', library: '@tensorflow/tfjs-node-gpu' };

  test('computes on the CPU where it is asked to, or where there is no GPU', async () => {
    expect(await facts('tensorflow', { device: 'cpu', gpus: A_GPU })).toEqual(TENSORFLOW);
    expect(await facts('tensorflow', { gpus: NO_GPU })).toMatchObject({ name: 'tensorflow' });
  });

  test('that finds no GPU where the machine has one is an error, and names the way out', async () => {
    const error = await refusal('tensorflow', { gpus: A_GPU });
    expect(error.code).toBe('UNAVAILABLE');
    expect(error.message).toContain('VGG_DEVICE=cpu');
  });
});
