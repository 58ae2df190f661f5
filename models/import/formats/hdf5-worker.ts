// Entry of the thread that an HDF5 file is read on: the HDF5 library is WebAssembly that reads the disk while its
// caller waits, keeps what memory it once had, and may trap or loop on a hostile file. A thread can be ended.
// Knows messages and the library's guards: it opens no other file, prints nothing, and its memory is bounded.

import { parentPort, workerData } from 'node:worker_threads';
import h5wasm from 'h5wasm/node';
import { VggError, expected } from '../../../vgg/index.ts';
import { contentsOf, type Hdf5Contents } from './hdf5-contents.ts';
import { Hdf5Reader, type Hdf5Request } from './hdf5-reader.ts';

/** What the thread is started with. */
export interface Hdf5WorkerData {
  path: string;
  /** Length of the file in bytes. */
  size: number;
}

/** First the contents, then an answer to each request, in their order. */
export type Hdf5Reply =
  | { contents: Hdf5Contents }
  | { bytes: Uint8Array<ArrayBuffer> }
  /** Without a message, the library failed; `detail` is what it said. */
  | { message?: string; detail: string };

/** The part of Emscripten's file system that is guarded; its declarations do not have it. */
interface FileSystem {
  open: (path: string, flags: number, mode?: number) => unknown;
  write: (
    stream: { nfd: number },
    buffer: Uint8Array,
    offset: number,
    length: number,
    position?: number,
  ) => number;
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
const PAGE = 65_536;
// Emscripten's numbers.
const O_DIRECTORY = 0o200000;
const ENOENT = 44;

if (!parentPort) throw new Error('This file runs as a worker thread');
const port = parentPort;
const { path, size } = workerData as Hdf5WorkerData;
// Of the last call: what the library printed, and other files that it wanted to open.
let printed = '';
const refused: string[] = [];

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
  refused.length = 0;
  try {
    const made = make();
    port.postMessage(made, 'bytes' in made ? [made.bytes.buffer] : []);
  } catch (error) {
    const [other] = refused;
    const known = other === undefined ? error : expected('all data in the file itself', `data in ${other}`, path);
    const made: Hdf5Reply = { detail: `${String(error)}\n${printed}` };
    if (known instanceof VggError) made.message = known.message;
    port.postMessage(made);
  }
}

// External links, external storage and virtual datasets name other files, which a stranger's file has no say in.
function guardFiles(files: FileSystem): void {
  const { open, write } = files;
  files.open = (name, flags, mode) => {
    if (name === path) return open(name, flags, mode);
    // The library also looks for a folder of its plugins, on its own account.
    if ((flags & O_DIRECTORY) === 0) refused.push(name);
    throw Object.assign(new Error(`${name} is not opened`), { name: 'ErrnoError', errno: ENOENT });
  };
  files.write = (stream, buffer, offset, length, position) => {
    if (stream.nfd > 2) return write(stream, buffer, offset, length, position);
    if (printed.length < PRINTS_LIMIT) {
      printed += new TextDecoder().decode(buffer.slice(offset, offset + length));
    }
    return length;
  };
}

function boundMemory(): void {
  const { Memory } = (globalThis as unknown as { WebAssembly: { Memory: { prototype: WasmMemory } } }).WebAssembly;
  const grow = Reflect.get(Memory.prototype, 'grow');
  Memory.prototype.grow = function (pages) {
    if (this.buffer.byteLength + pages * PAGE > MEMORY_LIMIT) throw new RangeError('memory limit');
    return Reflect.apply(grow, this, [pages]);
  };
}
