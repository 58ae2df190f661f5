// Original file: proto/vgg/v1/aggregator_service.proto

import type { AverageOptions as _vgg_v1_AverageOptions, AverageOptions__Output as _vgg_v1_AverageOptions__Output } from '../../vgg/v1/AverageOptions.ts';
import type { WeightedPosterior as _vgg_v1_WeightedPosterior, WeightedPosterior__Output as _vgg_v1_WeightedPosterior__Output } from '../../vgg/v1/WeightedPosterior.ts';

/**
 * First message: options. Then posteriors.
 */
export interface AverageRequest {
  /**
   * First message of a call.
   */
  'options'?: (_vgg_v1_AverageOptions | null);
  /**
   * A posterior.
   */
  'posterior'?: (_vgg_v1_WeightedPosterior | null);
  /**
   * Exactly one of them.
   */
  'message'?: "options"|"posterior";
}

/**
 * First message: options. Then posteriors.
 */
export interface AverageRequest__Output {
  /**
   * First message of a call.
   */
  'options'?: (_vgg_v1_AverageOptions__Output | null);
  /**
   * A posterior.
   */
  'posterior'?: (_vgg_v1_WeightedPosterior__Output | null);
  /**
   * Exactly one of them.
   */
  'message'?: "options"|"posterior";
}
