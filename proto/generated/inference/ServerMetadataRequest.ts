// Original file: proto/inference/grpc_service.proto


/**
 * Nothing is asked.
 */
export interface ServerMetadataRequest {
}

/**
 * Nothing is asked.
 */
export interface ServerMetadataRequest__Output {
}
