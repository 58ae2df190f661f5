// Original file: proto/inference/grpc_service.proto


/**
 * Answer of ModelReady.
 */
export interface ModelReadyResponse {
  /**
   * True while the model can be used.
   */
  'ready'?: (boolean);
}

/**
 * Answer of ModelReady.
 */
export interface ModelReadyResponse__Output {
  /**
   * True while the model can be used.
   */
  'ready': (boolean);
}
