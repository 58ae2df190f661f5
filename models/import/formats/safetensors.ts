// Safetensors files with tensors of any type: those of a checkpoint may be counters beside the weights.

import { DTYPE_BYTES, elements, parseSafetensors, safetensorsHeaderBytes } from '../../../vgg/index.ts';
import type { Checkpoint } from '../release.ts';
import type { FileBytes } from './file-bytes.ts';

// The types of the format beside those that weights have.
const TYPE_BYTES: Record<string, number> = {
  ...DTYPE_BYTES,
  ...{ F64: 8, I64: 8, U64: 8, I32: 4, U32: 4, I16: 2, U16: 2, I8: 1, U8: 1, BOOL: 1 },
};

/** Whether the first bytes of a file are a safetensors header's: its length, then a JSON object. */
export function looksLikeSafetensors(start: Uint8Array, fileBytes: number): boolean {
  if (start.length < 9 || start[8] !== 0x7b) return false;
  const length = new DataView(start.buffer, start.byteOffset, 8).getBigUint64(0, true);
  // A claim beyond the file is still this format, truncated, unless it is beyond reason.
  return length >= 2n && length <= BigInt(Math.max(fileBytes, 100_000_000));
}

/** The tensors of a safetensors file. @throws VggError INVALID_ARGUMENT naming what is wrong */
export async function openSafetensors(file: FileBytes): Promise<Checkpoint> {
  const start = await file.read(0, 8, 'a safetensors header');
  const header = await file.read(8, safetensorsHeaderBytes(start, file.size), 'the safetensors header');
  const entries = parseSafetensors(header, file.size, TYPE_BYTES);
  return {
    format: 'safetensors',
    tensors: entries.map(({ name, dtype, shape, offset, bytes }) => {
      const size = bytes / Math.max(1, elements(shape));
      return {
        name,
        dtype,
        shape,
        read: (first, count) => file.read(offset + first * size, count * size, name),
      };
    }),
    close: () => file.close(),
  };
}
