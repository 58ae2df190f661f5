// Original file: proto/vgg/v1/view.proto


/**
 * Red, green and blue levels, 0 to 255 each.
 */
export interface Rgb {
  /**
   * Red, 0 to 255.
   */
  'red'?: (number | string);
  /**
   * Green, 0 to 255.
   */
  'green'?: (number | string);
  /**
   * Blue, 0 to 255.
   */
  'blue'?: (number | string);
}

/**
 * Red, green and blue levels, 0 to 255 each.
 */
export interface Rgb__Output {
  /**
   * Red, 0 to 255.
   */
  'red': (number);
  /**
   * Green, 0 to 255.
   */
  'green': (number);
  /**
   * Blue, 0 to 255.
   */
  'blue': (number);
}
