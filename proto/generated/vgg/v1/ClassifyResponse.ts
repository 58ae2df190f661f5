// Original file: proto/vgg/v1/aggregator_service.proto

import type { Answer as _vgg_v1_Answer, Answer__Output as _vgg_v1_Answer__Output } from '../../vgg/v1/Answer.ts';

/**
 * The answer.
 */
export interface ClassifyResponse {
  /**
   * The answer.
   */
  'answer'?: (_vgg_v1_Answer | null);
}

/**
 * The answer.
 */
export interface ClassifyResponse__Output {
  /**
   * The answer.
   */
  'answer': (_vgg_v1_Answer__Output | null);
}
