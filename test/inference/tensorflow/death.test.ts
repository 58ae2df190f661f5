// The TensorFlow engine's worker dies.

import { describe } from 'vitest';
import { startTensorFlowEngine } from '../../../services/inference/tensorflow/engine.ts';
import { tensorFlowMissing } from '../../tensorflow-library.ts';
import { engineDeaths } from '../engine-conformance/death.ts';

const WORKER = new URL('../../../services/inference/tensorflow/worker.js', import.meta.url);

describe.skipIf(tensorFlowMissing !== undefined)('tensorflow', () => {
  engineDeaths(startTensorFlowEngine, WORKER);
});
