// Entry of the thread that an HDF5 file is read on: the HDF5 library is WebAssembly that reads the disk while its
// caller waits, keeps what memory it once had, and may trap or loop on a hostile file. A thread can be ended.
// Knows messages and the library's guards: it opens no other file, prints nothing, and its memory is bounded.

import { parentPort, workerData } from 'node:worker_threads';
import h5wasm from 'h5wasm/node';
import { VggError, expected } from '../../../vgg/index.ts';
import { contentsOf, type Hdf5Contents } from './hdf5-contents.ts';
import { Hdf5Reader } from './hdf5-reader.ts';

/** What the thread is started with. */
export interface Hdf5WorkerData {
  path: string;
  /** Length of the file in bytes. */
  size: number;
}

/** A run of a dataset's elements, to be read. */
export interface Hdf5Request {
  dataset: string;
  start: number;
  count: number;
}

/** First the contents, then an answer to each request, in their order. */
export type Hdf5Reply =
  | { contents: Hdf5Contents }
  | { bytes: Uint8Array<ArrayBuffer> }
  /** Without a message, the library failed; `detail` is what it said. */
  | { message?: string; detail: string };

/** The part of Emscripten's file system that is guarded; its declarations do not have it. */
interface FileSystem {
  open(path: string, ...rest: unknown[]): unknown;
  write(stream: { nfd: number }, buffer: Uint8Array, offset: number, length: number): number;
}

/** WebAssembly's memory, of which Node's declarations know nothing. */
interface WasmMemory {
  buffer: ArrayBuffer;
  grow(this: WasmMemory, pages: number): number;
}

// Bytes that the library may take: a small chunk in the file may be unpacked to gigabytes.
const MEMORY_LIMIT = 512 * 2 ** 20;
// Characters of the library's prints that are kept to be logged.
const PRINTS_LIMIT = 4096;

if (!parentPort) throw new Error('This file runs as a worker thread');
const port = parentPort;
const { path, size } = workerData as Hdf5WorkerData;
let printed = '';
let refused: string | undefined;

boundMemory();
const library = await h5wasm.ready;
guardFiles(library.FS as unknown as FileSystem);

let reader: Hdf5Reader | undefined;
reply(() => {
  const file = library.open(path, library.H5F_ACC_RDONLY, false, -1, -1);
  if (file < 0n) throw new Error('not opened');
  const contents = contentsOf(library, file, size);
  reader = new Hdf5Reader(library, file, contents.datasets);
  return { contents };
});
port.on('message', (request: Hdf5Request) => {
  reply(() => {
    if (!reader) throw new Error('no file is open');
    return { bytes: reader.read(request) };
  });
});

function reply(make: () => Hdf5Reply): void {
  printed = '';
  refused = undefined;
  try {
    const made = make();
    port.postMessage(made, 'bytes' in made ? [made.bytes.buffer] : []);
  } catch (error) {
    const detail = `${String(error)}\n${printed}`;
    const known =
      refused === undefined ? error : expected('all data in the file itself', `data in ${refused}`, path);
    port.postMessage(
      (known instanceof VggError ? { message: known.message, detail } : { detail }) satisfies Hdf5Reply,
    );
  }
}

// External links, external storage and virtual datasets name other files, which a stranger's file has no say in.
function guardFiles(files: FileSystem): void {
  const { open, write } = files;
  files.open = (name, ...rest) => {
    if (name === path) return open(name, ...rest);
    refused ??= name;
    // An error with a number of the operating system's is a failure to open, which the library expects.
    const missing = 44;
    throw Object.assign(new Error(`${name} is not opened`), { name: 'ErrnoError', errno: missing });
  };
  files.write = (stream, buffer, offset, length) => {
    if (stream.nfd > 2) return write(stream, buffer, offset, length);
    if (printed.length < PRINTS_LIMIT) {
      printed += new TextDecoder().decode(buffer.slice(offset, offset + length));
    }
    return length;
  };
}

function boundMemory(): void {
  const { prototype } = (globalThis as unknown as { WebAssembly: { Memory: { prototype: WasmMemory } } }).WebAssembly
    .Memory;
  const { grow } = prototype;
  prototype.grow = function (pages) {
    if (this.buffer.byteLength + pages * 65_536 > MEMORY_LIMIT) throw new RangeError('memory limit');
    return grow.call(this, pages);
  };
}
