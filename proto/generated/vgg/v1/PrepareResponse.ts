// Original file: proto/vgg/v1/preprocess_service.proto

import type { PreparedPlane as _vgg_v1_PreparedPlane, PreparedPlane__Output as _vgg_v1_PreparedPlane__Output } from '../../vgg/v1/PreparedPlane.ts';
import type { Float32Pixels as _vgg_v1_Float32Pixels, Float32Pixels__Output as _vgg_v1_Float32Pixels__Output } from '../../vgg/v1/Float32Pixels.ts';

/**
 * One plane with its views.
 */
export interface PrepareResponse {
  /**
   * The plane and its views. rgb8 is empty where pixels is set. With FLOAT32_CROPS
   * views holds just those whose crops this message carries.
   */
  'prepared'?: (_vgg_v1_PreparedPlane | null);
  /**
   * Set for the float32 forms.
   */
  'pixels'?: (_vgg_v1_Float32Pixels | null);
  /**
   * Planes that the whole answer has, ≥ 1.
   */
  'planes'?: (number);
  /**
   * Views that the whole answer has, ≥ 1.
   */
  'views'?: (number);
  /**
   * Time from the call's arrival until this plane was ready, in milliseconds.
   */
  'prepareMs'?: (number | string);
}

/**
 * One plane with its views.
 */
export interface PrepareResponse__Output {
  /**
   * The plane and its views. rgb8 is empty where pixels is set. With FLOAT32_CROPS
   * views holds just those whose crops this message carries.
   */
  'prepared': (_vgg_v1_PreparedPlane__Output | null);
  /**
   * Set for the float32 forms.
   */
  'pixels': (_vgg_v1_Float32Pixels__Output | null);
  /**
   * Planes that the whole answer has, ≥ 1.
   */
  'planes': (number);
  /**
   * Views that the whole answer has, ≥ 1.
   */
  'views': (number);
  /**
   * Time from the call's arrival until this plane was ready, in milliseconds.
   */
  'prepareMs': (number);
}
