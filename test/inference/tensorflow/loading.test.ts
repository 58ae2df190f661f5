// The TensorFlow engine loads what may be loaded.

import { describe } from 'vitest';
import { startTensorFlowEngine } from '../../../services/inference/tensorflow/engine.ts';
import { tensorFlowMissing } from '../../tensorflow-library.ts';
import { engineLoading } from '../engine-conformance/loading.ts';

describe.skipIf(tensorFlowMissing !== undefined)('tensorflow', () => {
  engineLoading(startTensorFlowEngine);
});
