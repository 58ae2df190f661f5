// Original file: proto/vgg/v1/aggregator_service.proto

import type { Evaluation as _vgg_v1_Evaluation, Evaluation__Output as _vgg_v1_Evaluation__Output } from '../../vgg/v1/Evaluation.ts';
import type { Priority as _vgg_v1_Priority, Priority__Output as _vgg_v1_Priority__Output } from '../../vgg/v1/Priority.ts';

/**
 * A photo and how it is to be answered.
 */
export interface ClassifyRequest {
  /**
   * The image file: JPEG, PNG, WebP, AVIF, TIFF or GIF, at most 20 MiB.
   */
  'photo'?: (Buffer | Uint8Array | string);
  /**
   * Names of the models whose posteriors are averaged: at most 8. Empty: the default model.
   */
  'models'?: (string)[];
  /**
   * Protocol, scales, grid, kernel, score order, when to stop.
   */
  'evaluation'?: (_vgg_v1_Evaluation | null);
  /**
   * Predictions in the answer: 1 to the number of classes; 0: 5. More than there are: all.
   */
  'top'?: (number);
  /**
   * Whether the posterior of all classes is in the answer.
   */
  'posterior'?: (boolean);
  /**
   * Whether each view's rectangle, weight and posterior are in the answer.
   */
  'viewScores'?: (boolean);
  /**
   * Whether each dense view's class score map is in the answer.
   */
  'scoreMaps'?: (boolean);
  /**
   * Who is served first.
   */
  'priority'?: (_vgg_v1_Priority);
}

/**
 * A photo and how it is to be answered.
 */
export interface ClassifyRequest__Output {
  /**
   * The image file: JPEG, PNG, WebP, AVIF, TIFF or GIF, at most 20 MiB.
   */
  'photo': (Buffer);
  /**
   * Names of the models whose posteriors are averaged: at most 8. Empty: the default model.
   */
  'models': (string)[];
  /**
   * Protocol, scales, grid, kernel, score order, when to stop.
   */
  'evaluation': (_vgg_v1_Evaluation__Output | null);
  /**
   * Predictions in the answer: 1 to the number of classes; 0: 5. More than there are: all.
   */
  'top': (number);
  /**
   * Whether the posterior of all classes is in the answer.
   */
  'posterior': (boolean);
  /**
   * Whether each view's rectangle, weight and posterior are in the answer.
   */
  'viewScores': (boolean);
  /**
   * Whether each dense view's class score map is in the answer.
   */
  'scoreMaps': (boolean);
  /**
   * Who is served first.
   */
  'priority': (_vgg_v1_Priority__Output);
}
