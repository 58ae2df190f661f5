// The onnxruntime engine does what every engine must do.

import { startOnnxEngine } from '../../../services/inference/onnx/engine.ts';
import { engineConformance } from '../engine-conformance/suite.ts';

engineConformance(() => startOnnxEngine({ threads: 2 }));
