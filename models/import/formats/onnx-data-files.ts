// Data files beside an ONNX model, that its tensors name: a hostile model may name any file of the machine.
// Knows which names are allowed and where bytes must end; does not know what is in them.

import { realpath } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { VggError, expected } from '../../../vgg/index.ts';
import { type FileBytes, openFileBytes } from './file-bytes.ts';
import type { Run } from './protobuf-wire.ts';

// Some exporters wrote a data file for each tensor.
const MAX_DATA_FILES = 256;

/** The model's file and the data files beside it, each open once. Must be closed. */
export class DataFiles {
  readonly #model: FileBytes;
  readonly #open = new Map<string, FileBytes>();

  constructor(model: FileBytes) {
    this.#model = model;
  }

  async close(): Promise<void> {
    await Promise.all([this.#model, ...this.#open.values()].map((file) => file.close()));
  }

  /**
   * Where a tensor's external data lies.
   *
   * @param entries of its TensorProto.external_data: location, offset, length
   * @param size bytes of an element
   * @throws VggError INVALID_ARGUMENT naming the tensor, unless they lie within a file of the model's folder
   */
  async place(
    entries: ReadonlyMap<string, string>,
    size: number,
    name: string,
  ): Promise<{ file: FileBytes; run: Run }> {
    const file = await this.#file(entries.get('location') ?? '', name);
    const start = whole(entries.get('offset') ?? '0', `offset of ${name}`);
    const length = whole(entries.get('length') ?? String(Math.max(0, file.size - start)), `length of ${name}`);
    if (start + length > file.size) {
      throw expected(
        `data of ${name} within the ${String(file.size)} bytes of its file`,
        `bytes ${String(start)} to ${String(start + length)}`,
        file.path,
      );
    }
    if (length % size !== 0) throw expected(`elements of ${String(size)} bytes`, length, name);
    return { file, run: { start, count: length / size, stride: size } };
  }

  // A hostile model may name any file of the machine: only its own folder's are read.
  async #file(location: string, name: string): Promise<FileBytes> {
    const known = this.#open.get(location);
    if (known) return known;
    const parts = location.split('/');
    if (/[\\:\0]/.test(location) || parts.some((part) => part === '' || part === '..')) {
      throw expected("external data named by a relative path in the model's folder", location, name);
    }
    if (this.#open.size >= MAX_DATA_FILES) {
      throw expected(`at most ${String(MAX_DATA_FILES)} data files`, 'more', this.#model.path);
    }
    const folder = dirname(this.#model.path);
    const path = join(folder, location);
    let target: string;
    let home: string;
    try {
      [target, home] = await Promise.all([realpath(path), realpath(folder)]);
    } catch (cause) {
      throw new VggError('INVALID_ARGUMENT', `Expected external data at ${path} but it cannot be read (${name})`, {
        cause,
      });
    }
    if (!target.startsWith(home.endsWith(sep) ? home : home + sep)) {
      throw expected("external data in the model's folder", `a link to ${target}`, name);
    }
    const file = await openFileBytes(target);
    this.#open.set(location, file);
    return file;
  }
}

function whole(text: string, field: string): number {
  if (!/^\d{1,15}$/.test(text)) throw expected('a count of bytes', text, field);
  return Number(text);
}
