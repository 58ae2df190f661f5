// What a batch of the TensorFlow engine may hold: numbers, apart from the library, for those who only count.

import type { BatchBounds } from '../worker/batch-limit.ts';

/** On the CPU, as onnxruntime; one view of 768×1024 of D takes 1,370 bytes a pixel. */
export const CPU_BOUNDS: BatchBounds = { pixels: 8 * 224 * 224, units: 32, bytes: 2 ** 31, copies: 6 };
/** On a GPU larger batches fill it. Chosen, not measured: memory for 64 crops of D. */
export const GPU_BOUNDS: BatchBounds = { pixels: 64 * 224 * 224, units: 256, bytes: 2 ** 32, copies: 6 };
