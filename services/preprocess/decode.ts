// One decoding for all scales: a photo's file → upright 8-bit sRGB pixels, transparency laid over a
// colour, reduced as far as no plane can tell. Knows photos; not planes.

import type { Sharp } from 'sharp';
import { VggError } from '../../vgg/errors.ts';
import { planeSize, type Kernel, type Rgb, type Size } from '../../vgg/views.ts';
import { damaged, type Header } from './header.ts';
import type { Limits } from './limits.ts';
import { sharp } from './loaders.ts';

/** Pixels: height × width × 3 bytes, row by row, RGB interleaved. */
export interface Pixels extends Size {
  rgb8: Buffer;
}

/** What the pixels are for. */
export interface Purpose {
  /** Colour under transparent pixels; laid down rounded to whole levels. */
  background: Rgb;
  /** The largest Q that will be asked for; large photos come reduced, see {@link reducedSize}. */
  largestScale: number;
  /** With nearest the photo comes whole: its planes are pixels of the photo itself. */
  kernel: Kernel;
}

/**
 * Decodes the first frame of a photo whose header has been checked.
 *
 * @throws VggError INVALID_ARGUMENT if the pixels cannot be read, TOO_LARGE if that takes too long
 */
export async function decode(
  photo: Uint8Array,
  header: Header,
  { background, largestScale, kernel }: Purpose,
  limits: Limits,
): Promise<Pixels> {
  const { format } = header;
  // A truncated photo or a failed checksum is an error, an odd but harmless header is not.
  let image = sharp(photo, { failOn: 'error', limitInputPixels: Math.ceil(limits.photoMegapixels * 1e6) })
    .autoOrient()
    .toColourspace('srgb');
  // Deep photos pass through a wide colour space, which must be left by its own profile.
  if (header.deep && header.profiled) image = image.withIccProfile('srgb');
  const colour = { r: level(background.red), g: level(background.green), b: level(background.blue) };
  // The library lays a background after profiles and before resizing, as one lays a photo on paper.
  if (header.hasAlpha && header.rgb) image = image.flatten({ background: colour });
  const size = kernel === 'nearest' ? undefined : reducedSize(header, largestScale);
  if (size) {
    const { width, height, wholeFirst } = size;
    // A colour space to work in, which is the photo's own, keeps the decoder from reducing.
    if (wholeFirst) image = image.pipelineColourspace('srgb');
    // WebP's decoder can reduce too, but moves levels by 1 to 2 in doing so.
    const fastShrinkOnLoad = header.format === 'jpeg';
    image = image.resize(width, height, { fit: 'fill', kernel: 'cubic', fastShrinkOnLoad });
  }
  const decoded = await finish(image, limits, (error) => damaged(format, error));
  if (decoded.channels === 3) return decoded;
  // Any other photo than RGB would get a background of its own kind, a grey one a grey background:
  // it is converted first.
  const { width, height, channels } = decoded;
  return finish(
    sharp(decoded.rgb8, { raw: { width, height, channels }, limitInputPixels: false }).flatten({
      background: colour,
    }),
    limits,
  );
}

/**
 * To which size a photo is reduced while it is decoded; undefined: not at all.
 *
 * Its smallest side stays at least twice the largest scale: what an antialiased kernel makes of
 * that and of the whole photo is the same to about half a level. JPEG's decoder can reduce by 2, 4
 * or 8 for nearly nothing. It is let to where it divides both sides (a remainder would move the
 * picture), and leaves at least twice the largest scale too; since the library only uses it at
 * ratios of 3 and above, a photo that is a little too small for that is taken to a third (15/8).
 */
export function reducedSize(
  { format, upright, hasAlpha, rgb }: Pick<Header, 'format' | 'upright' | 'hasAlpha' | 'rgb'>,
  largestScale: number,
): (Size & { wholeFirst: boolean }) | undefined {
  if (hasAlpha && !rgb) return undefined; // The background comes first.
  const side = Math.min(upright.width, upright.height);
  if (side < 2.5 * largestScale) return undefined;
  const twice = planeSize(upright, 2 * largestScale);
  if (format !== 'jpeg') return { ...twice, wholeFirst: false };
  const third = { width: Math.floor(upright.width / 3), height: Math.floor(upright.height / 3) };
  const thirdSide = Math.min(third.width, third.height);
  const nearlyTwice = thirdSide < 2 * largestScale && thirdSide >= (15 / 8) * largestScale;
  for (const size of nearlyTwice ? [third, twice] : [twice]) {
    const factor = shrinkOnLoad(upright, size);
    if (size === third && factor === 1) continue;
    if (upright.width % factor === 0 && upright.height % factor === 0) return { ...size, wholeFirst: false };
  }
  return rgb ? { ...twice, wholeFirst: true } : undefined;
}

// By how much sharp lets the JPEG decoder reduce a photo that is resized (pipeline.cc).
function shrinkOnLoad(from: Size, to: Size): number {
  const ratio = Math.min(from.width / to.width, from.height / to.height);
  const factor = ratio >= 8 ? 8 : ratio >= 4 ? 4 : ratio >= 2 ? 2 : 1;
  return factor > 1 && Math.floor(ratio) === factor ? factor / 2 : factor;
}

/** Runs a pipeline to 8-bit pixels within the time of one step. */
export async function finish(
  image: Sharp,
  { stepSeconds }: Pick<Limits, 'stepSeconds'>,
  asError: (cause: unknown) => unknown = (cause) => cause,
): Promise<Pixels & { channels: 1 | 2 | 3 | 4 }> {
  try {
    const { data, info } = await image
      .timeout({ seconds: stepSeconds })
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    const { width, height, channels } = info;
    return { width, height, channels, rgb8: data };
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('timeout')) {
      const message = `Expected a photo that is decoded within ${String(stepSeconds)} s (photo)`;
      throw new VggError('TOO_LARGE', message, { cause: error, fields: [{ field: 'photo', message }] });
    }
    throw asError(error);
  }
}

function level(value: number): number {
  return Math.round(value);
}
