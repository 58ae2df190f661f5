// Original file: proto/vgg/v1/aggregator_service.proto


/**
 * Class and probability.
 */
export interface Prediction {
  /**
   * Name of the class.
   */
  'label'?: (string);
  /**
   * Index of the class, from 0.
   */
  'classIndex'?: (number);
  /**
   * Probability, 0 to 1.
   */
  'score'?: (number | string);
}

/**
 * Class and probability.
 */
export interface Prediction__Output {
  /**
   * Name of the class.
   */
  'label': (string);
  /**
   * Index of the class, from 0.
   */
  'classIndex': (number);
  /**
   * Probability, 0 to 1.
   */
  'score': (number);
}
