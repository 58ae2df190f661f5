// Original file: proto/inference/grpc_service.proto

import type { InferParameter as _inference_InferParameter, InferParameter__Output as _inference_InferParameter__Output } from '../inference/InferParameter.ts';
import type { InferTensorContents as _inference_InferTensorContents, InferTensorContents__Output as _inference_InferTensorContents__Output } from '../inference/InferTensorContents.ts';
import type { Long } from '@grpc/proto-loader';

/**
 * An output.
 */
export interface _inference_ModelInferResponse_InferOutputTensor {
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
   * Its elements; empty, as raw_output_contents has them.
   */
  'contents'?: (_inference_InferTensorContents | null);
}

/**
 * An output.
 */
export interface _inference_ModelInferResponse_InferOutputTensor__Output {
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
   * Its elements; empty, as raw_output_contents has them.
   */
  'contents': (_inference_InferTensorContents__Output | null);
}

/**
 * Scores of tensors.
 */
export interface ModelInferResponse {
  /**
   * Name of the model.
   */
  'modelName'?: (string);
  /**
   * Version that answered.
   */
  'modelVersion'?: (string);
  /**
   * id of the request.
   */
  'id'?: (string);
  /**
   * Parameters of the answer.
   */
  'parameters'?: ({[key: string]: _inference_InferParameter});
  /**
   * The outputs.
   */
  'outputs'?: (_inference_ModelInferResponse_InferOutputTensor)[];
  /**
   * Raw little-endian elements of each output, in order of outputs.
   */
  'rawOutputContents'?: (Buffer | Uint8Array | string)[];
}

/**
 * Scores of tensors.
 */
export interface ModelInferResponse__Output {
  /**
   * Name of the model.
   */
  'modelName': (string);
  /**
   * Version that answered.
   */
  'modelVersion': (string);
  /**
   * id of the request.
   */
  'id': (string);
  /**
   * Parameters of the answer.
   */
  'parameters': ({[key: string]: _inference_InferParameter__Output});
  /**
   * The outputs.
   */
  'outputs': (_inference_ModelInferResponse_InferOutputTensor__Output)[];
  /**
   * Raw little-endian elements of each output, in order of outputs.
   */
  'rawOutputContents': (Buffer)[];
}
