// Tests of the trainer that need the TensorFlow library.

import { describe } from 'vitest';
import { loadTensorFlow, type TensorFlow } from '../../services/host/tensorflow/library.ts';
import { tensorFlowMissing } from '../tensorflow-library.ts';

const library = tensorFlowMissing === undefined ? await loadTensorFlow() : undefined;

/** `describe` of tests that compute; left out where there is no library. */
export function describeComputing(title: string, tests: (tf: TensorFlow) => void): void {
  if (!library) {
    describe.skip(title);
    return;
  }
  describe(title, () => {
    tests(library);
  });
}
