// The safetensors format: a JSON header with names, types, shapes and places, then the bytes.
// Knows the format, not what the tensors mean.

import { VggError, expected } from '../errors.ts';

/** Element types that weights may have, and their bytes. */
export const DTYPE_BYTES = { F32: 4, F16: 2, BF16: 2 } as const;
export type Dtype = keyof typeof DTYPE_BYTES;

/** Where a tensor lies in its file. */
export interface TensorEntry {
  name: string;
  dtype: Dtype;
  shape: number[];
  /** First byte, from the start of the file. */
  offset: number;
  /** Length in bytes: product(shape) × bytes of the type. */
  bytes: number;
}

// The format's own bound.
const MAX_HEADER_BYTES = 100_000_000;

/** Bytes of the header, from the first 8 bytes of a file. */
export function safetensorsHeaderBytes(start: Uint8Array, fileBytes: number): number {
  if (start.length < 8 || fileBytes < 8) {
    throw new VggError(
      'INVALID_ARGUMENT',
      `Expected a safetensors file but received ${String(fileBytes)} bytes`,
    );
  }
  const length = new DataView(start.buffer, start.byteOffset, 8).getBigUint64(0, true);
  if (length < 2n || length > BigInt(Math.min(MAX_HEADER_BYTES, fileBytes - 8))) {
    throw new VggError(
      'INVALID_ARGUMENT',
      `Expected a safetensors header within the file's ${String(fileBytes)} bytes but it claims ${String(length)}: truncated, or not safetensors`,
    );
  }
  return Number(length);
}

/**
 * The tensors of a file, in file order.
 *
 * @param header the JSON that follows the first 8 bytes
 * @param fileBytes length of the whole file
 * @throws VggError INVALID_ARGUMENT naming the tensor at fault
 */
export function parseSafetensors(header: Uint8Array, fileBytes: number): TensorEntry[] {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(header));
  } catch (cause) {
    throw new VggError('INVALID_ARGUMENT', 'Expected a safetensors header of JSON but it does not parse', {
      cause,
    });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw expected('the safetensors header to be an object', value, 'header');
  }
  const start = 8 + header.length;
  const entries = Object.entries(value as Record<string, unknown>)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, entry]) => tensorEntry(name, entry, start));
  entries.sort((a, b) => a.offset - b.offset);
  let end = start;
  for (const { name, offset, bytes } of entries) {
    if (offset !== end) throw expected(`tensor to start at byte ${String(end)}`, offset, name);
    end += bytes;
  }
  if (end !== fileBytes) {
    throw new VggError(
      'INVALID_ARGUMENT',
      `Expected a safetensors file of ${String(end)} bytes but received ${String(fileBytes)}: ${fileBytes < end ? 'truncated' : 'bytes after the last tensor'}`,
    );
  }
  return entries;
}

/**
 * First bytes of a safetensors file: length, header, padding, so that the data begins at a multiple
 * of 64 bytes. The tensors' bytes follow in the order given.
 */
export function formatSafetensorsHeader(
  tensors: readonly Pick<TensorEntry, 'name' | 'dtype' | 'shape'>[],
): Uint8Array {
  let end = 0;
  const header = Object.fromEntries(
    tensors.map(({ name, dtype, shape }) => {
      const begin = end;
      end += elements(shape) * DTYPE_BYTES[dtype];
      return [name, { dtype, shape, data_offsets: [begin, end] }];
    }),
  );
  const text = JSON.stringify(header);
  const padded = text.padEnd(text.length + ((64 - ((8 + text.length) % 64)) % 64), ' ');
  const bytes = new Uint8Array(8 + padded.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(padded.length), true);
  bytes.set(new TextEncoder().encode(padded), 8);
  return bytes;
}

/** Number of elements of a shape. */
export function elements(shape: readonly number[]): number {
  return shape.reduce((product, side) => product * side, 1);
}

/** Elements as float32; half types widen exactly. */
export function toFloat32(bytes: Uint8Array, dtype: Dtype): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = new Float32Array(bytes.byteLength / DTYPE_BYTES[dtype]);
  for (let i = 0; i < values.length; i++) {
    values[i] =
      dtype === 'F32'
        ? view.getFloat32(4 * i, true)
        : dtype === 'BF16'
          ? bfloat(view.getUint16(2 * i, true))
          : half(view.getUint16(2 * i, true));
  }
  return values;
}

/**
 * Elements as bytes of a type; F16 rounds to nearest, ties to even.
 *
 * @throws VggError INVALID_ARGUMENT if a value is beyond the type's range
 */
export function fromFloat32(values: Float32Array, dtype: 'F32' | 'F16', name: string): Uint8Array {
  const bytes = new Uint8Array(values.length * DTYPE_BYTES[dtype]);
  const view = new DataView(bytes.buffer);
  for (const [i, value] of values.entries()) {
    if (dtype === 'F32') view.setFloat32(4 * i, value, true);
    else if (Math.abs(value) < 65520) view.setUint16(2 * i, halfBits(value), true);
    else throw expected('weights within ±65504 for F16', value, name);
  }
  return bytes;
}

const word = new DataView(new ArrayBuffer(4));

function bfloat(bits: number): number {
  word.setUint32(0, bits << 16);
  return word.getFloat32(0);
}

function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function halfBits(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size < 2 ** -14) return sign | roundHalfEven(size * 2 ** 24);
  word.setFloat32(0, size);
  const exponent = (word.getUint32(0) >> 23) - 127;
  // A fraction that rounds up to 1024 carries into the exponent, as it should.
  return sign | (((exponent + 15) << 10) + roundHalfEven((size / 2 ** exponent - 1) * 1024));
}

function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return floor + (rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? 1 : 0);
}

function tensorEntry(name: string, value: unknown, start: number): TensorEntry {
  const entry = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  const { dtype, shape, data_offsets: offsets } = entry;
  if (!isDtype(dtype)) throw expected(`types ${Object.keys(DTYPE_BYTES).join(', ')}`, dtype, name);
  if (!isLengths(shape) || shape.length > 8) throw expected('a shape of whole numbers', shape, name);
  if (!isLengths(offsets) || offsets.length !== 2)
    throw expected('data_offsets of two whole numbers', offsets, name);
  const [begin = 0, end = 0] = offsets;
  const bytes = elements(shape) * DTYPE_BYTES[dtype];
  if (end - begin !== bytes) {
    throw expected(`${String(bytes)} bytes for ${dtype} ${JSON.stringify(shape)}`, end - begin, name);
  }
  return { name, dtype, shape, offset: start + begin, bytes };
}

function isDtype(value: unknown): value is Dtype {
  return typeof value === 'string' && Object.hasOwn(DTYPE_BYTES, value);
}

function isLengths(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((each) => Number.isSafeInteger(each) && (each as number) >= 0);
}
