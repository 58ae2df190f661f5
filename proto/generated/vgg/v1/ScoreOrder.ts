// Original file: proto/vgg/v1/view.proto

/**
 * In which order a class score map becomes a posterior.
 */
export const ScoreOrder = {
  /**
   * MEAN_THEN_SOFTMAX.
   */
  SCORE_ORDER_UNSPECIFIED: 'SCORE_ORDER_UNSPECIFIED',
  /**
   * Spatial mean of the class scores, then softmax: the paper's literal order.
   */
  SCORE_ORDER_MEAN_THEN_SOFTMAX: 'SCORE_ORDER_MEAN_THEN_SOFTMAX',
  /**
   * Softmax at each location, then the spatial mean.
   */
  SCORE_ORDER_SOFTMAX_THEN_MEAN: 'SCORE_ORDER_SOFTMAX_THEN_MEAN',
} as const;

/**
 * In which order a class score map becomes a posterior.
 */
export type ScoreOrder =
  /**
   * MEAN_THEN_SOFTMAX.
   */
  | 'SCORE_ORDER_UNSPECIFIED'
  | 0
  /**
   * Spatial mean of the class scores, then softmax: the paper's literal order.
   */
  | 'SCORE_ORDER_MEAN_THEN_SOFTMAX'
  | 1
  /**
   * Softmax at each location, then the spatial mean.
   */
  | 'SCORE_ORDER_SOFTMAX_THEN_MEAN'
  | 2

/**
 * In which order a class score map becomes a posterior.
 */
export type ScoreOrder__Output = typeof ScoreOrder[keyof typeof ScoreOrder]
