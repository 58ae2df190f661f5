// A model's weights file. Knows paths, sizes and numbers, not what the tensors mean.

import { readSync, realpathSync, statSync } from 'node:fs';
import { VggError, expected } from '../../../vgg/errors.ts';
import { toFloat32 } from '../../../vgg/pack.ts';
import type { ModelSource } from './messages.ts';

/**
 * The file's own path, behind all links.
 *
 * @throws VggError INVALID_ARGUMENT if it cannot be read or ends before its last tensor
 */
export function weightsFile({ name, weightsPath, tensors }: ModelSource): string {
  let path: string;
  let size: number;
  try {
    path = realpathSync(weightsPath);
    size = statSync(path).size;
  } catch (cause) {
    throw new VggError('INVALID_ARGUMENT', `Expected the weights of ${name} but cannot read ${weightsPath}`, {
      cause,
    });
  }
  // A mapping that reaches beyond its file would end the process, not the call.
  const end = Math.max(...tensors.map((tensor) => tensor.offset + tensor.bytes));
  if (size < end) {
    throw new VggError(
      'INVALID_ARGUMENT',
      `Expected weights of ${String(end)} bytes but received ${String(size)}: truncated (${name})`,
    );
  }
  return path;
}

/**
 * A tensor's numbers, widened.
 *
 * @param file descriptor of the weights file
 * @throws VggError INVALID_ARGUMENT if it is missing, cut short or not finite
 */
export function readTensor({ name: model, tensors }: ModelSource, file: number, name: string): Float32Array {
  const entry = tensors.find((tensor) => tensor.name === name);
  if (!entry) throw expected(`tensor ${name}`, 'a file without it', model);
  const count = entry.shape.reduce((product, side) => product * side, 1);
  const bytes = new Uint8Array(entry.bytes);
  // One read of a file gives 2 GiB at most.
  for (let at = 0; at < bytes.length;) {
    const read = readSync(file, bytes, at, Math.min(bytes.length - at, 2 ** 30), entry.offset + at);
    if (read === 0) throw expected(`${String(entry.bytes)} bytes`, `${String(at)}: truncated`, name);
    at += read;
  }
  const values = toFloat32(bytes, entry.dtype);
  if (values.length !== count) throw expected(`${String(count)} numbers`, values.length, name);
  // Some operations of the library lose a NaN on its way to the scores.
  const broken = values.findIndex((value) => !Number.isFinite(value));
  if (broken >= 0) {
    throw new VggError(
      'INVALID_ARGUMENT',
      `Expected finite weights but ${name} of ${model} has ${String(values[broken])}: its weights are broken`,
    );
  }
  return values;
}
