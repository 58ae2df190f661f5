// Original file: proto/google/rpc/status.proto


/**
 * The cause of an error, by name.
 */
export interface ErrorInfo {
  /**
   * The project's own error code, for example TOO_LARGE.
   */
  'reason'?: (string);
  /**
   * vgg-serve.
   */
  'domain'?: (string);
}

/**
 * The cause of an error, by name.
 */
export interface ErrorInfo__Output {
  /**
   * The project's own error code, for example TOO_LARGE.
   */
  'reason': (string);
  /**
   * vgg-serve.
   */
  'domain': (string);
}
