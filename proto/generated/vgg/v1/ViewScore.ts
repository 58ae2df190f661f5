// Original file: proto/vgg/v1/aggregator_service.proto

import type { View as _vgg_v1_View, View__Output as _vgg_v1_View__Output } from '../../vgg/v1/View.ts';
import type { ScoreMap as _vgg_v1_ScoreMap, ScoreMap__Output as _vgg_v1_ScoreMap__Output } from '../../vgg/v1/ScoreMap.ts';
import type { Rectangle as _vgg_v1_Rectangle, Rectangle__Output as _vgg_v1_Rectangle__Output } from '../../vgg/v1/Rectangle.ts';

/**
 * One view and what the network said of it.
 */
export interface ViewScore {
  /**
   * Name of the model.
   */
  'model'?: (string);
  /**
   * The view. Its weight is its share within the model's own answer.
   */
  'view'?: (_vgg_v1_View | null);
  /**
   * Smallest side Q of the view's plane, in pixels.
   */
  'scale'?: (number);
  /**
   * [classes] little-endian float32 probabilities.
   */
  'posterior'?: (Buffer | Uint8Array | string);
  /**
   * Set for dense views if asked for.
   */
  'scoreMap'?: (_vgg_v1_ScoreMap | null);
  /**
   * Set where the view's plane is a resized square.
   */
  'square'?: (_vgg_v1_Rectangle | null);
}

/**
 * One view and what the network said of it.
 */
export interface ViewScore__Output {
  /**
   * Name of the model.
   */
  'model': (string);
  /**
   * The view. Its weight is its share within the model's own answer.
   */
  'view': (_vgg_v1_View__Output | null);
  /**
   * Smallest side Q of the view's plane, in pixels.
   */
  'scale': (number);
  /**
   * [classes] little-endian float32 probabilities.
   */
  'posterior': (Buffer);
  /**
   * Set for dense views if asked for.
   */
  'scoreMap': (_vgg_v1_ScoreMap__Output | null);
  /**
   * Set where the view's plane is a resized square.
   */
  'square': (_vgg_v1_Rectangle__Output | null);
}
