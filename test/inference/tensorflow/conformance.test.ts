// The TensorFlow engine does what every engine must do.

import { describe } from 'vitest';
import { startTensorFlowEngine } from '../../../services/inference/tensorflow/engine.ts';
import { tensorFlowMissing } from '../../tensorflow-library.ts';
import { engineConformance } from '../engine-conformance/suite.ts';

describe.skipIf(tensorFlowMissing !== undefined)('tensorflow', () => {
  engineConformance(() => startTensorFlowEngine({ threads: 2 }));
});
