// Original file: proto/google/rpc/status.proto


/**
 * One field.
 */
export interface _google_rpc_BadRequest_FieldViolation {
  /**
   * Path of the field, for example scales[1].
   */
  'field'?: (string);
  /**
   * What is wrong with it.
   */
  'description'?: (string);
}

/**
 * One field.
 */
export interface _google_rpc_BadRequest_FieldViolation__Output {
  /**
   * Path of the field, for example scales[1].
   */
  'field': (string);
  /**
   * What is wrong with it.
   */
  'description': (string);
}

/**
 * Fields of the request that are wrong.
 */
export interface BadRequest {
  /**
   * All of them.
   */
  'fieldViolations'?: (_google_rpc_BadRequest_FieldViolation)[];
}

/**
 * Fields of the request that are wrong.
 */
export interface BadRequest__Output {
  /**
   * All of them.
   */
  'fieldViolations': (_google_rpc_BadRequest_FieldViolation__Output)[];
}
