// Original file: proto/inference/grpc_service.proto

import type { InferParameter as _inference_InferParameter, InferParameter__Output as _inference_InferParameter__Output } from '../inference/InferParameter.ts';
import type { InferTensorContents as _inference_InferTensorContents, InferTensorContents__Output as _inference_InferTensorContents__Output } from '../inference/InferTensorContents.ts';
import type { Long } from '@grpc/proto-loader';

/**
 * An input.
 */
export interface _inference_ModelInferRequest_InferInputTensor {
  /**
   * Name of the tensor.
   */
  'name'?: (string);
  /**
   * Type of its elements.
   */
  'datatype'?: (string);
  /**
   * Its shape.
   */
  'shape'?: (number | string | Long)[];
  /**
   * Parameters of the tensor.
   */
  'parameters'?: ({[key: string]: _inference_InferParameter});
  /**
   * Its elements, unless raw_input_contents has them.
   */
  'contents'?: (_inference_InferTensorContents | null);
}

/**
 * An input.
 */
export interface _inference_ModelInferRequest_InferInputTensor__Output {
  /**
   * Name of the tensor.
   */
  'name': (string);
  /**
   * Type of its elements.
   */
  'datatype': (string);
  /**
   * Its shape.
   */
  'shape': (number)[];
  /**
   * Parameters of the tensor.
   */
  'parameters': ({[key: string]: _inference_InferParameter__Output});
  /**
   * Its elements, unless raw_input_contents has them.
   */
  'contents': (_inference_InferTensorContents__Output | null);
}

/**
 * An output that is wanted.
 */
export interface _inference_ModelInferRequest_InferRequestedOutputTensor {
  /**
   * Name of the tensor.
   */
  'name'?: (string);
  /**
   * classification: int64 k gives the k most probable classes as BYTES "value:index:label".
   */
  'parameters'?: ({[key: string]: _inference_InferParameter});
}

/**
 * An output that is wanted.
 */
export interface _inference_ModelInferRequest_InferRequestedOutputTensor__Output {
  /**
   * Name of the tensor.
   */
  'name': (string);
  /**
   * classification: int64 k gives the k most probable classes as BYTES "value:index:label".
   */
  'parameters': ({[key: string]: _inference_InferParameter__Output});
}

/**
 * Tensors to score.
 */
export interface ModelInferRequest {
  /**
   * Name of the model.
   */
  'modelName'?: (string);
  /**
   * Version; empty or 1.
   */
  'modelVersion'?: (string);
  /**
   * Echoed in the answer.
   */
  'id'?: (string);
  /**
   * priority: 0 interactive, 1 batch.
   */
  'parameters'?: ({[key: string]: _inference_InferParameter});
  /**
   * The inputs.
   */
  'inputs'?: (_inference_ModelInferRequest_InferInputTensor)[];
  /**
   * The outputs that are wanted. Empty: all.
   */
  'outputs'?: (_inference_ModelInferRequest_InferRequestedOutputTensor)[];
  /**
   * Raw little-endian elements of each input, in order of inputs.
   */
  'rawInputContents'?: (Buffer | Uint8Array | string)[];
}

/**
 * Tensors to score.
 */
export interface ModelInferRequest__Output {
  /**
   * Name of the model.
   */
  'modelName': (string);
  /**
   * Version; empty or 1.
   */
  'modelVersion': (string);
  /**
   * Echoed in the answer.
   */
  'id': (string);
  /**
   * priority: 0 interactive, 1 batch.
   */
  'parameters': ({[key: string]: _inference_InferParameter__Output});
  /**
   * The inputs.
   */
  'inputs': (_inference_ModelInferRequest_InferInputTensor__Output)[];
  /**
   * The outputs that are wanted. Empty: all.
   */
  'outputs': (_inference_ModelInferRequest_InferRequestedOutputTensor__Output)[];
  /**
   * Raw little-endian elements of each input, in order of inputs.
   */
  'rawInputContents': (Buffer)[];
}
