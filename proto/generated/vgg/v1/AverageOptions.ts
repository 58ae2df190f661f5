// Original file: proto/vgg/v1/aggregator_service.proto


/**
 * What holds for all posteriors of a call.
 */
export interface AverageOptions {
  /**
   * Predictions in the answer; 0: 5.
   */
  'top'?: (number);
  /**
   * Model whose labels name the classes. Empty: classes are named by their index.
   */
  'model'?: (string);
}

/**
 * What holds for all posteriors of a call.
 */
export interface AverageOptions__Output {
  /**
   * Predictions in the answer; 0: 5.
   */
  'top': (number);
  /**
   * Model whose labels name the classes. Empty: classes are named by their index.
   */
  'model': (string);
}
