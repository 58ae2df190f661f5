// Original file: proto/vgg/v1/view.proto

/**
 * When a photo has its answer.
 */
export const Stop = {
  /**
   * NONE.
   */
  STOP_UNSPECIFIED: 'STOP_UNSPECIFIED',
  /**
   * When every view is scored.
   */
  STOP_NONE: 'STOP_NONE',
  /**
   * As soon as no view that is still to come could change the most probable class. The answer is
   * the mean over the views taken until then: its most probable class is that of the whole answer,
   * its scores are not.
   */
  STOP_EXACT: 'STOP_EXACT',
} as const;

/**
 * When a photo has its answer.
 */
export type Stop =
  /**
   * NONE.
   */
  | 'STOP_UNSPECIFIED'
  | 0
  /**
   * When every view is scored.
   */
  | 'STOP_NONE'
  | 1
  /**
   * As soon as no view that is still to come could change the most probable class. The answer is
   * the mean over the views taken until then: its most probable class is that of the whole answer,
   * its scores are not.
   */
  | 'STOP_EXACT'
  | 2

/**
 * When a photo has its answer.
 */
export type Stop__Output = typeof Stop[keyof typeof Stop]
