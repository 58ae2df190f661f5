// The onnxruntime engine loads what may be loaded.

import { startOnnxEngine } from '../../../services/inference/onnx/engine.ts';
import { engineLoading } from '../engine-conformance/loading.ts';

engineLoading(startOnnxEngine);
