// A decoded photo becomes one plane: rescaled to the exact size that the geometry asks for.
// Knows pixels and plane sizes; neither files nor views.

import type { Kernel, PlaneSpec } from '../../vgg/views.ts';
import { finish, type Pixels } from './decode.ts';
import { enlarge } from './enlarge.ts';
import type { Limits } from './limits.ts';
import { sharp } from './loaders.ts';

/** A plane with its pixels: height × width × 3 bytes; its value is rgb8 − mean. */
export interface Plane extends PlaneSpec {
  rgb8: Buffer;
}

/**
 * Makes a plane.
 *
 * @param source the decoded photo; for a plane that is a square of the rescaled photo, the whole
 *   plane at the same scale
 */
export async function rescale(
  source: Pixels,
  spec: PlaneSpec,
  kernel: Kernel,
  limits: Pick<Limits, 'stepSeconds'>,
): Promise<Plane> {
  const { width, height, square } = spec;
  const from = square ?? source;
  const same = width === from.width && height === from.height;
  if (same && !square) return { ...spec, rgb8: source.rgb8 };
  // Squares are never enlarged: no scale is below the size of a crop.
  if (!square && (width > from.width || height > from.height)) {
    return { ...spec, rgb8: (await enlarge(source, spec, kernel)).rgb8 };
  }
  // From a ratio of 4 on libvips averages whole blocks first, which moves levels by 1 to 2: a
  // step between, to three times the size, halves that and more.
  const steep = Math.min(from.width / width, from.height / height) >= 4;
  if (steep && !square && kernel !== 'nearest') {
    const between = { ...spec, width: 3 * width, height: 3 * height };
    return rescale(await rescale(source, between, kernel, limits), spec, kernel, limits);
  }
  let image = sharp(source.rgb8, {
    raw: { width: source.width, height: source.height, channels: 3 },
    limitInputPixels: false,
  });
  if (square) {
    image = image.extract({ left: square.x, top: square.y, width: square.width, height: square.height });
  }
  if (!same) image = image.resize(width, height, { fit: 'fill', kernel, fastShrinkOnLoad: false });
  return { ...spec, rgb8: (await finish(image, limits)).rgb8 };
}
