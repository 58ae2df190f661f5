// Original file: proto/vgg/v1/aggregator_service.proto


/**
 * Where the time went.
 */
export interface Timing {
  /**
   * From the call's arrival until the last plane was ready, in milliseconds.
   */
  'prepareMs'?: (number | string);
  /**
   * Mean time of a view in the inference queue, in milliseconds.
   */
  'queueMs'?: (number | string);
  /**
   * Engine time of the batches that this request's views were in, shared out by view, in milliseconds.
   */
  'computeMs'?: (number | string);
  /**
   * From the call's arrival to the answer, in milliseconds.
   */
  'totalMs'?: (number | string);
}

/**
 * Where the time went.
 */
export interface Timing__Output {
  /**
   * From the call's arrival until the last plane was ready, in milliseconds.
   */
  'prepareMs': (number);
  /**
   * Mean time of a view in the inference queue, in milliseconds.
   */
  'queueMs': (number);
  /**
   * Engine time of the batches that this request's views were in, shared out by view, in milliseconds.
   */
  'computeMs': (number);
  /**
   * From the call's arrival to the answer, in milliseconds.
   */
  'totalMs': (number);
}
