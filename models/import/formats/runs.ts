// A tensor whose elements lie in stretches of a file, densely or with a tag before each.
// Knows where bytes are, not what they mean.

import { VggError, elements } from '../../../vgg/index.ts';
import type { StoredTensor } from '../release.ts';
import type { FileBytes } from './file-bytes.ts';
import type { Run } from './protobuf-wire.ts';

// Bytes in memory beside the result, where tags must be left out.
const PIECE = 1 << 20;

/**
 * The tensor whose elements are those of the runs, in order.
 *
 * @param size bytes of an element
 * @throws VggError INVALID_ARGUMENT unless the runs have as many elements as the shape
 */
export function tensorOfRuns(
  file: FileBytes,
  { name, dtype, shape }: Omit<StoredTensor, 'read'>,
  size: number,
  runs: readonly Run[],
): StoredTensor {
  const wanted = elements(shape);
  const count = runs.reduce((sum, run) => sum + run.count, 0);
  if (count !== wanted) {
    throw new VggError(
      'INVALID_ARGUMENT',
      `Expected ${String(wanted)} elements of shape [${shape.join(', ')}] but received ${String(count)} (${name})`,
    );
  }
  return {
    name,
    dtype,
    shape,
    async read(start, length) {
      if (!(start >= 0 && length >= 0 && start + length <= wanted)) {
        throw new VggError(
          'INVALID_ARGUMENT',
          `Expected elements up to ${String(wanted)} but asked for ${String(start + length)} (${name})`,
        );
      }
      const bytes = new Uint8Array(length * size);
      let filled = 0;
      let first = 0;
      for (const run of runs) {
        const from = Math.max(0, start - first);
        const to = Math.min(run.count, start + length - first);
        first += run.count;
        if (from >= to) continue;
        await copy(file, { ...run, start: run.start + from * run.stride, count: to - from }, size, name, (part) => {
          bytes.set(part, filled);
          filled += part.length;
        });
      }
      return bytes;
    },
  };
}

async function copy(
  file: FileBytes,
  { start, count, stride }: Run,
  size: number,
  name: string,
  take: (bytes: Uint8Array) => void,
): Promise<void> {
  if (stride === size) {
    take(await file.read(start, count * size, name));
    return;
  }
  const most = Math.floor(PIECE / stride);
  for (let done = 0; done < count; done += most) {
    const now = Math.min(most, count - done);
    // The last element ends the stretch: no tag follows it.
    const tagged = await file.read(start + done * stride, (now - 1) * stride + size, name);
    const dense = new Uint8Array(now * size);
    for (let i = 0; i < now; i++) dense.set(tagged.subarray(i * stride, i * stride + size), i * size);
    take(dense);
  }
}
