// Original file: proto/vgg/v1/aggregator_service.proto

import type { ClassifyRequest as _vgg_v1_ClassifyRequest, ClassifyRequest__Output as _vgg_v1_ClassifyRequest__Output } from '../../vgg/v1/ClassifyRequest.ts';

/**
 * A photo and how it is to be answered.
 */
export interface ClassifyStreamRequest {
  /**
   * The same as for Classify.
   */
  'request'?: (_vgg_v1_ClassifyRequest | null);
}

/**
 * A photo and how it is to be answered.
 */
export interface ClassifyStreamRequest__Output {
  /**
   * The same as for Classify.
   */
  'request': (_vgg_v1_ClassifyRequest__Output | null);
}
