// Elements of tensors as numbers: float32, float16 and bfloat16, little-endian, as every machine that Node's
// engines run on has them.

import { expected } from '../errors.ts';

/** Element types that a pack's weights may have, and their bytes. */
export const DTYPE_BYTES = { F32: 4, F16: 2, BF16: 2 } as const;
export type Dtype = keyof typeof DTYPE_BYTES;

/** Elements as float32; half types widen exactly. Shares memory where types and alignment allow. */
export function toFloat32(bytes: Uint8Array, dtype: Dtype): Float32Array {
  const { buffer, byteOffset, length } = aligned(bytes, DTYPE_BYTES[dtype]);
  if (dtype === 'F32') return new Float32Array(buffer, byteOffset, length / 4);
  const bits = new Uint16Array(buffer, byteOffset, length / 2);
  const values = new Float32Array(bits.length);
  if (dtype === 'BF16') {
    const words = new Uint32Array(values.buffer);
    for (let i = 0; i < bits.length; i++) words[i] = (bits[i] ?? 0) << 16;
  } else {
    halves ??= Float32Array.from({ length: 0x10000 }, (_, half) => widened(half));
    for (let i = 0; i < bits.length; i++) values[i] = halves[bits[i] ?? 0] ?? NaN;
  }
  return values;
}

/**
 * Elements as bytes of a type, rounded to nearest, ties to even. Shares memory for F32.
 *
 * @param name of the tensor, for the error
 * @throws VggError INVALID_ARGUMENT if a value is beyond F16's range
 */
export function fromFloat32(values: Float32Array, dtype: Dtype, name: string): Uint8Array {
  if (dtype === 'F32') return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const bits = new Uint16Array(values.length);
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? 0;
    const size = word & 0x7fffffff;
    if (dtype === 'BF16') bits[i] = size > 0x7f800000 ? (word >>> 16) | 0x40 : roundedOff(word, 16);
    else if (size >= BEYOND_HALF) throw expected('weights within ±65504 for F16', values[i], name);
    else {
      // Below 2^-14 a half counts in 2^-24; above, exponents are rebased from 127 to 15.
      const half = size < 0x38800000 ? subnormal(values[i] ?? 0) : roundedOff(size - 0x38000000, 13);
      bits[i] = ((word >>> 16) & 0x8000) | half;
    }
  }
  return new Uint8Array(bits.buffer);
}

// 65520 as float32: from here halves round to infinity.
const BEYOND_HALF = 0x477ff000;

let halves: Float32Array | undefined;

function widened(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

// Drops low bits, to nearest, ties to even; a fraction that rounds up carries into the exponent, as it should.
function roundedOff(word: number, low: number): number {
  return (word + (1 << (low - 1)) - 1 + ((word >>> low) & 1)) >>> low;
}

function subnormal(value: number): number {
  const units = Math.abs(value) * 2 ** 24;
  const floor = Math.floor(units);
  const rest = units - floor;
  return floor + (rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? 1 : 0);
}

function aligned(bytes: Uint8Array, size: number): Uint8Array {
  return bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes);
}
