// Original file: proto/vgg/v1/inference_service.proto

import type { Rgb as _vgg_v1_Rgb, Rgb__Output as _vgg_v1_Rgb__Output } from '../../vgg/v1/Rgb.ts';
import type { Kernel as _vgg_v1_Kernel, Kernel__Output as _vgg_v1_Kernel__Output } from '../../vgg/v1/Kernel.ts';
import type { Long } from '@grpc/proto-loader';

/**
 * What a model is.
 */
export interface Model {
  /**
   * Name of the model: the name of its folder.
   */
  'name'?: (string);
  /**
   * Table row: A, A-LRN, B, C, D, E or B-5x5.
   */
  'network'?: (string);
  /**
   * Multiplier of every convolution's width, > 0; 1 in the paper.
   */
  'width'?: (number | string);
  /**
   * Width of the first two fully connected layers; 4096 in the paper.
   */
  'hidden'?: (number);
  /**
   * Number of classes, ≥ 1.
   */
  'classes'?: (number);
  /**
   * Side of a crop in pixels: a multiple of 32.
   */
  'inputSize'?: (number);
  /**
   * Mean colour of the training set, subtracted from every pixel.
   */
  'mean'?: (_vgg_v1_Rgb | null);
  /**
   * Default scales, in pixels.
   */
  'scales'?: (number)[];
  /**
   * Resize kernel that the model was trained with.
   */
  'kernel'?: (_vgg_v1_Kernel);
  /**
   * Class names in order of their index.
   */
  'labels'?: (string)[];
  /**
   * Weights and biases.
   */
  'parameters'?: (number | string | Long);
  /**
   * Multiply-accumulates of one crop.
   */
  'macs'?: (number | string | Long);
  /**
   * SHA-256 of the weights file, lower-case hexadecimal.
   */
  'sha256'?: (string);
  /**
   * Where the weights come from, in words.
   */
  'provenance'?: (string);
  /**
   * Licence of the weights, an SPDX identifier where there is one.
   */
  'licence'?: (string);
  /**
   * Whether this model answers requests that name none.
   */
  'isDefault'?: (boolean);
  /**
   * Engine that runs it: onnx or tensorflow.
   */
  'engine'?: (string);
}

/**
 * What a model is.
 */
export interface Model__Output {
  /**
   * Name of the model: the name of its folder.
   */
  'name': (string);
  /**
   * Table row: A, A-LRN, B, C, D, E or B-5x5.
   */
  'network': (string);
  /**
   * Multiplier of every convolution's width, > 0; 1 in the paper.
   */
  'width': (number);
  /**
   * Width of the first two fully connected layers; 4096 in the paper.
   */
  'hidden': (number);
  /**
   * Number of classes, ≥ 1.
   */
  'classes': (number);
  /**
   * Side of a crop in pixels: a multiple of 32.
   */
  'inputSize': (number);
  /**
   * Mean colour of the training set, subtracted from every pixel.
   */
  'mean': (_vgg_v1_Rgb__Output | null);
  /**
   * Default scales, in pixels.
   */
  'scales': (number)[];
  /**
   * Resize kernel that the model was trained with.
   */
  'kernel': (_vgg_v1_Kernel__Output);
  /**
   * Class names in order of their index.
   */
  'labels': (string)[];
  /**
   * Weights and biases.
   */
  'parameters': (number);
  /**
   * Multiply-accumulates of one crop.
   */
  'macs': (number);
  /**
   * SHA-256 of the weights file, lower-case hexadecimal.
   */
  'sha256': (string);
  /**
   * Where the weights come from, in words.
   */
  'provenance': (string);
  /**
   * Licence of the weights, an SPDX identifier where there is one.
   */
  'licence': (string);
  /**
   * Whether this model answers requests that name none.
   */
  'isDefault': (boolean);
  /**
   * Engine that runs it: onnx or tensorflow.
   */
  'engine': (string);
}
