// The TensorFlow engine: networks on a GPU, or on the CPU. Knows how its worker is started, what must be there,
// and what a batch may hold. On a CPU views are computed together where that was quicker at loading; on a GPU, where
// nobody has measured it, each by itself unless `share` is `on`.

import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { prepareTensorFlowEnvironment } from '../../host/tensorflow/env.ts';
import type { Engine } from '../engine.ts';
import { GPU_BOUNDS, type BatchBounds } from '../worker/batch-limit.ts';
import { startWorkerEngine, type EngineOptions } from '../worker/engine.ts';
import type { ElementType } from './operations.ts';

/** What an engine may compute on: `any` takes a GPU where there is one. */
export const DEVICES = ['any', 'gpu', 'cpu'] as const;

/** See {@link DEVICES}. */
export type DeviceChoice = (typeof DEVICES)[number];

/** What the worker thread is started with. */
export interface TensorFlowSettings {
  /** `gpu`: without one the worker does not start. */
  device: DeviceChoice;
  /** What weights and activations are held in. */
  precision: ElementType;
}

/** Choices of a TensorFlow engine; all have defaults. */
export interface TensorFlowEngineOptions extends EngineOptions {
  /** `any` by default. */
  device?: DeviceChoice;
  /** float32 by default; float16 is refused on a CPU. */
  precision?: ElementType;
  /** Starts the worker thread. */
  spawn?: (settings: TensorFlowSettings) => Worker;
}

/** As onnxruntime's; one view of 768×1024 of D takes 1,370 bytes a pixel. */
const CPU_BOUNDS: BatchBounds = { pixels: 8 * 224 * 224, units: 32, bytes: 2 ** 31, copies: 6 };

/**
 * Starts an engine: its worker runs when this resolves. One that started on a GPU never goes on without it: a
 * replacement that finds none is not ready, and says so.
 *
 * @throws VggError UNAVAILABLE if the library is missing, or there is no GPU where one must be
 */
export function startTensorFlowEngine(options: TensorFlowEngineOptions = {}): Promise<Engine> {
  const { device = 'any', precision = 'float32', threads = availableParallelism() } = options;
  const { spawn = spawnWorker } = options;
  let wanted = device;
  return startWorkerEngine(
    {
      name: 'tensorflow',
      library: '@tensorflow/tfjs-node-gpu',
      spawn: () => {
        prepareTensorFlowEnvironment({ threads, device });
        return spawn({ device: wanted, precision });
      },
      bounds: (facts) => {
        if (facts.device === 'gpu') wanted = 'gpu';
        return facts.device === 'gpu' ? GPU_BOUNDS : CPU_BOUNDS;
      },
    },
    options,
  );
}

function spawnWorker(settings: TensorFlowSettings): Worker {
  return new Worker(new URL('./worker.js', import.meta.url), { name: 'tensorflow', workerData: settings });
}
