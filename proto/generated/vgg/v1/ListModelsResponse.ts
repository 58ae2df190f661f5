// Original file: proto/vgg/v1/inference_service.proto

import type { Model as _vgg_v1_Model, Model__Output as _vgg_v1_Model__Output } from '../../vgg/v1/Model.ts';

/**
 * All models.
 */
export interface ListModelsResponse {
  /**
   * The default model first, then by name.
   */
  'models'?: (_vgg_v1_Model)[];
}

/**
 * All models.
 */
export interface ListModelsResponse__Output {
  /**
   * The default model first, then by name.
   */
  'models': (_vgg_v1_Model__Output)[];
}
