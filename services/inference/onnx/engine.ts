// The onnxruntime engine: networks on the CPU. Knows how its worker is started, and what a batch may hold.

import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Engine } from '../engine.ts';
import type { BatchBounds } from '../worker/batch-limit.ts';
import { startWorkerEngine, type EngineOptions } from '../worker/engine.ts';
import { keepToItself } from './library-env.ts';

/** What the worker thread is started with. */
export interface OnnxSettings {
  /** Threads that compute at once, ≥ 1. */
  threads: number;
}

/** Choices of an onnxruntime engine; all have defaults. */
export interface OnnxEngineOptions extends EngineOptions {
  /** Starts the worker thread. */
  spawn?: (settings: OnnxSettings) => Worker;
}

/**
 * Eight crops of 224×224, at most 32 smaller ones, 2 GiB. conv1_2's input and output are held twice (measured
 * for D: 610 bytes a pixel in batches of 8 crops, 830 in one view of 768×1024).
 */
const BOUNDS: BatchBounds = { pixels: 8 * 224 * 224, units: 32, bytes: 2 ** 31, copies: 4 };

/**
 * Starts an engine: its worker runs when this resolves.
 *
 * @throws VggError UNAVAILABLE if it does not start
 */
export function startOnnxEngine(options: OnnxEngineOptions = {}): Promise<Engine> {
  const { threads = availableParallelism(), spawn = spawnWorker } = options;
  return startWorkerEngine(
    {
      ...{ name: 'onnx', library: 'onnxruntime-node' },
      spawn: () => spawn({ threads }),
      bounds: () => BOUNDS,
    },
    options,
  );
}

function spawnWorker(settings: OnnxSettings): Worker {
  keepToItself();
  return new Worker(new URL('./worker.js', import.meta.url), { name: 'onnx', workerData: settings });
}
