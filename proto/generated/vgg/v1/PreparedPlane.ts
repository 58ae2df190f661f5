// Original file: proto/vgg/v1/view.proto

import type { Plane as _vgg_v1_Plane, Plane__Output as _vgg_v1_Plane__Output } from '../../vgg/v1/Plane.ts';
import type { View as _vgg_v1_View, View__Output as _vgg_v1_View__Output } from '../../vgg/v1/View.ts';

/**
 * A plane and the views that are cut from it.
 */
export interface PreparedPlane {
  /**
   * The plane.
   */
  'plane'?: (_vgg_v1_Plane | null);
  /**
   * Its views, in order of their index.
   */
  'views'?: (_vgg_v1_View)[];
}

/**
 * A plane and the views that are cut from it.
 */
export interface PreparedPlane__Output {
  /**
   * The plane.
   */
  'plane': (_vgg_v1_Plane__Output | null);
  /**
   * Its views, in order of their index.
   */
  'views': (_vgg_v1_View__Output)[];
}
