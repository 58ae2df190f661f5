// Brings a weights file into the store as a model of this project.
// Knows one layout so far: the canonical one of vgg/pack/weights.ts.

import { open, type FileHandle } from 'node:fs/promises';
import {
  defaultScales,
  expected,
  formatSafetensorsHeader,
  fromFloat32,
  specOfWeights,
  toFloat32,
  weightShapes,
  type Kernel,
  type NetworkName,
  type TensorEntry,
} from '../vgg/index.ts';
import { readTensors, writeModel } from './store.ts';

/** What the weights file does not say itself. */
export interface ImportOptions {
  /** Table row; needed where the tensors fit several (A and A-LRN). */
  network?: NetworkName;
  /** Name of the new model. */
  name: string;
  /** Folder of models that it goes to. */
  to: string;
  /** Class names; without them classes are named by their index. */
  labels?: readonly string[];
  /** Mean red, green, blue of the training set; the paper's by default. */
  mean?: [number, number, number];
  /** Default scales; 256, 384, 512 in units of inputSize 224 by default. */
  scales?: number[];
  kernel?: Kernel;
  /** Type to store the weights in; the file's own by default. Computation is float32 in any case. */
  dtype?: 'F32' | 'F16';
  provenance?: string;
  licence?: string;
  /** Told how many of how many bytes are written. */
  onProgress?: (bytes: number, total: number) => void;
  signal?: AbortSignal;
}

/** The mean that the paper's models subtract. */
export const PAPER_MEAN: [number, number, number] = [123.68, 116.78, 103.94];

/**
 * Imports a file in the canonical layout. Every value is checked to be finite.
 *
 * @returns the new model's folder
 * @throws VggError INVALID_ARGUMENT naming what is wrong; nothing is left behind
 */
export async function importWeights(path: string, options: ImportOptions): Promise<string> {
  const tensors = await readTensors(path);
  const spec = specOfWeights(tensors, options.network);
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  // Layer order, whatever the order in the file.
  const ordered = weightShapes(spec).flatMap(({ name }) => byName.get(name) ?? []);
  const { network, width, hidden, classes, inputSize } = spec;
  return await writeModel(
    options.to,
    {
      name: options.name,
      network,
      width,
      hidden,
      classes,
      inputSize,
      mean: options.mean ?? PAPER_MEAN,
      scales: options.scales ?? defaultScales(inputSize),
      kernel: options.kernel ?? 'linear',
      provenance: options.provenance ?? '',
      licence: options.licence ?? '',
    },
    options.labels ?? Array.from({ length: classes }, (_, i) => String(i)),
    canonicalFile(path, ordered, options),
  );
}

async function* canonicalFile(
  path: string,
  tensors: readonly TensorEntry[],
  { dtype, onProgress, signal }: ImportOptions,
): AsyncGenerator<Uint8Array> {
  const total = tensors.reduce((sum, { bytes }) => sum + bytes, 0);
  let done = 0;
  yield formatSafetensorsHeader(tensors.map((tensor) => ({ ...tensor, dtype: dtype ?? tensor.dtype })));
  const file = await open(path, 'r');
  try {
    for (const tensor of tensors) {
      for await (const chunk of tensorChunks(file, tensor)) {
        signal?.throwIfAborted();
        const values = toFloat32(chunk, tensor.dtype);
        const wrong = values.find((value) => !Number.isFinite(value));
        if (wrong !== undefined) throw expected('finite weights', wrong, tensor.name);
        yield dtype === undefined || dtype === tensor.dtype ? chunk : fromFloat32(values, dtype, tensor.name);
        done += chunk.length;
        onProgress?.(done, total);
      }
    }
  } finally {
    await file.close();
  }
}

// A multiple of every element's size.
const CHUNK_BYTES = 1 << 20;

async function* tensorChunks(
  file: FileHandle,
  { name, offset, bytes }: TensorEntry,
): AsyncGenerator<Uint8Array> {
  for (let done = 0; done < bytes;) {
    const chunk = new Uint8Array(Math.min(CHUNK_BYTES, bytes - done));
    let filled = 0;
    while (filled < chunk.length) {
      const { bytesRead } = await file.read(chunk, filled, chunk.length - filled, offset + done + filled);
      if (bytesRead === 0) throw expected(`${String(bytes)} bytes`, done + filled, name);
      filled += bytesRead;
    }
    yield chunk;
    done += chunk.length;
  }
}
