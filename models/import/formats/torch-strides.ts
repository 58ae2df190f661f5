// A tensor of a PyTorch storage, read in row-major order whatever its strides.
// Knows where elements lie in the file, not what they are.

import { elements, expected } from '../../../vgg/index.ts';
import type { StoredTensor } from '../release.ts';
import type { FileBytes } from './file-bytes.ts';

/** A tensor as PyTorch addresses its storage. Every element must lie in the file. */
export interface StridedView {
  name: string;
  dtype: string;
  /** Of an element: 1, 2, 4 or 8. */
  bytes: number;
  shape: readonly number[];
  /** In elements, ≥ 0. */
  strides: readonly number[];
  /** Byte of the file where the first element is. */
  start: number;
}

// Everything below counts in words, at most 4 bytes: elements of 8 bytes have one more axis, of two words.
interface Axis {
  size: number;
  /** In the storage. */
  stride: number;
  /** In row-major order. */
  step: number;
}

// A tensor as rows: each is turned by itself, because the rows are in the same order on both sides.
interface Rows {
  wordBytes: number;
  /** From the largest stride to the smallest. */
  axes: Axis[];
  /** How many of the axes number the rows. */
  leading: number;
  /** Words of a row. */
  length: number;
}

// Bytes of the file that are in memory at once while words are picked from it.
const WINDOW = 4 << 20;

// Bytes of one row that may be in memory: fc6 of a VGG that was saved transposed is one of 411 MB.
const MAX_ROW = 1 << 30;

/**
 * The tensor, to be read: straight from the file if it is in row-major order there; else by rows that are in
 * memory once (a filter of channels_last; all of a matrix that was saved transposed, until its end was read).
 *
 * @throws VggError INVALID_ARGUMENT if elements overlap, other than those that strides of 0 repeat
 */
export function stridedTensor(file: FileBytes, view: StridedView): StoredTensor {
  const { name, dtype, shape, bytes, start } = view;
  const rows = storageOrder(view);
  const rowBytes = rows.length * rows.wordBytes;
  const total = elements(shape);
  const inPlace = rows.axes.every(({ stride, step }) => stride === step);
  let held: { first: number; bytes: Uint8Array } = { first: 0, bytes: new Uint8Array() };
  return {
    name,
    dtype,
    shape,
    async read(first, count) {
      if (!(first >= 0 && count >= 0 && first + count <= total)) {
        throw expected(`elements up to ${String(total)}`, first + count, name);
      }
      if (count === 0) return new Uint8Array();
      const from = first * bytes;
      const to = from + count * bytes;
      if (inPlace) return file.read(start + from, to - from, name);
      if (from < held.first || to > held.first + held.bytes.length) {
        const firstRow = Math.floor(from / rowBytes);
        const turned = await turnedRows(file, view, rows, firstRow, Math.ceil(to / rowBytes) - firstRow);
        held = { first: firstRow * rowBytes, bytes: turned };
      }
      const result = held.bytes.slice(from - held.first, to - held.first);
      if (first + count === total) held = { first: 0, bytes: new Uint8Array() };
      return result;
    },
  };
}

function storageOrder({ name, bytes, shape, strides }: StridedView): Rows {
  const wordBytes = Math.min(bytes, 4);
  const words = bytes / wordBytes;
  const logical: Axis[] = words > 1 ? [{ size: words, stride: 1, step: 1 }] : [];
  let step = words;
  for (let i = shape.length - 1; i >= 0; i--) {
    const size = shape[i] ?? 0;
    if (size !== 1) logical.unshift({ size, stride: (strides[i] ?? 0) * words, step });
    step *= size;
  }
  const axes = [...logical].sort((a, b) => b.stride - a.stride);
  let reach = 0;
  for (const { size, stride } of axes.toReversed()) {
    if (step > 0 && stride > 0 && stride <= reach) throw expected('elements that do not overlap', { shape, strides }, name);
    reach += Math.max(0, size - 1) * stride;
  }
  let leading = 0;
  while (leading < axes.length && axes[leading] === logical[leading]) leading++;
  const length = axes.slice(leading).reduce((product, { size }) => product * size, 1);
  return { wordBytes, axes, leading, length };
}

async function turnedRows(
  file: FileBytes,
  { name, start }: StridedView,
  { wordBytes, axes, leading, length }: Rows,
  firstRow: number,
  count: number,
): Promise<Uint8Array> {
  if (length * wordBytes > MAX_ROW) {
    throw expected(`at most ${String(MAX_ROW)} bytes that are not in row-major order`, length * wordBytes, name);
  }
  const result = new Uint8Array(count * length * wordBytes);
  const target = asWords(result, wordBytes);
  const row = positionOf(firstRow, axes, leading);
  const lastRow = positionOf(firstRow + count - 1, axes, leading);
  const end =
    1 + axes.slice(leading).reduce((last, { size, stride }) => last + (size - 1) * stride, lastRow.index);
  let window = target.subarray(0, 0);
  let windowStart = 0;
  let { index } = row;
  const { positions } = row;
  let place = 0;
  for (let left = target.length; left > 0; left--) {
    if (index < windowStart || index >= windowStart + window.length) {
      const words = Math.min(WINDOW / wordBytes, end - index);
      window = asWords(await file.read(start + index * wordBytes, words * wordBytes, name), wordBytes);
      windowStart = index;
    }
    target[place] = window[index - windowStart] ?? 0;
    for (let i = axes.length - 1; i >= 0; i--) {
      const { size, stride, step } = axes[i] ?? { size: 1, stride: 0, step: 0 };
      const position = (positions[i] ?? 0) + 1;
      if (position < size) {
        positions[i] = position;
        index += stride;
        place += step;
        break;
      }
      positions[i] = 0;
      index -= (size - 1) * stride;
      place -= (size - 1) * step;
    }
  }
  return result;
}

// Where a row begins: its place on every axis, and its index in the storage.
function positionOf(
  row: number,
  axes: readonly Axis[],
  leading: number,
): { positions: number[]; index: number } {
  const positions = new Array<number>(axes.length).fill(0);
  let index = 0;
  for (let i = leading - 1; i >= 0; i--) {
    const { size, stride } = axes[i] ?? { size: 1, stride: 0 };
    positions[i] = row % size;
    index += (row % size) * stride;
    row = Math.floor(row / size);
  }
  return { positions, index };
}

// Each read has an ArrayBuffer of its own, so that its words are aligned.
function asWords(bytes: Uint8Array, wordBytes: number): Uint8Array | Uint16Array | Uint32Array {
  const { buffer, byteOffset, length } = bytes;
  if (wordBytes === 4) return new Uint32Array(buffer, byteOffset, length / 4);
  return wordBytes === 2 ? new Uint16Array(buffer, byteOffset, length / 2) : bytes;
}
