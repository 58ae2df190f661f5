// Original file: proto/vgg/v1/view.proto

import type { Protocol as _vgg_v1_Protocol, Protocol__Output as _vgg_v1_Protocol__Output } from '../../vgg/v1/Protocol.ts';
import type { Kernel as _vgg_v1_Kernel, Kernel__Output as _vgg_v1_Kernel__Output } from '../../vgg/v1/Kernel.ts';
import type { ScoreOrder as _vgg_v1_ScoreOrder, ScoreOrder__Output as _vgg_v1_ScoreOrder__Output } from '../../vgg/v1/ScoreOrder.ts';
import type { Share as _vgg_v1_Share, Share__Output as _vgg_v1_Share__Output } from '../../vgg/v1/Share.ts';
import type { Stop as _vgg_v1_Stop, Stop__Output as _vgg_v1_Stop__Output } from '../../vgg/v1/Stop.ts';

/**
 * How a photo is to be evaluated. Unset fields take the model's defaults.
 */
export interface Evaluation {
  /**
   * Which views are scored.
   */
  'protocol'?: (_vgg_v1_Protocol);
  /**
   * Smallest side Q of each plane, in pixels: 1 to 4 values, each from the model's inputSize
   * to twice its largest default scale. Empty: the model's default scales.
   */
  'scales'?: (number)[];
  /**
   * Crops along each side for MULTI_CROP: 1 to 16. 0: 5.
   */
  'grid'?: (number);
  /**
   * Crop offsets are the nearest multiple of this many pixels that fits: 1 to 64.
   * 1 is the paper's regular grid. 0: 8 for the grid of MULTI_CROP and
   * DENSE_AND_MULTI_CROP, else 1.
   */
  'align'?: (number);
  /**
   * Resize kernel.
   */
  'kernel'?: (_vgg_v1_Kernel);
  /**
   * Order of spatial mean and softmax.
   */
  'scoreOrder'?: (_vgg_v1_ScoreOrder);
  /**
   * Whether the views of one plane may be computed together.
   */
  'share'?: (_vgg_v1_Share);
  /**
   * When the answer is there. Looked at by the aggregator alone.
   */
  'stop'?: (_vgg_v1_Stop);
}

/**
 * How a photo is to be evaluated. Unset fields take the model's defaults.
 */
export interface Evaluation__Output {
  /**
   * Which views are scored.
   */
  'protocol': (_vgg_v1_Protocol__Output);
  /**
   * Smallest side Q of each plane, in pixels: 1 to 4 values, each from the model's inputSize
   * to twice its largest default scale. Empty: the model's default scales.
   */
  'scales': (number)[];
  /**
   * Crops along each side for MULTI_CROP: 1 to 16. 0: 5.
   */
  'grid': (number);
  /**
   * Crop offsets are the nearest multiple of this many pixels that fits: 1 to 64.
   * 1 is the paper's regular grid. 0: 8 for the grid of MULTI_CROP and
   * DENSE_AND_MULTI_CROP, else 1.
   */
  'align': (number);
  /**
   * Resize kernel.
   */
  'kernel': (_vgg_v1_Kernel__Output);
  /**
   * Order of spatial mean and softmax.
   */
  'scoreOrder': (_vgg_v1_ScoreOrder__Output);
  /**
   * Whether the views of one plane may be computed together.
   */
  'share': (_vgg_v1_Share__Output);
  /**
   * When the answer is there. Looked at by the aggregator alone.
   */
  'stop': (_vgg_v1_Stop__Output);
}
