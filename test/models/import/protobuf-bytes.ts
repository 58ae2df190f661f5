// Protobuf messages field by field, encoded by protobufjs and not by this project; and files that are in memory.

import protobuf from 'protobufjs';
import { VggError } from '../../../vgg/index.ts';
import type { FileBytes } from '../../../models/import/formats/file-bytes.ts';

/** A field's value: integers are varints, bytes are messages; a list is a repeated field. */
export type Value =
  | number
  | string
  | Uint8Array
  | { float: number }
  | { packed: readonly number[] }
  | { packedInts: readonly number[] };

/** A message of these fields, in this order. */
export function message(...fields: readonly (readonly [number, Value | readonly Value[]])[]): Uint8Array {
  const writer = protobuf.Writer.create();
  for (const [number, values] of fields) {
    for (const value of Array.isArray(values) ? (values as Value[]) : [values as Value]) {
      const tag = (wire: number) => writer.uint32(number * 8 + wire);
      if (typeof value === 'number') tag(0).int64(value);
      else if (typeof value === 'string') tag(2).string(value);
      else if (value instanceof Uint8Array) tag(2).bytes(value);
      else if ('float' in value) tag(5).float(value.float);
      else if ('packed' in value) tag(2).bytes(floats(value.packed));
      else {
        tag(2).fork();
        for (const int of value.packedInts) writer.int64(int);
        writer.ldelim();
      }
    }
  }
  // Node's writer gives a Buffer.
  return Uint8Array.from(writer.finish());
}

/** Little-endian float32. */
export function floats(values: readonly number[]): Uint8Array {
  return new Uint8Array(new Float32Array(values).buffer);
}

/** A file in memory, that counts. */
export interface MemoryFile extends FileBytes {
  /** Bytes that were read. */
  bytesRead: number;
  closed: number;
}

/** A file of these bytes. */
export function memoryFile(bytes: Uint8Array, path = 'memory'): MemoryFile {
  return {
    path,
    size: bytes.length,
    bytesRead: 0,
    closed: 0,
    read(offset, length, what) {
      if (!(offset >= 0 && length >= 0 && offset + length <= bytes.length)) {
        return Promise.reject(new VggError('INVALID_ARGUMENT', `Expected ${what} but the file ends`));
      }
      this.bytesRead += length;
      return Promise.resolve(bytes.slice(offset, offset + length));
    },
    close() {
      this.closed++;
      return Promise.resolve();
    },
  };
}
