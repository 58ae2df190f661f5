// Original file: proto/vgg/v1/view.proto


/**
 * The part of a plane's scaled photo that the plane shows.
 */
export interface Rectangle {
  /**
   * Left edge in pixels of the scaled photo, ≥ 0.
   */
  'x'?: (number);
  /**
   * Top edge in pixels of the scaled photo, ≥ 0.
   */
  'y'?: (number);
  /**
   * Width in pixels of the scaled photo, ≥ 1.
   */
  'width'?: (number);
  /**
   * Height in pixels of the scaled photo, ≥ 1.
   */
  'height'?: (number);
}

/**
 * The part of a plane's scaled photo that the plane shows.
 */
export interface Rectangle__Output {
  /**
   * Left edge in pixels of the scaled photo, ≥ 0.
   */
  'x': (number);
  /**
   * Top edge in pixels of the scaled photo, ≥ 0.
   */
  'y': (number);
  /**
   * Width in pixels of the scaled photo, ≥ 1.
   */
  'width': (number);
  /**
   * Height in pixels of the scaled photo, ≥ 1.
   */
  'height': (number);
}
