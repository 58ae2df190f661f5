// The onnxruntime engine does what every engine must do.

import { describe } from 'vitest';
import { engineConformance } from '../engine-conformance/suite.ts';
import { ONNX_ENGINES } from './cuda.ts';

describe.each(ONNX_ENGINES)('%s', (_, start) => {
  engineConformance(() => start({ threads: 2 }));
});
