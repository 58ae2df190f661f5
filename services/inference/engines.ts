// Which engine computes, and on what. Knows the engines by name; nothing else in the service does.

import { existsSync, readdirSync } from 'node:fs';
import { VggError, asVggError, expected } from '../../vgg/errors.ts';
import type { Engine } from './engine.ts';
import { startOnnxEngine } from './onnx/engine.ts';
import { startTensorFlowEngine, type DeviceChoice } from './tensorflow/engine.ts';
import type { ElementType } from './tensorflow/operations.ts';
import type { EngineOptions } from './worker/engine.ts';

export { DEVICES } from './tensorflow/engine.ts';
export { SHARING_CHOICES } from './worker/engine.ts';

/** What VGG_ENGINE may say; auto takes TensorFlow on a GPU, onnxruntime if that does not start, and on the CPU. */
export const ENGINE_CHOICES = ['auto', 'tensorflow', 'onnx'] as const;

/** See {@link ENGINE_CHOICES}. */
export type EngineChoice = (typeof ENGINE_CHOICES)[number];

/** What VGG_INFERENCE_PRECISION may say. */
export const PRECISIONS = ['float32', 'float16'] as const satisfies readonly ElementType[];

/** What is asked of whichever engine it will be; all have defaults. */
export interface EngineWishes extends EngineOptions {
  /** `gpu`: there must be one. `cpu`: none is used. `any`, the default: one that is there must be used. */
  device?: DeviceChoice;
  /** float32 by default; float16 is for GPUs. */
  precision?: (typeof PRECISIONS)[number];
  /** Called if auto does without a GPU that this machine seems to have, with the reason. */
  onFallback?: (reason: VggError) => void;
  /** The machine's GPUs, as the driver shows them. */
  gpus?: () => string[];
}

/**
 * Starts the chosen engine. Nothing falls back to the CPU in silence: where a GPU must be, its absence is an
 * error; where one may be, doing without it is told.
 *
 * @throws VggError UNAVAILABLE if the engine does not start or finds no GPU where one must be,
 *   INVALID_ARGUMENT if it cannot do what is wished
 */
export async function startEngine(choice: EngineChoice, wishes: EngineWishes = {}): Promise<Engine> {
  const { device = 'any', precision = 'float32', gpus = nvidiaGpus, onFallback, ...options } = wishes;
  const half = precision !== 'float32';
  if (half && device === 'cpu') throw expected('float32 on the CPU', precision, 'VGG_INFERENCE_PRECISION');
  if (half && choice === 'onnx') {
    throw expected('float32 with VGG_ENGINE=onnx', precision, 'VGG_INFERENCE_PRECISION');
  }
  // float16 asks for a GPU by itself.
  const onGpu = half || device === 'gpu' || (device === 'any' && gpus().length > 0);
  if (choice === 'tensorflow') {
    return startTensorFlowEngine({ ...options, precision, device: onGpu ? 'gpu' : device });
  }
  // Without a GPU onnxruntime is the quicker of the two.
  if (choice === 'onnx' || !onGpu) return startOnnxEngine({ ...options, device: onGpu ? 'gpu' : 'cpu' });
  try {
    return await startTensorFlowEngine({ ...options, precision, device: 'gpu' });
  } catch (error) {
    if (half) throw error;
    const other = await startOnnxEngine({ ...options, device: 'gpu' }).catch(() => undefined);
    if (other) return other;
    if (device === 'gpu') throw error;
    onFallback?.(asVggError(error));
    return startOnnxEngine(options);
  }
}

/** NVIDIA's GPUs as this machine, or this container, shows them; dxg is Windows' under WSL. */
export function nvidiaGpus(): string[] {
  if (!existsSync('/dev')) return [];
  return readdirSync('/dev').filter((name) => /^(nvidia\d+|dxg)$/.test(name));
}
