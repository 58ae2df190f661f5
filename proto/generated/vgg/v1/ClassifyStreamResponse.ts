// Original file: proto/vgg/v1/aggregator_service.proto

import type { Answer as _vgg_v1_Answer, Answer__Output as _vgg_v1_Answer__Output } from '../../vgg/v1/Answer.ts';

/**
 * The answer so far.
 */
export interface ClassifyStreamResponse {
  /**
   * Views that the answer so far is the mean of; never falls.
   */
  'viewsDone'?: (number);
  /**
   * Views that the whole answer will have.
   */
  'viewsTotal'?: (number);
  /**
   * The answer so far: predictions over the views done, their weights scaled to sum to 1.
   * In the last message the same as Classify's; there views_done = views_total, unless the answer
   * was known early.
   */
  'answer'?: (_vgg_v1_Answer | null);
}

/**
 * The answer so far.
 */
export interface ClassifyStreamResponse__Output {
  /**
   * Views that the answer so far is the mean of; never falls.
   */
  'viewsDone': (number);
  /**
   * Views that the whole answer will have.
   */
  'viewsTotal': (number);
  /**
   * The answer so far: predictions over the views done, their weights scaled to sum to 1.
   * In the last message the same as Classify's; there views_done = views_total, unless the answer
   * was known early.
   */
  'answer': (_vgg_v1_Answer__Output | null);
}
