// HDF5 files: every dataset is a tensor, named by its path. The library reads them on a thread of the file's own.
// Knows no layout; groups' text attributes are passed on, for Keras keeps its layers' names there.

import { resolve } from 'node:path';
import { Worker } from 'node:worker_threads';
import { VggError, expected } from '../../../vgg/index.ts';
import type { Checkpoint, StoredTensor } from '../release.ts';
import type { FileBytes } from './file-bytes.ts';
import type { TextAttributes } from './hdf5-contents.ts';
import type { Hdf5Request } from './hdf5-reader.ts';
import type { Hdf5Reply, Hdf5WorkerData } from './hdf5-worker.ts';

/** An open HDF5 file. Must be closed. */
export interface Hdf5Checkpoint extends Checkpoint {
  /** Text attributes of every group, by its path from the root without a leading slash; the root's is ''. */
  groups: ReadonlyMap<string, TextAttributes>;
}

const SIGNATURE = Buffer.from('\x89HDF\r\n\x1a\n', 'latin1');
const NUMBERS = /^(F|I|U|BF)\d+$/;
// Milliseconds; the longest answer known, a row of gzip chunks, takes one second.
const PATIENCE = 60_000;

/**
 * Opens an HDF5 file. Nothing but the file itself is read, whatever it links to; it stays on disk.
 *
 * @param file owned from here on: closed by `close`, or if opening fails
 * @param patience milliseconds that the library may take for one answer
 * @throws VggError INVALID_ARGUMENT for anything but a whole HDF5 file of groups and datasets
 */
export async function openHdf5(file: FileBytes, patience = PATIENCE): Promise<Hdf5Checkpoint> {
  let thread: LibraryThread | undefined;
  const close = async () => {
    await thread?.end();
    await file.close();
  };
  try {
    const start = await file.read(0, SIGNATURE.length, 'an HDF5 signature');
    if (!SIGNATURE.equals(start)) throw expected('an HDF5 file', Buffer.from(start).toString('hex'), file.path);
    const running = (thread = new LibraryThread({ path: resolve(file.path), size: file.size }, patience));
    const reply = await running.opened;
    if (!('contents' in reply)) throw new Error('The first reply has no contents');
    const { datasets, groups } = reply.contents;
    const tensors = datasets.map(
      ({ path: name, dtype, shape }): StoredTensor => ({
        name,
        dtype,
        shape,
        read: async (from, count) => {
          if (!NUMBERS.test(dtype)) throw expected('a dataset of numbers', dtype, name);
          const reply = await running.ask({ dataset: name, start: from, count });
          if (!('bytes' in reply)) throw new Error(`The reply has no bytes of ${name}`);
          return reply.bytes;
        },
      }),
    );
    return { format: 'HDF5', tensors, groups, close };
  } catch (error) {
    await close();
    throw error;
  }
}

interface Call {
  what: string;
  resolve: (reply: Hdf5Reply) => void;
  reject: (error: Error) => void;
}

// The thread and what it was asked, oldest first: it answers in that order.
class LibraryThread {
  /** The first reply. */
  readonly opened: Promise<Hdf5Reply>;
  readonly #worker: Worker;
  readonly #file: Hdf5WorkerData;
  readonly #patience: number;
  readonly #calls: Call[] = [];
  #ended = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(file: Hdf5WorkerData, patience: number) {
    this.#file = file;
    this.#patience = patience;
    // The library would read variables that name other folders, and the process's options need not suit a thread.
    this.#worker = new Worker(new URL('./hdf5-worker.js', import.meta.url), {
      name: 'hdf5',
      workerData: file,
      env: {},
      execArgv: [],
      stdout: true,
      stderr: true,
    });
    this.#worker.on('message', (reply: Hdf5Reply) => {
      this.#settle(reply);
    });
    this.#worker.on('error', (cause) => {
      this.#fail(cause);
    });
    this.#worker.on('exit', () => {
      this.#fail(new Error('The thread ended'));
    });
    this.opened = this.#call('');
  }

  ask(request: Hdf5Request): Promise<Hdf5Reply> {
    if (this.#ended) return Promise.reject(this.#failure(request.dataset, new Error('The file is closed')));
    const reply = this.#call(request.dataset);
    this.#worker.postMessage(request);
    return reply;
  }

  async end(): Promise<void> {
    this.#fail(new Error('The file is closed'));
    await this.#worker.terminate();
  }

  #call(what: string): Promise<Hdf5Reply> {
    return new Promise((resolve, reject) => {
      this.#calls.push({ what, resolve, reject });
      if (this.#calls.length === 1) this.#watch();
    });
  }

  #watch(): void {
    clearTimeout(this.#timer);
    const waiting = this.#calls.length > 0;
    // A thread that nobody waits for keeps no process alive.
    this.#worker[waiting ? 'ref' : 'unref']();
    if (!waiting) return;
    this.#timer = setTimeout(() => {
      this.#fail(new Error(`No answer within ${String(this.#patience)} ms`));
      void this.#worker.terminate();
    }, this.#patience);
  }

  #settle(reply: Hdf5Reply): void {
    const call = this.#calls.shift();
    this.#watch();
    if (!call) return;
    if (!('detail' in reply)) call.resolve(reply);
    else if (reply.message === undefined) call.reject(this.#failure(call.what, new Error(reply.detail)));
    else call.reject(new VggError('INVALID_ARGUMENT', reply.message, { cause: new Error(reply.detail) }));
  }

  #fail(cause: unknown): void {
    this.#ended = true;
    const calls = this.#calls.splice(0);
    this.#watch();
    for (const { what, reject } of calls) reject(this.#failure(what, cause));
  }

  #failure(what: string, cause: unknown): VggError {
    const where = what === '' ? this.#file.path : `${what} in ${this.#file.path}`;
    const message = `Expected a whole HDF5 file but received a truncated, damaged or unsupported one (${where})`;
    return new VggError('INVALID_ARGUMENT', message, { cause });
  }
}
