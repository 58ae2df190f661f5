// Elements of a file's tensors as numbers, each checked to be finite.

import { DTYPE_BYTES, expected, toFloat32, type Dtype } from '../../vgg/index.ts';
import type { StoredTensor } from './release.ts';

/** Element types that weights are read from. */
export const STORED_TYPES = ['F64', ...(Object.keys(DTYPE_BYTES) as Dtype[])] as const;

/** Numbers of a tensor: float64 where the file has them, else float32. */
export type Numbers = Float32Array | Float64Array;

/**
 * Little-endian elements as numbers; shares their memory where it can.
 *
 * @throws VggError INVALID_ARGUMENT naming the tensor if a value is NaN or infinite, or of no weights' type
 */
export function finiteNumbers(bytes: Uint8Array, { name, dtype }: StoredTensor): Numbers {
  const type = STORED_TYPES.find((each) => each === dtype);
  if (!type) throw expected(`types ${STORED_TYPES.join(', ')}`, dtype, name);
  const numbers = type === 'F64' ? new Float64Array(Uint8Array.from(bytes).buffer) : toFloat32(bytes, type);
  // A loop over bits that never leaves the typed array: a check for each of 138 million.
  for (let i = 0; i < numbers.length; i++) {
    const value = numbers[i] ?? NaN;
    if (value - value !== 0) throw expected('finite weights', value, name);
  }
  return numbers;
}
