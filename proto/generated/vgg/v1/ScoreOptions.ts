// Original file: proto/vgg/v1/inference_service.proto

import type { ScoreOrder as _vgg_v1_ScoreOrder, ScoreOrder__Output as _vgg_v1_ScoreOrder__Output } from '../../vgg/v1/ScoreOrder.ts';
import type { Priority as _vgg_v1_Priority, Priority__Output as _vgg_v1_Priority__Output } from '../../vgg/v1/Priority.ts';
import type { Share as _vgg_v1_Share, Share__Output as _vgg_v1_Share__Output } from '../../vgg/v1/Share.ts';

/**
 * What holds for all planes of a call.
 */
export interface ScoreOptions {
  /**
   * Name of a loaded model. Empty: the default model.
   */
  'model'?: (string);
  /**
   * Order of spatial mean and softmax.
   */
  'scoreOrder'?: (_vgg_v1_ScoreOrder);
  /**
   * Whether each view's class score map is sent too.
   */
  'scoreMaps'?: (boolean);
  /**
   * Who is served first.
   */
  'priority'?: (_vgg_v1_Priority);
  /**
   * Views that the call will bring, 0 to 512: room for them is kept in the queue at once, so that
   * the call is refused before any of it is computed, or not at all. 0: not known.
   */
  'views'?: (number);
  /**
   * Whether the views of one plane may be computed together.
   */
  'share'?: (_vgg_v1_Share);
}

/**
 * What holds for all planes of a call.
 */
export interface ScoreOptions__Output {
  /**
   * Name of a loaded model. Empty: the default model.
   */
  'model': (string);
  /**
   * Order of spatial mean and softmax.
   */
  'scoreOrder': (_vgg_v1_ScoreOrder__Output);
  /**
   * Whether each view's class score map is sent too.
   */
  'scoreMaps': (boolean);
  /**
   * Who is served first.
   */
  'priority': (_vgg_v1_Priority__Output);
  /**
   * Views that the call will bring, 0 to 512: room for them is kept in the queue at once, so that
   * the call is refused before any of it is computed, or not at all. 0: not known.
   */
  'views': (number);
  /**
   * Whether the views of one plane may be computed together.
   */
  'share': (_vgg_v1_Share__Output);
}
