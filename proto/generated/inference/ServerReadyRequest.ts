// Original file: proto/inference/grpc_service.proto


/**
 * Nothing is asked.
 */
export interface ServerReadyRequest {
}

/**
 * Nothing is asked.
 */
export interface ServerReadyRequest__Output {
}
