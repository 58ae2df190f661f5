// Original file: proto/vgg/v1/inference_service.proto

import type { ScoreMap as _vgg_v1_ScoreMap, ScoreMap__Output as _vgg_v1_ScoreMap__Output } from '../../vgg/v1/ScoreMap.ts';

/**
 * One view's score.
 */
export interface ScoreResponse {
  /**
   * The view's index.
   */
  'view'?: (number);
  /**
   * [classes] little-endian float32 probabilities that sum to 1.
   */
  'posterior'?: (Buffer | Uint8Array | string);
  /**
   * Set if asked for.
   */
  'scoreMap'?: (_vgg_v1_ScoreMap | null);
  /**
   * Time that this view waited for the engine, in milliseconds.
   */
  'queueMs'?: (number | string);
  /**
   * Time that the engine took for the batch that this view was in, in milliseconds.
   */
  'computeMs'?: (number | string);
  /**
   * Views in that batch, ≥ 1.
   */
  'batchViews'?: (number);
}

/**
 * One view's score.
 */
export interface ScoreResponse__Output {
  /**
   * The view's index.
   */
  'view': (number);
  /**
   * [classes] little-endian float32 probabilities that sum to 1.
   */
  'posterior': (Buffer);
  /**
   * Set if asked for.
   */
  'scoreMap': (_vgg_v1_ScoreMap__Output | null);
  /**
   * Time that this view waited for the engine, in milliseconds.
   */
  'queueMs': (number);
  /**
   * Time that the engine took for the batch that this view was in, in milliseconds.
   */
  'computeMs': (number);
  /**
   * Views in that batch, ≥ 1.
   */
  'batchViews': (number);
}
