// The onnxruntime engine: networks on the CPU, or on a GPU where its CUDA provider is installed. Knows how its worker is
// started, and what a batch may hold.

import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Engine } from '../engine.ts';
import { GPU_BOUNDS, type BatchBounds } from '../worker/batch-limit.ts';
import { startWorkerEngine, type EngineOptions } from '../worker/engine.ts';
import { prepareOnnxEnvironment } from './library-env.ts';

/** What an engine computes on. */
export type OnnxDevice = 'cpu' | 'gpu';

/** What the worker thread is started with. */
export interface OnnxSettings {
  /** Threads that compute at once, ≥ 1. */
  threads: number;
  /** `gpu`: without one the worker does not start. */
  device: OnnxDevice;
}

/** Choices of an onnxruntime engine; all have defaults. */
export interface OnnxEngineOptions extends EngineOptions {
  /** `cpu` by default. */
  device?: OnnxDevice;
  /** Starts the worker thread. */
  spawn?: (settings: OnnxSettings) => Worker;
}

/**
 * Eight crops of 224×224, at most 32 smaller ones, 2 GiB. conv1_2's input and output are held twice (measured
 * for D: 610 bytes a pixel in batches of 8 crops, 830 in one view of 768×1024).
 */
const CPU_BOUNDS: BatchBounds = { pixels: 8 * 224 * 224, units: 32, bytes: 2 ** 31, copies: 4 };

/**
 * Starts an engine: its worker runs when this resolves.
 *
 * @throws VggError UNAVAILABLE if it does not start, or there is no GPU where one must be
 */
export function startOnnxEngine(options: OnnxEngineOptions = {}): Promise<Engine> {
  const { threads = availableParallelism(), device = 'cpu', spawn = spawnWorker } = options;
  return startWorkerEngine(
    {
      ...{ name: 'onnx', library: 'onnxruntime-node' },
      spawn: () => spawn({ threads, device }),
      bounds: () => (device === 'gpu' ? GPU_BOUNDS : CPU_BOUNDS),
    },
    options,
  );
}

function spawnWorker(settings: OnnxSettings): Worker {
  prepareOnnxEnvironment();
  return new Worker(new URL('./worker.js', import.meta.url), { name: 'onnx', workerData: settings });
}
