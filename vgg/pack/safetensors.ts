// The safetensors format: a JSON header with names, types, shapes and places, then the bytes.
// Knows the format, not what the tensors mean.

import { VggError, expected } from '../errors.ts';
import { DTYPE_BYTES, type Dtype } from './elements.ts';

/** Where a tensor lies in its file. */
export interface TensorEntry<Type extends string = Dtype> {
  name: string;
  dtype: Type;
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
 * @param typeBytes the types that are allowed, and their bytes; weights' by default
 * @throws VggError INVALID_ARGUMENT naming the tensor at fault
 */
export function parseSafetensors(header: Uint8Array, fileBytes: number): TensorEntry[];
export function parseSafetensors<Type extends string>(
  header: Uint8Array,
  fileBytes: number,
  typeBytes: Record<Type, number>,
): TensorEntry<Type>[];
export function parseSafetensors(
  header: Uint8Array,
  fileBytes: number,
  typeBytes: Record<string, number> = DTYPE_BYTES,
): TensorEntry<string>[] {
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
    .map(([name, entry]) => tensorEntry(name, entry, start, typeBytes));
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
 *
 * @param metadata texts that the file carries beside its tensors
 */
export function formatSafetensorsHeader(
  tensors: readonly Pick<TensorEntry, 'name' | 'dtype' | 'shape'>[],
  metadata?: Readonly<Record<string, string>>,
): Uint8Array {
  let end = 0;
  const header = Object.fromEntries(
    tensors.map(({ name, dtype, shape }) => {
      const begin = end;
      end += elements(shape) * DTYPE_BYTES[dtype];
      return [name, { dtype, shape, data_offsets: [begin, end] }];
    }),
  );
  const text = new TextEncoder().encode(
    JSON.stringify({ ...(metadata && { __metadata__: metadata }), ...header }),
  );
  const bytes = new Uint8Array(Math.ceil((8 + text.length) / 64) * 64).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(bytes.length - 8), true);
  bytes.set(text, 8);
  return bytes;
}

/** The texts that a file carries beside its tensors. @param header one that parseSafetensors accepts */
export function safetensorsMetadata(header: Uint8Array): Partial<Record<string, string>> {
  const { __metadata__: metadata } = JSON.parse(new TextDecoder().decode(header)) as {
    __metadata__?: Record<string, string>;
  };
  return metadata ?? {};
}

/** Number of elements of a shape. */
export function elements(shape: readonly number[]): number {
  return shape.reduce((product, side) => product * side, 1);
}

function tensorEntry(
  name: string,
  value: unknown,
  start: number,
  typeBytes: Record<string, number>,
): TensorEntry<string> {
  const entry = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  const { dtype, shape, data_offsets: offsets } = entry;
  const size = typeof dtype === 'string' && Object.hasOwn(typeBytes, dtype) ? typeBytes[dtype] : undefined;
  if (typeof dtype !== 'string' || size === undefined)
    throw expected(`types ${Object.keys(typeBytes).join(', ')}`, dtype, name);
  if (!isLengths(shape) || shape.length > 8) throw expected('a shape of whole numbers', shape, name);
  if (!isLengths(offsets) || offsets.length !== 2)
    throw expected('data_offsets of two whole numbers', offsets, name);
  const [begin = 0, end = 0] = offsets;
  const bytes = elements(shape) * size;
  if (end - begin !== bytes) {
    throw expected(`${String(bytes)} bytes for ${dtype} ${JSON.stringify(shape)}`, end - begin, name);
  }
  return { name, dtype, shape, offset: start + begin, bytes };
}

function isLengths(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((each) => Number.isSafeInteger(each) && (each as number) >= 0);
}
