// Where onnxruntime's tests run: on the CPU, and on a GPU where its package has its CUDA provider and there is one.

import { checkCuda } from '../../../services/inference/onnx/cuda.ts';
import { startOnnxEngine } from '../../../services/inference/onnx/engine.ts';

const cuda = await checkCuda().then(
  () => true,
  () => false,
);

/** By what each is called, how an engine there is started. */
export const ONNX_ENGINES = [
  ['onnx', startOnnxEngine],
  ...(cuda ? ([['onnx on a GPU', onGpu]] as const) : []),
] as const;

function onGpu(options?: Parameters<typeof startOnnxEngine>[0]) {
  return startOnnxEngine({ ...options, device: 'gpu' });
}
