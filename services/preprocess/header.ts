// What a photo's header says, and whether a photo with that header is decoded at all.
// Knows formats and limits; no pixel is decoded here.

import { expected, VggError } from '../../vgg/errors.ts';
import type { Size } from '../../vgg/views.ts';
import { ACCEPTED_FORMATS, formatName, sniff, type Format } from './formats.ts';
import { checkBytes, checkPhotoSize, type Limits } from './limits.ts';
import { sharp } from './loaders.ts';

/** A photo before it has pixels. */
export interface Header {
  format: Format;
  /** Size of the upright photo. */
  upright: Size;
  hasAlpha: boolean;
  /** Three channels of 8 bits: neither grey nor CMYK. */
  rgb: boolean;
  /** More than 8 bits a channel. */
  deep: boolean;
  /** Whether a colour profile is embedded. */
  profiled: boolean;
}

/**
 * Reads a photo's header and checks it against the limits.
 *
 * @throws VggError INVALID_ARGUMENT, UNSUPPORTED_FORMAT or TOO_LARGE
 */
export async function readHeader(photo: Uint8Array, limits: Limits): Promise<Header> {
  if (photo.byteLength === 0) throw expected(`a ${ACCEPTED_FORMATS} image`, 'nothing', 'photo');
  checkBytes(photo.byteLength, limits);
  const sniffed = sniff(photo);
  if ('other' in sniffed) {
    throw expected(`a ${ACCEPTED_FORMATS} image`, sniffed.other, 'photo', 'UNSUPPORTED_FORMAT');
  }
  const { format } = sniffed;
  // The size is checked below, with a message that says more than the library's.
  const metadata = await sharp(photo, { limitInputPixels: false })
    .metadata()
    .catch((error: unknown) => {
      throw damaged(format, error);
    });
  const upright = { width: metadata.autoOrient.width, height: metadata.autoOrient.height };
  checkPhotoSize(upright, limits);
  return {
    format,
    upright,
    hasAlpha: metadata.hasAlpha,
    rgb: metadata.space === 'srgb' && metadata.depth === 'uchar',
    deep: metadata.depth !== 'uchar',
    profiled: metadata.hasProfile,
  };
}

/** The error for a photo that the library cannot read; why goes to the log alone. */
export function damaged(format: Format, cause: unknown): VggError {
  const name = formatName(format);
  const message = `Expected a whole ${name} image but received a damaged or truncated one (photo)`;
  return new VggError('INVALID_ARGUMENT', message, { cause, fields: [{ field: 'photo', message }] });
}
