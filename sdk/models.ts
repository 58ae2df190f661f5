// models and model: what the server can be asked to use.

import { inferenceService } from '../proto/definitions.ts';
import { enumName } from '../proto/evaluation.ts';
import type { Model__Output } from '../proto/generated/vgg/v1/Model.ts';
import { VggError } from '../vgg/errors.ts';
import type { CallOptions } from './call-options.ts';
import { KERNELS, type Kernel, type Rgb } from './evaluation.ts';
import type { ServiceCalls } from './service-calls.ts';

/** What a model is. */
export interface Model {
  name: string;
  /** Table row: A, A-LRN, B, C, D, E or B-5x5. */
  network: string;
  /** Multiplier of every convolution's width; 1 in the paper. */
  width: number;
  /** Width of the first two fully connected layers; 4096 in the paper. */
  hidden: number;
  classes: number;
  /** Side of a crop in pixels. */
  inputSize: number;
  mean: Rgb;
  /** Default scales, in pixels. */
  scales: number[];
  kernel: Kernel;
  /** In order of the class index. */
  labels: string[];
  parameters: number;
  /** Multiply-accumulates of one crop. */
  macs: number;
  /** Of the weights file, hexadecimal. */
  sha256: string;
  provenance: string;
  licence: string;
  /** Whether it answers requests that name no model. */
  isDefault: boolean;
  /** onnx or tensorflow. */
  engine: string;
}

/** The models, the default one first. */
export async function models(calls: ServiceCalls, options: CallOptions): Promise<Model[]> {
  const response = await calls.unary(inferenceService.ListModels, {}, options);
  return response.models.map(modelOf);
}

/** One model; the default one for an empty name. */
export async function model(calls: ServiceCalls, name: string, options: CallOptions): Promise<Model> {
  const response = await calls.unary(inferenceService.GetModel, { name }, options);
  if (!response.model) throw new VggError('INTERNAL', 'The server sent no model');
  return modelOf(response.model);
}

function modelOf(message: Model__Output): Model {
  const { mean, kernel, ...rest } = message;
  return {
    ...rest,
    mean: mean ?? { red: 0, green: 0, blue: 0 },
    kernel: enumName(kernel, 'KERNEL_', KERNELS, 'kernel') ?? 'linear',
  };
}
