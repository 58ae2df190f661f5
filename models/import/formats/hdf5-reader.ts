// Reads runs of elements of an HDF5 file's datasets. Runs on the file's own thread.
// Knows chunks: each is unpacked once by a reader that goes from the first element to the last.

import { expected } from '../../../vgg/index.ts';
import type { Hdf5Dataset, Library } from './hdf5-contents.ts';
import { slabsOf, type Slab } from './hdf5-slabs.ts';

// Bytes that are in the library's memory at once.
const PIECE = 4 * 2 ** 20;
// A row of chunks is kept only if it is no larger than this.
const MAX_BAND = 64 * 2 ** 20;

/** A run of a dataset's elements, to be read. */
export interface Hdf5Request {
  dataset: string;
  start: number;
  count: number;
}

/** See {@link Hdf5Reader.read}. */
export class Hdf5Reader {
  readonly #library: Library;
  readonly #file: bigint;
  readonly #datasets: ReadonlyMap<string, Hdf5Dataset>;
  // Of a dataset in chunks, the elements of the row of chunks that was read last.
  #band: { dataset: Hdf5Dataset; start: number; bytes: Uint8Array } | undefined;

  constructor(library: Library, file: bigint, datasets: readonly Hdf5Dataset[]) {
    this.#library = library;
    this.#file = file;
    this.#datasets = new Map(datasets.map((dataset) => [dataset.path, dataset]));
  }

  /**
   * Elements in row-major order, little-endian whatever the file has.
   *
   * @throws VggError INVALID_ARGUMENT for elements that the dataset does not have; Error if the library fails
   */
  read({ dataset: path, start, count }: Hdf5Request): Uint8Array<ArrayBuffer> {
    const dataset = this.#datasets.get(path);
    if (!dataset) throw new Error(`no dataset ${path}`);
    const { size, shape, chunks } = dataset;
    const elements = shape.reduce((product, each) => product * each, 1);
    if (!(start >= 0 && count >= 0 && start + count <= elements)) {
      throw expected(`up to ${String(elements)} elements`, `${String(start)} + ${String(count)}`, path);
    }
    const band = (chunks?.[0] ?? 0) * shape.slice(1).reduce((product, each) => product * each, 1);
    const bytes = new Uint8Array(count * size);
    if (band === 0 || band * size > MAX_BAND) {
      this.#readRun(dataset, start, count, bytes);
      return bytes;
    }
    for (let done = 0; done < count;) {
      const at = start + done;
      const first = at - (at % band);
      const kept = this.#bandFrom(dataset, first, Math.min(band, elements - first));
      const part = kept.subarray((at - first) * size, (at - first + count - done) * size);
      bytes.set(part, done * size);
      done += part.length / size;
    }
    return bytes;
  }

  #bandFrom(dataset: Hdf5Dataset, start: number, count: number): Uint8Array {
    const kept = this.#band;
    if (kept?.dataset === dataset && kept.start === start) return kept.bytes;
    this.#band = undefined;
    const bytes = new Uint8Array(count * dataset.size);
    this.#readRun(dataset, start, count, bytes, count);
    this.#band = { dataset, start, bytes };
    return bytes;
  }

  // Chunks that lie in several pieces would be unpacked for each, so a band is one piece.
  #readRun(dataset: Hdf5Dataset, start: number, count: number, into: Uint8Array, piece?: number): void {
    const { size, shape, path } = dataset;
    const step = piece ?? Math.max(1, Math.floor(PIECE / size));
    for (let done = 0; done < count; done += step) {
      let offset = done * size;
      for (const slab of slabsOf(shape, start + done, Math.min(step, count - done))) {
        offset += this.#readSlab(path, slab, size, into.subarray(offset));
      }
    }
  }

  #readSlab(path: string, { offset, count }: Slab, size: number, into: Uint8Array): number {
    const library = this.#library;
    const bytes = count.reduce((product, each) => product * each, size);
    const at = library._malloc(bytes);
    if (at === 0) throw new Error('no memory for a slab');
    try {
      const status = library.get_dataset_data(
        this.#file,
        `/${path}`,
        count.map(BigInt),
        offset.map(BigInt),
        count.map(() => 1n),
        BigInt(at),
      );
      if (status < 0) throw new Error(`read of ${path}`);
      into.set(library.HEAPU8.subarray(at, at + bytes));
      return bytes;
    } finally {
      library._free(at);
    }
  }
}
