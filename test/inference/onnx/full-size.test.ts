// The paper's D and E at full size by onnxruntime: views together give the same answers as each by itself.

import { describe } from 'vitest';
import { engineFullSize } from '../engine-conformance/full-size.ts';
import { ONNX_ENGINES } from './cuda.ts';

describe.each(ONNX_ENGINES)('%s', (_, start) => {
  engineFullSize(start);
});
