// A model's weights file, before anybody reads from it. Knows paths and sizes, not what the tensors mean.

import { realpathSync, statSync } from 'node:fs';
import { VggError } from '../../../vgg/errors.ts';
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
