// Original file: proto/vgg/v1/preprocess_service.proto


/**
 * Little-endian float32 values of one plane or of a run of views.
 */
export interface Float32Pixels {
  /**
   * [height, width, 3] for a plane, [views, height, width, 3] for crops.
   */
  'shape'?: (number)[];
  /**
   * product(shape) × 4 bytes.
   */
  'values'?: (Buffer | Uint8Array | string);
}

/**
 * Little-endian float32 values of one plane or of a run of views.
 */
export interface Float32Pixels__Output {
  /**
   * [height, width, 3] for a plane, [views, height, width, 3] for crops.
   */
  'shape': (number)[];
  /**
   * product(shape) × 4 bytes.
   */
  'values': (Buffer);
}
