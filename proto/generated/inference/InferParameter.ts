// Original file: proto/inference/grpc_service.proto

import type { Long } from '@grpc/proto-loader';

/**
 * A parameter of any type.
 */
export interface InferParameter {
  /**
   * A boolean.
   */
  'boolParam'?: (boolean);
  /**
   * An integer.
   */
  'int64Param'?: (number | string | Long);
  /**
   * A text.
   */
  'stringParam'?: (string);
  /**
   * A number.
   */
  'doubleParam'?: (number | string);
  /**
   * An integer ≥ 0.
   */
  'uint64Param'?: (number | string | Long);
  /**
   * Exactly one of them.
   */
  'parameterChoice'?: "boolParam"|"int64Param"|"stringParam"|"doubleParam"|"uint64Param";
}

/**
 * A parameter of any type.
 */
export interface InferParameter__Output {
  /**
   * A boolean.
   */
  'boolParam'?: (boolean);
  /**
   * An integer.
   */
  'int64Param'?: (number);
  /**
   * A text.
   */
  'stringParam'?: (string);
  /**
   * A number.
   */
  'doubleParam'?: (number);
  /**
   * An integer ≥ 0.
   */
  'uint64Param'?: (number);
  /**
   * Exactly one of them.
   */
  'parameterChoice'?: "boolParam"|"int64Param"|"stringParam"|"doubleParam"|"uint64Param";
}
