// The paper's D and E at full size by onnxruntime: views together give the same answers as each by itself.

import { startOnnxEngine } from '../../../services/inference/onnx/engine.ts';
import { engineFullSize } from '../engine-conformance/full-size.ts';

engineFullSize(startOnnxEngine);
