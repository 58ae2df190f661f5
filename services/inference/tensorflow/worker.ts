// Entry of the TensorFlow engine's worker thread.

import { workerData } from 'node:worker_threads';
import { VggError } from '../../../vgg/errors.ts';
import { loadTensorFlow, tensorFlowBinding, tensorFlowFacts } from '../../host/tensorflow/library.ts';
import { serveThread } from '../worker/thread.ts';
import type { TensorFlowSettings } from './engine.ts';
import { TensorFlowSessions } from './sessions.ts';

await serveThread(async () => {
  const { device: wanted, precision } = workerData as TensorFlowSettings;
  const library = await loadTensorFlow();
  const { version, tfjs, device } = tensorFlowFacts(library);
  if (wanted === 'gpu' && device !== 'gpu') {
    throw new VggError(
      'UNAVAILABLE',
      `Expected a GPU but TensorFlow ${version} sees none: is the library built with --gpu, the driver there and the GPU given to this container? VGG_DEVICE=cpu computes on the CPU`,
    );
  }
  if (precision === 'float16' && device !== 'gpu') {
    throw new VggError(
      'INVALID_ARGUMENT',
      'Expected VGG_INFERENCE_PRECISION=float32 on a CPU but received float16: it is for GPUs',
    );
  }
  return {
    facts: { version: `${version} (tfjs-node ${tfjs})`, providers: [device], device },
    sessions: new TensorFlowSessions(tensorFlowBinding(library), precision),
  };
});
