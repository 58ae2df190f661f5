// Original file: proto/vgg/v1/view.proto


/**
 * A rectangle of a plane, possibly mirrored, that the network sees with zero padding
 * at the rectangle's own edge. A mirrored view is cut first, then mirrored.
 */
export interface View {
  /**
   * Place of this view in the evaluation, from 0, the same for every run.
   */
  'index'?: (number);
  /**
   * Index of the plane that it is cut from.
   */
  'plane'?: (number);
  /**
   * Left edge in pixels of the plane, ≥ 0.
   */
  'x'?: (number);
  /**
   * Top edge in pixels of the plane, ≥ 0.
   */
  'y'?: (number);
  /**
   * Width in pixels, ≥ the model's inputSize.
   */
  'width'?: (number);
  /**
   * Height in pixels, ≥ the model's inputSize.
   */
  'height'?: (number);
  /**
   * Whether left and right are swapped after cutting.
   */
  'mirrored'?: (boolean);
  /**
   * Share of this view in the answer; the weights of all views of an evaluation sum to 1.
   */
  'weight'?: (number | string);
}

/**
 * A rectangle of a plane, possibly mirrored, that the network sees with zero padding
 * at the rectangle's own edge. A mirrored view is cut first, then mirrored.
 */
export interface View__Output {
  /**
   * Place of this view in the evaluation, from 0, the same for every run.
   */
  'index': (number);
  /**
   * Index of the plane that it is cut from.
   */
  'plane': (number);
  /**
   * Left edge in pixels of the plane, ≥ 0.
   */
  'x': (number);
  /**
   * Top edge in pixels of the plane, ≥ 0.
   */
  'y': (number);
  /**
   * Width in pixels, ≥ the model's inputSize.
   */
  'width': (number);
  /**
   * Height in pixels, ≥ the model's inputSize.
   */
  'height': (number);
  /**
   * Whether left and right are swapped after cutting.
   */
  'mirrored': (boolean);
  /**
   * Share of this view in the answer; the weights of all views of an evaluation sum to 1.
   */
  'weight': (number);
}
