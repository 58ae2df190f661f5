// Original file: proto/vgg/v1/inference_service.proto


/**
 * Asks for all models.
 */
export interface ListModelsRequest {
}

/**
 * Asks for all models.
 */
export interface ListModelsRequest__Output {
}
