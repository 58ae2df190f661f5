// Original file: proto/vgg/v1/view.proto

import type { Rgb as _vgg_v1_Rgb, Rgb__Output as _vgg_v1_Rgb__Output } from '../../vgg/v1/Rgb.ts';
import type { Rectangle as _vgg_v1_Rectangle, Rectangle__Output as _vgg_v1_Rectangle__Output } from '../../vgg/v1/Rectangle.ts';

/**
 * A photo rescaled so that its smallest side is `scale`: upright, sRGB, 3 channels.
 * Its value is rgb8 − mean.
 */
export interface Plane {
  /**
   * Place of this plane in the request, from 0, in order of the scales.
   */
  'index'?: (number);
  /**
   * Smallest side Q of the rescaled photo, in pixels.
   */
  'scale'?: (number);
  /**
   * Width of this plane in pixels, ≥ 1.
   */
  'width'?: (number);
  /**
   * Height of this plane in pixels, ≥ 1.
   */
  'height'?: (number);
  /**
   * height × width × 3 bytes, row by row, RGB interleaved.
   */
  'rgb8'?: (Buffer | Uint8Array | string);
  /**
   * Subtracted from every pixel.
   */
  'mean'?: (_vgg_v1_Rgb | null);
  /**
   * Set only where the plane is a square of the rescaled photo, itself resized to
   * width × height (GOOGLENET_144): that square.
   */
  'square'?: (_vgg_v1_Rectangle | null);
}

/**
 * A photo rescaled so that its smallest side is `scale`: upright, sRGB, 3 channels.
 * Its value is rgb8 − mean.
 */
export interface Plane__Output {
  /**
   * Place of this plane in the request, from 0, in order of the scales.
   */
  'index': (number);
  /**
   * Smallest side Q of the rescaled photo, in pixels.
   */
  'scale': (number);
  /**
   * Width of this plane in pixels, ≥ 1.
   */
  'width': (number);
  /**
   * Height of this plane in pixels, ≥ 1.
   */
  'height': (number);
  /**
   * height × width × 3 bytes, row by row, RGB interleaved.
   */
  'rgb8': (Buffer);
  /**
   * Subtracted from every pixel.
   */
  'mean': (_vgg_v1_Rgb__Output | null);
  /**
   * Set only where the plane is a square of the rescaled photo, itself resized to
   * width × height (GOOGLENET_144): that square.
   */
  'square': (_vgg_v1_Rectangle__Output | null);
}
