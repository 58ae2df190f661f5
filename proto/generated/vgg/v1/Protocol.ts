// Original file: proto/vgg/v1/view.proto

/**
 * Which views of a photo are scored.
 */
export const Protocol = {
  /**
   * The model's default: MULTI_CROP.
   */
  PROTOCOL_UNSPECIFIED: 'PROTOCOL_UNSPECIFIED',
  /**
   * One view per scale: the central crop.
   */
  PROTOCOL_CENTER_CROP: 'PROTOCOL_CENTER_CROP',
  /**
   * Per scale the four corners and the centre, each also mirrored: 10 views.
   */
  PROTOCOL_TEN_CROP: 'PROTOCOL_TEN_CROP',
  /**
   * Per scale a grid of grid × grid crops, each also mirrored: 50 views for grid 5.
   */
  PROTOCOL_MULTI_CROP: 'PROTOCOL_MULTI_CROP',
  /**
   * Per scale the whole plane and its mirror image.
   */
  PROTOCOL_DENSE: 'PROTOCOL_DENSE',
  /**
   * The views of DENSE and of MULTI_CROP; each half has half of the weight.
   */
  PROTOCOL_DENSE_AND_MULTI_CROP: 'PROTOCOL_DENSE_AND_MULTI_CROP',
  /**
   * 4 scales × 3 squares × (4 corners, centre, the whole square resized) × 2 flips.
   */
  PROTOCOL_GOOGLENET_144: 'PROTOCOL_GOOGLENET_144',
} as const;

/**
 * Which views of a photo are scored.
 */
export type Protocol =
  /**
   * The model's default: MULTI_CROP.
   */
  | 'PROTOCOL_UNSPECIFIED'
  | 0
  /**
   * One view per scale: the central crop.
   */
  | 'PROTOCOL_CENTER_CROP'
  | 1
  /**
   * Per scale the four corners and the centre, each also mirrored: 10 views.
   */
  | 'PROTOCOL_TEN_CROP'
  | 2
  /**
   * Per scale a grid of grid × grid crops, each also mirrored: 50 views for grid 5.
   */
  | 'PROTOCOL_MULTI_CROP'
  | 3
  /**
   * Per scale the whole plane and its mirror image.
   */
  | 'PROTOCOL_DENSE'
  | 4
  /**
   * The views of DENSE and of MULTI_CROP; each half has half of the weight.
   */
  | 'PROTOCOL_DENSE_AND_MULTI_CROP'
  | 5
  /**
   * 4 scales × 3 squares × (4 corners, centre, the whole square resized) × 2 flips.
   */
  | 'PROTOCOL_GOOGLENET_144'
  | 6

/**
 * Which views of a photo are scored.
 */
export type Protocol__Output = typeof Protocol[keyof typeof Protocol]
