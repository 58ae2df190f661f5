// The onnxruntime engine's worker dies.

import { startOnnxEngine } from '../../../services/inference/onnx/engine.ts';
import { engineDeaths } from '../engine-conformance/death.ts';

const WORKER = new URL('../../../services/inference/onnx/worker.js', import.meta.url);

engineDeaths(startOnnxEngine, WORKER);
