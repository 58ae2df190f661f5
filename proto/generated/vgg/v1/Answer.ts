// Original file: proto/vgg/v1/aggregator_service.proto

import type { Protocol as _vgg_v1_Protocol, Protocol__Output as _vgg_v1_Protocol__Output } from '../../vgg/v1/Protocol.ts';
import type { Prediction as _vgg_v1_Prediction, Prediction__Output as _vgg_v1_Prediction__Output } from '../../vgg/v1/Prediction.ts';
import type { Timing as _vgg_v1_Timing, Timing__Output as _vgg_v1_Timing__Output } from '../../vgg/v1/Timing.ts';
import type { ViewScore as _vgg_v1_ViewScore, ViewScore__Output as _vgg_v1_ViewScore__Output } from '../../vgg/v1/ViewScore.ts';

/**
 * What is in the photo.
 */
export interface Answer {
  /**
   * Names of the models that were averaged, in order.
   */
  'models'?: (string)[];
  /**
   * Their table rows, in the same order.
   */
  'networks'?: (string)[];
  /**
   * Protocol that was used.
   */
  'protocol'?: (_vgg_v1_Protocol);
  /**
   * Scales that were used, of the first model, in pixels.
   */
  'scales'?: (number)[];
  /**
   * Views that the answer is the mean of, over all models.
   */
  'views'?: (number);
  /**
   * Engine that scored them: onnx or tensorflow.
   */
  'engine'?: (string);
  /**
   * Most probable classes, most probable first.
   */
  'predictions'?: (_vgg_v1_Prediction)[];
  /**
   * [classes] little-endian float64 probabilities, if asked for.
   */
  'posterior'?: (Buffer | Uint8Array | string);
  /**
   * Where the time went.
   */
  'timing'?: (_vgg_v1_Timing | null);
  /**
   * Each view that was taken, in view order, if asked for.
   */
  'viewScores'?: (_vgg_v1_ViewScore)[];
  /**
   * Views that the whole answer has, over all models; where views is less, the answer was known
   * early. Set if the request may stop early (STOP_EXACT), else 0.
   */
  'viewsTotal'?: (number);
}

/**
 * What is in the photo.
 */
export interface Answer__Output {
  /**
   * Names of the models that were averaged, in order.
   */
  'models': (string)[];
  /**
   * Their table rows, in the same order.
   */
  'networks': (string)[];
  /**
   * Protocol that was used.
   */
  'protocol': (_vgg_v1_Protocol__Output);
  /**
   * Scales that were used, of the first model, in pixels.
   */
  'scales': (number)[];
  /**
   * Views that the answer is the mean of, over all models.
   */
  'views': (number);
  /**
   * Engine that scored them: onnx or tensorflow.
   */
  'engine': (string);
  /**
   * Most probable classes, most probable first.
   */
  'predictions': (_vgg_v1_Prediction__Output)[];
  /**
   * [classes] little-endian float64 probabilities, if asked for.
   */
  'posterior': (Buffer);
  /**
   * Where the time went.
   */
  'timing': (_vgg_v1_Timing__Output | null);
  /**
   * Each view that was taken, in view order, if asked for.
   */
  'viewScores': (_vgg_v1_ViewScore__Output)[];
  /**
   * Views that the whole answer has, over all models; where views is less, the answer was known
   * early. Set if the request may stop early (STOP_EXACT), else 0.
   */
  'viewsTotal': (number);
}
