// Original file: proto/inference/grpc_service.proto


/**
 * Nothing is asked.
 */
export interface ServerLiveRequest {
}

/**
 * Nothing is asked.
 */
export interface ServerLiveRequest__Output {
}
