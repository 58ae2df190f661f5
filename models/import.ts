// Brings a weights file, whoever published it, into the store as a model of this project.
// Knows the order of the steps; formats, layouts and arithmetic are in import/.

import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import {
  DTYPE_BYTES,
  defaultScales,
  elements,
  expected,
  parameterCount,
  type Dtype,
  type Kernel,
  type NetworkName,
  type NetworkSpec,
} from '../vgg/index.ts';
import { canonicalFile } from './import/canonical-file.ts';
import { canonicalRelease, tensorsOf, type CanonicalTensor } from './import/layers.ts';
import { openRelease } from './import/open-release.ts';
import type { Preprocessing, Release } from './import/release.ts';
import { checkNameFree, sha256OfFile, writeModel } from './store.ts';

/** What the weights file does not say itself, or what is to be instead of it. */
export interface ImportOptions {
  /** Table row; needed where the tensors fit several (A and A-LRN). */
  network?: NetworkName;
  /** Name of the new model. */
  name: string;
  /** Folder of models that it goes to. */
  to: string;
  /** Class names; without them classes are named by their index. */
  labels?: readonly string[];
  /** Mean red, green, blue levels of the training set; the layout's publisher's by default. */
  mean?: [number, number, number];
  /** Deviation of red, green, blue levels that training divided by; the layout's publisher's by default. */
  std?: [number, number, number];
  /** Order of the input channels; the layout's publisher's by default. */
  channels?: Preprocessing['channels'];
  /** Default scales; 256, 384, 512 in units of inputSize 224 by default. */
  scales?: number[];
  kernel?: Kernel;
  /** Type to store the weights in; the file's own by default, F32 where arithmetic changes them. Computation is float32 in any case. */
  dtype?: 'F32' | 'F16';
  provenance?: string;
  licence?: string;
  /** Where the file was downloaded from. */
  url?: string;
  /** Told how many of how many bytes are read or written. */
  onProgress?: (bytes: number, total: number) => void;
  signal?: AbortSignal;
}

/** What was imported. */
export interface Imported {
  /** The new model's folder. */
  folder: string;
  spec: NetworkSpec;
  /** What the file was recognised as, in words. */
  layout: string;
  /** Tensors of the file that the network was made of, and their elements. */
  read: { tensors: number; elements: number };
  /** Names of tensors that inference does not need. */
  ignored: string[];
  /** What was done to the numbers, in words. */
  changes: string[];
}

/**
 * Imports a weights file of any layout that import/open-release.ts recognises. Nothing in the file is
 * executed, every value is checked to be finite, and at most one tensor is in memory at a time.
 *
 * @throws VggError INVALID_ARGUMENT naming what is wrong; nothing is left behind
 */
export async function importWeights(path: string, options: ImportOptions): Promise<Imported> {
  const release = await openRelease(path);
  try {
    const preprocessing = preprocessingOf(release, options);
    const { spec, tensors, changes } = canonicalRelease(release, preprocessing, options.network);
    await checkNameFree(options.to, options.name);
    const stored = tensors.map((tensor) => ({ ...tensor, dtype: storedType(tensor, options.dtype) }));
    const fileBytes = (await stat(path)).size;
    const weightBytes = stored.reduce(
      (sum, { shape, dtype }) => sum + elements(shape) * DTYPE_BYTES[dtype],
      0,
    );
    const progress = counter(fileBytes + weightBytes, options);
    const source = {
      file: basename(path),
      ...(options.url !== undefined && { url: options.url }),
      layout: release.layout,
      sha256: await sha256OfFile(path, progress),
    };
    const { network, width, hidden, classes, inputSize } = spec;
    const folder = await writeModel(
      options.to,
      {
        name: options.name,
        ...{ network, width, hidden, classes, inputSize },
        mean: preprocessing.mean,
        scales: options.scales ?? defaultScales(inputSize),
        kernel: preprocessing.kernel,
        provenance: options.provenance ?? '',
        licence: options.licence ?? '',
        source,
      },
      options.labels ?? Array.from({ length: classes }, (_, i) => String(i)),
      canonicalFile(stored, parameterCount(spec), progress),
    );
    const used = tensorsOf(release.layers);
    return {
      folder,
      spec,
      layout: release.layout,
      read: { tensors: used.length, elements: used.reduce((sum, { shape }) => sum + elements(shape), 0) },
      ignored: release.ignored.map(({ name }) => name),
      changes,
    };
  } finally {
    await release.close();
  }
}

function preprocessingOf(
  { preprocessing }: Release,
  { mean, std, channels, kernel }: ImportOptions,
): Preprocessing {
  for (const [i, level] of std?.entries() ?? []) {
    if (!(level > 0 && level <= 255)) throw expected('deviations from 0 to 255', level, `std[${String(i)}]`);
  }
  return {
    mean: mean ?? preprocessing.mean,
    std: std ?? preprocessing.std,
    channels: channels ?? preprocessing.channels,
    kernel: kernel ?? preprocessing.kernel,
  };
}

function storedType({ unchanged }: CanonicalTensor, wanted: Dtype | undefined): Dtype {
  return wanted ?? (unchanged === 'F16' || unchanged === 'BF16' ? unchanged : 'F32');
}

// Counts bytes towards a total; stops where the caller has had enough.
function counter(total: number, { onProgress, signal }: ImportOptions): (bytes: number) => void {
  let done = 0;
  return (bytes) => {
    signal?.throwIfAborted();
    done += bytes;
    onProgress?.(done, total);
  };
}
