// Original file: proto/vgg/v1/preprocess_service.proto

import type { Evaluation as _vgg_v1_Evaluation, Evaluation__Output as _vgg_v1_Evaluation__Output } from '../../vgg/v1/Evaluation.ts';
import type { Rgb as _vgg_v1_Rgb, Rgb__Output as _vgg_v1_Rgb__Output } from '../../vgg/v1/Rgb.ts';
import type { Realise as _vgg_v1_Realise, Realise__Output as _vgg_v1_Realise__Output } from '../../vgg/v1/Realise.ts';

/**
 * A photo and how it is to be evaluated.
 */
export interface PrepareRequest {
  /**
   * The image file: JPEG, PNG, WebP, AVIF, TIFF or GIF, at most 20 MiB.
   */
  'photo'?: (Buffer | Uint8Array | string);
  /**
   * Protocol, scales and kernel. Scales are required here: this service knows no model.
   */
  'evaluation'?: (_vgg_v1_Evaluation | null);
  /**
   * The model's mean colour, subtracted from every pixel; transparency is laid over it.
   */
  'mean'?: (_vgg_v1_Rgb | null);
  /**
   * Side of a crop in pixels: a multiple of 32, 32 to 1024.
   */
  'inputSize'?: (number);
  /**
   * Form of the pixels.
   */
  'realise'?: (_vgg_v1_Realise);
}

/**
 * A photo and how it is to be evaluated.
 */
export interface PrepareRequest__Output {
  /**
   * The image file: JPEG, PNG, WebP, AVIF, TIFF or GIF, at most 20 MiB.
   */
  'photo': (Buffer);
  /**
   * Protocol, scales and kernel. Scales are required here: this service knows no model.
   */
  'evaluation': (_vgg_v1_Evaluation__Output | null);
  /**
   * The model's mean colour, subtracted from every pixel; transparency is laid over it.
   */
  'mean': (_vgg_v1_Rgb__Output | null);
  /**
   * Side of a crop in pixels: a multiple of 32, 32 to 1024.
   */
  'inputSize': (number);
  /**
   * Form of the pixels.
   */
  'realise': (_vgg_v1_Realise__Output);
}
