// Tensors travel as little-endian bytes; here they are typed arrays. No copy where none is needed.

import { expected } from '../vgg/errors.ts';

/** The float32 values of bytes; shares their memory where alignment allows. */
export function float32Of(bytes: Uint8Array): Float32Array {
  const { buffer, byteOffset, length } = aligned(bytes, 4);
  return new Float32Array(buffer, byteOffset, length / 4);
}

/** The float64 values of bytes; shares their memory where alignment allows. */
export function float64Of(bytes: Uint8Array): Float64Array {
  const { buffer, byteOffset, length } = aligned(bytes, 8);
  return new Float64Array(buffer, byteOffset, length / 8);
}

/** The bytes of values; shares their memory. */
export function bytesOf(values: ArrayBufferView): Buffer {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength);
}

function aligned(bytes: Uint8Array, size: number): Uint8Array {
  if (bytes.length % size !== 0)
    throw expected(`a multiple of ${String(size)} bytes`, bytes.length, 'tensor', 'INTERNAL');
  // Small messages lie anywhere in a shared buffer.
  return bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes);
}
