// Original file: proto/inference/grpc_service.proto


/**
 * Answer of ServerReady.
 */
export interface ServerReadyResponse {
  /**
   * True while every model can be used.
   */
  'ready'?: (boolean);
}

/**
 * Answer of ServerReady.
 */
export interface ServerReadyResponse__Output {
  /**
   * True while every model can be used.
   */
  'ready': (boolean);
}
