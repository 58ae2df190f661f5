// Original file: proto/inference/grpc_service.proto

import type { Long } from '@grpc/proto-loader';

/**
 * A tensor.
 */
export interface _inference_ModelMetadataResponse_TensorMetadata {
  /**
   * Name of the tensor.
   */
  'name'?: (string);
  /**
   * Type of its elements.
   */
  'datatype'?: (string);
  /**
   * Its shape; −1 where any length is taken.
   */
  'shape'?: (number | string | Long)[];
}

/**
 * A tensor.
 */
export interface _inference_ModelMetadataResponse_TensorMetadata__Output {
  /**
   * Name of the tensor.
   */
  'name': (string);
  /**
   * Type of its elements.
   */
  'datatype': (string);
  /**
   * Its shape; −1 where any length is taken.
   */
  'shape': (number)[];
}

/**
 * Inputs and outputs of a model.
 */
export interface ModelMetadataResponse {
  /**
   * Name of the model.
   */
  'name'?: (string);
  /**
   * Its versions.
   */
  'versions'?: (string)[];
  /**
   * Engine that runs it.
   */
  'platform'?: (string);
  /**
   * What it takes.
   */
  'inputs'?: (_inference_ModelMetadataResponse_TensorMetadata)[];
  /**
   * What it gives.
   */
  'outputs'?: (_inference_ModelMetadataResponse_TensorMetadata)[];
  /**
   * Network, mean, scales.
   */
  'properties'?: ({[key: string]: string});
}

/**
 * Inputs and outputs of a model.
 */
export interface ModelMetadataResponse__Output {
  /**
   * Name of the model.
   */
  'name': (string);
  /**
   * Its versions.
   */
  'versions': (string)[];
  /**
   * Engine that runs it.
   */
  'platform': (string);
  /**
   * What it takes.
   */
  'inputs': (_inference_ModelMetadataResponse_TensorMetadata__Output)[];
  /**
   * What it gives.
   */
  'outputs': (_inference_ModelMetadataResponse_TensorMetadata__Output)[];
  /**
   * Network, mean, scales.
   */
  'properties': ({[key: string]: string});
}
