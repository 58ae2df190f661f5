// Original file: proto/vgg/v1/inference_service.proto

import type { ScoreOptions as _vgg_v1_ScoreOptions, ScoreOptions__Output as _vgg_v1_ScoreOptions__Output } from '../../vgg/v1/ScoreOptions.ts';
import type { PreparedPlane as _vgg_v1_PreparedPlane, PreparedPlane__Output as _vgg_v1_PreparedPlane__Output } from '../../vgg/v1/PreparedPlane.ts';
import type { CancelScore as _vgg_v1_CancelScore, CancelScore__Output as _vgg_v1_CancelScore__Output } from '../../vgg/v1/CancelScore.ts';

/**
 * The options, then planes; or an end before the end.
 */
export interface ScoreRequest {
  /**
   * First message of a call.
   */
  'options'?: (_vgg_v1_ScoreOptions | null);
  /**
   * A plane and its views: 1 to 512 views in a call.
   */
  'prepared'?: (_vgg_v1_PreparedPlane | null);
  /**
   * Ends the call with CANCELLED and drops what is not computed. Does what cancelling the
   * stream does, without a stream reset, of which HTTP/2 allows a connection only so many.
   */
  'cancel'?: (_vgg_v1_CancelScore | null);
  /**
   * Exactly one of them.
   */
  'message'?: "options"|"prepared"|"cancel";
}

/**
 * The options, then planes; or an end before the end.
 */
export interface ScoreRequest__Output {
  /**
   * First message of a call.
   */
  'options'?: (_vgg_v1_ScoreOptions__Output | null);
  /**
   * A plane and its views: 1 to 512 views in a call.
   */
  'prepared'?: (_vgg_v1_PreparedPlane__Output | null);
  /**
   * Ends the call with CANCELLED and drops what is not computed. Does what cancelling the
   * stream does, without a stream reset, of which HTTP/2 allows a connection only so many.
   */
  'cancel'?: (_vgg_v1_CancelScore__Output | null);
  /**
   * Exactly one of them.
   */
  'message'?: "options"|"prepared"|"cancel";
}
