// The bytes of a weights file in the canonical layout, from tensors that are computed as they are asked for.

import { formatSafetensorsHeader, fromFloat32, type Dtype } from '../../vgg/index.ts';
import type { CanonicalTensor } from './layers.ts';

/**
 * The file in pieces: header, then each tensor's elements, rounded once to the type they are stored in.
 *
 * @param parameters elements that the network has in all
 * @param progress told the bytes of each piece
 * @throws VggError INVALID_ARGUMENT naming a tensor whose values its type cannot hold
 */
export async function* canonicalFile(
  tensors: readonly (CanonicalTensor & { dtype: Dtype })[],
  parameters: number,
  progress?: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  yield formatSafetensorsHeader(tensors);
  let written = 0;
  for (const tensor of tensors) {
    for await (const piece of tensor.values()) {
      const values = piece instanceof Float32Array ? piece : new Float32Array(piece);
      const bytes = fromFloat32(values, tensor.dtype, tensor.name);
      yield bytes;
      written += piece.length;
      progress?.(bytes.length);
    }
  }
  if (written !== parameters)
    throw new Error(`${String(written)} of ${String(parameters)} parameters written`);
}
