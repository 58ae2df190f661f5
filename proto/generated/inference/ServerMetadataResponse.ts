// Original file: proto/inference/grpc_service.proto


/**
 * What the server is.
 */
export interface ServerMetadataResponse {
  /**
   * vgg-serve.
   */
  'name'?: (string);
  /**
   * Version of the package.
   */
  'version'?: (string);
  /**
   * Extensions of the protocol that are served.
   */
  'extensions'?: (string)[];
}

/**
 * What the server is.
 */
export interface ServerMetadataResponse__Output {
  /**
   * vgg-serve.
   */
  'name': (string);
  /**
   * Version of the package.
   */
  'version': (string);
  /**
   * Extensions of the protocol that are served.
   */
  'extensions': (string)[];
}
