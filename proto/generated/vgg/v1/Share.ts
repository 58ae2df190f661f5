// Original file: proto/vgg/v1/view.proto

/**
 * Whether what the views of one plane have in common may be computed once.
 */
export const Share = {
  /**
   * AUTO.
   */
  SHARE_UNSPECIFIED: 'SHARE_UNSPECIFIED',
  /**
   * Whatever is quicker; the posteriors are the same to 1e-5.
   */
  SHARE_AUTO: 'SHARE_AUTO',
  /**
   * Every view by itself, as the paper computes it.
   */
  SHARE_OFF: 'SHARE_OFF',
} as const;

/**
 * Whether what the views of one plane have in common may be computed once.
 */
export type Share =
  /**
   * AUTO.
   */
  | 'SHARE_UNSPECIFIED'
  | 0
  /**
   * Whatever is quicker; the posteriors are the same to 1e-5.
   */
  | 'SHARE_AUTO'
  | 1
  /**
   * Every view by itself, as the paper computes it.
   */
  | 'SHARE_OFF'
  | 2

/**
 * Whether what the views of one plane have in common may be computed once.
 */
export type Share__Output = typeof Share[keyof typeof Share]
