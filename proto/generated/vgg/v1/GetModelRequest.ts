// Original file: proto/vgg/v1/inference_service.proto


/**
 * Asks for one model.
 */
export interface GetModelRequest {
  /**
   * Name of the model. Empty: the default model.
   */
  'name'?: (string);
}

/**
 * Asks for one model.
 */
export interface GetModelRequest__Output {
  /**
   * Name of the model. Empty: the default model.
   */
  'name': (string);
}
