// Whether the TensorFlow library is here: tests that need it are left out where it is not, and say so.

import { loadTensorFlow } from '../services/host/tensorflow/library.ts';
import type { VggError } from '../vgg/errors.ts';

/** Why the library cannot be used; undefined if it can. Printed where tests are left out because of it. */
export const tensorFlowMissing: string | undefined = await loadTensorFlow().then(
  () => undefined,
  (error: unknown) => (error as VggError).message,
);

if (tensorFlowMissing !== undefined) {
  process.stdout.write(`Tests that need TensorFlow are left out: ${tensorFlowMissing}\n`);
}
