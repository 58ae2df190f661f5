// Original file: proto/vgg/v1/inference_service.proto


/**
 * Ends a call before its end.
 */
export interface CancelScore {
}

/**
 * Ends a call before its end.
 */
export interface CancelScore__Output {
}
