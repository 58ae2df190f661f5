// Whether onnxruntime can compute on a GPU here: its package has no CUDA provider unless its install script has fetched
// one. Knows no network.

import { env, InferenceSession } from 'onnxruntime-node';
import { VggError } from '../../../vgg/errors.ts';
import { GraphBuilder } from './graph-builder.ts';
import { encodeModel } from './model-proto.ts';

/** Where sessions compute; what a provider cannot do is left to the next. */
export const PROVIDERS = { cpu: ['cpu'], gpu: ['cuda', 'cpu'] } as const;

/**
 * Opens a session on the GPU and closes it.
 *
 * @throws VggError UNAVAILABLE if there is no provider, none of CUDA's libraries, no driver or no GPU
 */
export async function checkCuda(): Promise<void> {
  const graph = new GraphBuilder();
  graph.named('y', 'Relu', ['x']);
  const value = (name: string) => ({ name, element: 'float32', dims: ['n'] }) as const;
  const model = encodeModel({
    ...{ name: 'gpu', nodes: graph.nodes, initializers: graph.initializers },
    ...{ inputs: [value('x')], outputs: [value('y')] },
  });
  // What fails is thrown; the library would print it as well.
  env.logLevel = 'fatal';
  try {
    const session = await InferenceSession.create(model, {
      executionProviders: [...PROVIDERS.gpu],
      logSeverityLevel: 4,
    });
    await session.release();
  } catch (cause) {
    const [reason = ''] = (cause instanceof Error ? cause.message : String(cause)).trim().split('\n');
    throw new VggError(
      'UNAVAILABLE',
      `Expected a GPU but onnxruntime cannot use one: ${reason.slice(0, MOST_REASON)}. Has its install script fetched the CUDA provider (ONNXRUNTIME_NODE_INSTALL=cuda12), are CUDA 12, cuDNN 9 and the driver there and the GPU given to this container? VGG_DEVICE=cpu computes on the CPU`,
      { cause },
    );
  }
}

const MOST_REASON = 300;
