// The TensorFlow library, loaded: one place that knows what may be missing, and what there is. Does not know
// networks or how the library is built (build.ts).

import type tf from '@tensorflow/tfjs-node-gpu';
import { VggError } from '../../../vgg/errors.ts';
import { prepareTensorFlowEnvironment } from './env.ts';

/** TensorFlow.js on the native library. */
export type TensorFlow = typeof tf;

/** What was loaded. */
export interface TensorFlowFacts {
  /** Of the native library, e.g. 2.21.0. */
  version: string;
  /** Of TensorFlow.js. */
  tfjs: string;
  /** What it computes on: a GPU if the library is built for one and sees one. */
  device: 'gpu' | 'cpu';
}

/** An attribute of an operation. */
export interface OperationAttribute {
  name: string;
  /** One of the binding's TF_ATTR_… */
  type: number;
  value: boolean | number | string | number[];
}

/** The native library as its binding has it: operations on tensors, which are numbers until they are deleted. */
export interface TensorFlowBinding {
  /** A tensor of these values, on the device. Shares the array's memory on the CPU: leave it as it is. */
  createTensor(shape: number[], dtype: number, values: Float32Array | Int32Array | Uint8Array): number;
  deleteTensor(id: number): void;
  /** The values; waits for the device. */
  tensorDataSync(id: number): Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;
  /** Runs an operation. @returns its outputs */
  executeOp(
    name: string,
    attributes: OperationAttribute[],
    inputs: number[],
    outputs: number,
  ): { id: number; shape: number[]; dtype: number }[];
  /** Tensors that are not deleted. */
  getNumOfTensors(): number;
  isUsingGpuDevice(): boolean;
  readonly TF_Version: string;
  readonly TF_FLOAT: number;
  readonly TF_INT32: number;
  readonly TF_UINT8: number;
  readonly TF_ATTR_BOOL: number;
  readonly TF_ATTR_FLOAT: number;
  readonly TF_ATTR_INT: number;
  readonly TF_ATTR_STRING: number;
  readonly TF_ATTR_TYPE: number;
}

const PACKAGE = '@tensorflow/tfjs-node-gpu';
// TensorFlow.js 4.22 calls functions of node:util that Node 23 no longer has.
const NODE_BELOW = 23;

/**
 * Loads the library, on whatever thread calls: it computes there. From a worker, the main thread must have
 * called `prepareTensorFlowEnvironment` first.
 *
 * @throws VggError UNAVAILABLE saying what is missing and how to get it
 */
export async function loadTensorFlow(): Promise<TensorFlow> {
  const [major = 0] = process.versions.node.split('.').map(Number);
  if (major >= NODE_BELOW) {
    throw missing(`Node ${process.version} cannot run it: use Node 20 or 22`);
  }
  prepareTensorFlowEnvironment();
  try {
    return (await import('@tensorflow/tfjs-node-gpu')).default;
  } catch (cause) {
    throw missing(why(cause), cause);
  }
}

/** What is loaded, and what it computes on. */
export function tensorFlowFacts(library: TensorFlow): TensorFlowFacts {
  const binding = tensorFlowBinding(library);
  return {
    version: binding.TF_Version,
    tfjs: library.version.tfjs,
    device: binding.isUsingGpuDevice() ? 'gpu' : 'cpu',
  };
}

/** The operations underneath, for what TensorFlow.js has no word for. */
export function tensorFlowBinding(library: TensorFlow): TensorFlowBinding {
  return (library.backend() as unknown as { binding: TensorFlowBinding }).binding;
}

function why(cause: unknown): string {
  const { code, message } = cause as { code?: string; message?: string };
  if ((code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') && message?.includes(PACKAGE)) {
    return `${PACKAGE} is not installed: run npm ci --include=optional, then npm run tensorflow`;
  }
  if (message?.includes('can not be found')) return 'it is not built: run npm run tensorflow';
  return `it does not load (${String(message)}): run npm run tensorflow again`;
}

function missing(reason: string, cause?: unknown): VggError {
  return new VggError('UNAVAILABLE', `Expected the TensorFlow library but ${reason}`, { cause });
}
