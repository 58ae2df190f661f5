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

/** What VGG_ENGINE may say; auto takes TensorFlow on a GPU, else onnxruntime. */
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
  if (choice === 'onnx' || (choice === 'auto' && device === 'cpu')) {
    if (device === 'gpu') {
      throw expected(
        'tensorflow or auto, since onnx of this build computes on the CPU,',
        'onnx',
        'VGG_ENGINE',
      );
    }
    if (precision !== 'float32') {
      throw expected('float32 on the CPU', precision, 'VGG_INFERENCE_PRECISION');
    }
    return startOnnxEngine(options);
  }
  if (precision !== 'float32' && device === 'cpu') {
    throw expected('float32 on the CPU', precision, 'VGG_INFERENCE_PRECISION');
  }
  const present = gpus();
  // float16 asks for a GPU by itself.
  const mustHave = precision !== 'float32' || (device === 'any' && present.length > 0);
  const wanted = { ...options, precision, device: mustHave ? 'gpu' : device } as const;
  if (choice === 'tensorflow') return startTensorFlowEngine(wanted);
  if (device === 'any' && precision === 'float32') {
    // Without a GPU onnxruntime is the quicker of the two.
    if (present.length === 0) return startOnnxEngine(options);
    try {
      return await startTensorFlowEngine(wanted);
    } catch (error) {
      onFallback?.(asVggError(error));
      return startOnnxEngine(options);
    }
  }
  return startTensorFlowEngine(wanted);
}

/** NVIDIA's GPUs as this machine, or this container, shows them; dxg is Windows' under WSL. */
export function nvidiaGpus(): string[] {
  if (!existsSync('/dev')) return [];
  return readdirSync('/dev').filter((name) => /^(nvidia\d+|dxg)$/.test(name));
}
