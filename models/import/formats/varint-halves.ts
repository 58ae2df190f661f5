// Halves that are stored as varints, one to three bytes each: what converters to float16 make of ONNX's float_data.
// Knows that encoding alone; elements have no fixed place, so they are read from where the last reading ended.

import { VggError, elements, expected } from '../../../vgg/index.ts';
import type { StoredTensor } from '../release.ts';
import type { FileBytes } from './file-bytes.ts';
import type { Range } from './protobuf-wire.ts';

const PIECE = 1 << 20;

/**
 * The tensor of 16-bit elements that are packed varints there. Reading backwards begins again at the first.
 *
 * @throws VggError INVALID_ARGUMENT if the range is too short or too long for the shape
 */
export function tensorOfVarints(
  file: FileBytes,
  { name, dtype, shape }: Omit<StoredTensor, 'read'>,
  range: Range,
): StoredTensor {
  const wanted = elements(shape);
  const bytes = range.end - range.start;
  if (bytes < wanted || bytes > 3 * wanted) {
    throw expected(`${String(wanted)} halves of 1 to 3 bytes`, `${String(bytes)} bytes`, name);
  }
  let ended = { element: 0, at: range.start };
  return {
    name,
    dtype,
    shape,
    async read(start, count) {
      const halves = new Uint16Array(count);
      let { element, at } = ended.element <= start ? ended : { element: 0, at: range.start };
      let value = 0;
      let shift = 0;
      while (element < start + count) {
        if (at >= range.end) {
          throw new VggError(
            'INVALID_ARGUMENT',
            `Expected ${String(wanted)} halves but received ${String(element)} (${name})`,
          );
        }
        const piece = await file.read(at, Math.min(PIECE, range.end - at), name);
        for (let i = 0; i < piece.length && element < start + count; i++, at++) {
          const byte = piece[i] ?? 0;
          value |= (byte & 0x7f) << shift;
          shift += 7;
          if (value > 0xffff || (byte >= 0x80 && shift > 14)) throw expected('halves of 16 bits', value, name);
          if (byte >= 0x80) continue;
          if (element >= start) halves[element - start] = value;
          element++;
          value = shift = 0;
        }
      }
      ended = { element, at };
      return new Uint8Array(halves.buffer);
    },
  };
}
