// Original file: proto/vgg/v1/inference_service.proto


/**
 * Class scores at each location of the network's output, before any softmax.
 */
export interface ScoreMap {
  /**
   * Rows, ≥ 1.
   */
  'height'?: (number);
  /**
   * Columns, ≥ 1.
   */
  'width'?: (number);
  /**
   * Classes, ≥ 1.
   */
  'classes'?: (number);
  /**
   * height × width × classes little-endian float32.
   */
  'values'?: (Buffer | Uint8Array | string);
}

/**
 * Class scores at each location of the network's output, before any softmax.
 */
export interface ScoreMap__Output {
  /**
   * Rows, ≥ 1.
   */
  'height': (number);
  /**
   * Columns, ≥ 1.
   */
  'width': (number);
  /**
   * Classes, ≥ 1.
   */
  'classes': (number);
  /**
   * height × width × classes little-endian float32.
   */
  'values': (Buffer);
}
