// Original file: proto/vgg/v1/aggregator_service.proto

import type { Prediction as _vgg_v1_Prediction, Prediction__Output as _vgg_v1_Prediction__Output } from '../../vgg/v1/Prediction.ts';

/**
 * The weighted mean.
 */
export interface AverageResponse {
  /**
   * Most probable classes, most probable first.
   */
  'predictions'?: (_vgg_v1_Prediction)[];
  /**
   * [classes] little-endian float64 probabilities.
   */
  'posterior'?: (Buffer | Uint8Array | string);
  /**
   * Posteriors that were averaged, ≥ 1.
   */
  'count'?: (number);
}

/**
 * The weighted mean.
 */
export interface AverageResponse__Output {
  /**
   * Most probable classes, most probable first.
   */
  'predictions': (_vgg_v1_Prediction__Output)[];
  /**
   * [classes] little-endian float64 probabilities.
   */
  'posterior': (Buffer);
  /**
   * Posteriors that were averaged, ≥ 1.
   */
  'count': (number);
}
