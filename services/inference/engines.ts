// Which engine computes. Knows the engines by name; nothing else in the service does.

import { expected } from '../../vgg/errors.ts';
import type { Engine } from './engine.ts';
import { startOnnxEngine, type OnnxEngineOptions } from './onnx/engine.ts';

/** What VGG_ENGINE may say; auto takes the best engine that works here. */
export const ENGINE_CHOICES = ['auto', 'tensorflow', 'onnx'] as const;

/** See {@link ENGINE_CHOICES}. */
export type EngineChoice = (typeof ENGINE_CHOICES)[number];

/**
 * Starts the chosen engine.
 *
 * @throws VggError INVALID_ARGUMENT if this build has no such engine
 */
export function startEngine(choice: EngineChoice, options: OnnxEngineOptions = {}): Promise<Engine> {
  if (choice === 'tensorflow') {
    return Promise.reject(
      expected('auto or onnx, since this build has no TensorFlow engine,', choice, 'VGG_ENGINE'),
    );
  }
  return startOnnxEngine(options);
}
