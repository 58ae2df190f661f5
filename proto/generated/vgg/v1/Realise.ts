// Original file: proto/vgg/v1/preprocess_service.proto

/**
 * In which form the pixels are sent.
 */
export const Realise = {
  /**
   * RGB8_PLANES.
   */
  REALISE_UNSPECIFIED: 'REALISE_UNSPECIFIED',
  /**
   * Planes as rgb8 bytes and a mean: lossless, a quarter of the bytes.
   */
  REALISE_RGB8_PLANES: 'REALISE_RGB8_PLANES',
  /**
   * Planes as float32, mean subtracted.
   */
  REALISE_FLOAT32_PLANES: 'REALISE_FLOAT32_PLANES',
  /**
   * Every view as float32: mean subtracted, mirrored, in view order.
   */
  REALISE_FLOAT32_CROPS: 'REALISE_FLOAT32_CROPS',
} as const;

/**
 * In which form the pixels are sent.
 */
export type Realise =
  /**
   * RGB8_PLANES.
   */
  | 'REALISE_UNSPECIFIED'
  | 0
  /**
   * Planes as rgb8 bytes and a mean: lossless, a quarter of the bytes.
   */
  | 'REALISE_RGB8_PLANES'
  | 1
  /**
   * Planes as float32, mean subtracted.
   */
  | 'REALISE_FLOAT32_PLANES'
  | 2
  /**
   * Every view as float32: mean subtracted, mirrored, in view order.
   */
  | 'REALISE_FLOAT32_CROPS'
  | 3

/**
 * In which form the pixels are sent.
 */
export type Realise__Output = typeof Realise[keyof typeof Realise]
