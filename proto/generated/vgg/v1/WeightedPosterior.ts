// Original file: proto/vgg/v1/aggregator_service.proto


/**
 * One posterior with its weight.
 */
export interface WeightedPosterior {
  /**
   * Place of this posterior; each index at most once. Sums run in order of the index.
   */
  'index'?: (number);
  /**
   * Its weight. All weights sum to 1 (within 1e-6), or all are 0, which makes them equal.
   */
  'weight'?: (number | string);
  /**
   * [classes] little-endian float32 probabilities.
   */
  'posterior'?: (Buffer | Uint8Array | string);
}

/**
 * One posterior with its weight.
 */
export interface WeightedPosterior__Output {
  /**
   * Place of this posterior; each index at most once. Sums run in order of the index.
   */
  'index': (number);
  /**
   * Its weight. All weights sum to 1 (within 1e-6), or all are 0, which makes them equal.
   */
  'weight': (number);
  /**
   * [classes] little-endian float32 probabilities.
   */
  'posterior': (Buffer);
}
