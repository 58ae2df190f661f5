// Original file: proto/google/rpc/status.proto

import type { Any as _google_protobuf_Any, Any__Output as _google_protobuf_Any__Output } from '../../google/protobuf/Any.ts';

/**
 * A status with details.
 */
export interface Status {
  /**
   * gRPC status code.
   */
  'code'?: (number);
  /**
   * The message that the caller sees.
   */
  'message'?: (string);
  /**
   * ErrorInfo, then BadRequest where fields are at fault.
   */
  'details'?: (_google_protobuf_Any)[];
}

/**
 * A status with details.
 */
export interface Status__Output {
  /**
   * gRPC status code.
   */
  'code': (number);
  /**
   * The message that the caller sees.
   */
  'message': (string);
  /**
   * ErrorInfo, then BadRequest where fields are at fault.
   */
  'details': (_google_protobuf_Any__Output)[];
}
