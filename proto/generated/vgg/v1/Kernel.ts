// Original file: proto/vgg/v1/view.proto

/**
 * How pixels are interpolated when a photo is reduced or enlarged.
 */
export const Kernel = {
  /**
   * The model's own, KERNEL_LINEAR where it names none.
   */
  KERNEL_UNSPECIFIED: 'KERNEL_UNSPECIFIED',
  /**
   * The nearest pixel.
   */
  KERNEL_NEAREST: 'KERNEL_NEAREST',
  /**
   * Bilinear with antialiasing, as Pillow's BILINEAR.
   */
  KERNEL_LINEAR: 'KERNEL_LINEAR',
  /**
   * Catmull-Rom.
   */
  KERNEL_CUBIC: 'KERNEL_CUBIC',
  /**
   * Lanczos, three lobes.
   */
  KERNEL_LANCZOS3: 'KERNEL_LANCZOS3',
} as const;

/**
 * How pixels are interpolated when a photo is reduced or enlarged.
 */
export type Kernel =
  /**
   * The model's own, KERNEL_LINEAR where it names none.
   */
  | 'KERNEL_UNSPECIFIED'
  | 0
  /**
   * The nearest pixel.
   */
  | 'KERNEL_NEAREST'
  | 1
  /**
   * Bilinear with antialiasing, as Pillow's BILINEAR.
   */
  | 'KERNEL_LINEAR'
  | 2
  /**
   * Catmull-Rom.
   */
  | 'KERNEL_CUBIC'
  | 3
  /**
   * Lanczos, three lobes.
   */
  | 'KERNEL_LANCZOS3'
  | 4

/**
 * How pixels are interpolated when a photo is reduced or enlarged.
 */
export type Kernel__Output = typeof Kernel[keyof typeof Kernel]
