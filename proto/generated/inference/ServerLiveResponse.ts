// Original file: proto/inference/grpc_service.proto


/**
 * Answer of ServerLive.
 */
export interface ServerLiveResponse {
  /**
   * True while the process can answer at all.
   */
  'live'?: (boolean);
}

/**
 * Answer of ServerLive.
 */
export interface ServerLiveResponse__Output {
  /**
   * True while the process can answer at all.
   */
  'live': (boolean);
}
