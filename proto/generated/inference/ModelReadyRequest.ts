// Original file: proto/inference/grpc_service.proto


/**
 * Names a model.
 */
export interface ModelReadyRequest {
  /**
   * Name of the model.
   */
  'name'?: (string);
  /**
   * Version; empty or 1.
   */
  'version'?: (string);
}

/**
 * Names a model.
 */
export interface ModelReadyRequest__Output {
  /**
   * Name of the model.
   */
  'name': (string);
  /**
   * Version; empty or 1.
   */
  'version': (string);
}
