// Original file: proto/vgg/v1/inference_service.proto

import type { Model as _vgg_v1_Model, Model__Output as _vgg_v1_Model__Output } from '../../vgg/v1/Model.ts';

/**
 * One model.
 */
export interface GetModelResponse {
  /**
   * The model.
   */
  'model'?: (_vgg_v1_Model | null);
}

/**
 * One model.
 */
export interface GetModelResponse__Output {
  /**
   * The model.
   */
  'model': (_vgg_v1_Model__Output | null);
}
