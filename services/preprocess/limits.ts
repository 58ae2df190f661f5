// What a photo and its planes may cost, checked before a pixel is decoded.
// Knows sizes; neither bytes nor the environment.

import { expected, VggError } from '../../vgg/errors.ts';
import { viewCount, type Evaluation, type PlaneSpec, type Size } from '../../vgg/views.ts';

/** Bounds of one request. */
export interface Limits {
  /** Most bytes of a photo's file. */
  photoBytes: number;
  /** Most pixels of a photo, in millions. */
  photoMegapixels: number;
  /** Longest side of a photo and of a plane, in pixels. */
  side: number;
  /** Most pixels of one plane, in millions. */
  planeMegapixels: number;
  /** Most views of one evaluation. */
  views: number;
  /** Longest time that one decoding or resizing step may take, in whole seconds. */
  stepSeconds: number;
}

/** The bounds that hold unless configured otherwise. */
export const DEFAULT_LIMITS: Limits = {
  photoBytes: 20 * 1024 * 1024,
  photoMegapixels: 50,
  side: 16_384,
  planeMegapixels: 8,
  views: 512,
  stepSeconds: 20,
};

/** Throws TOO_LARGE if the file has more bytes than a photo may. */
export function checkBytes(bytes: number, { photoBytes }: Limits): void {
  if (bytes > photoBytes) {
    throw expected(`a photo of at most ${bytesText(photoBytes)}`, bytesText(bytes), 'photo', 'TOO_LARGE');
  }
}

/** Throws TOO_LARGE if the photo has a side or an area beyond the limits. */
export function checkPhotoSize(photo: Size, { side, photoMegapixels }: Limits): void {
  if (Math.max(photo.width, photo.height) > side) {
    throw expected(`a photo with sides ≤ ${String(side)} pixels`, sizeText(photo), 'photo', 'TOO_LARGE');
  }
  if (photo.width * photo.height > photoMegapixels * 1e6) {
    const came = `${sizeText(photo)} = ${megapixels(photo)} megapixels`;
    throw expected(`a photo of ≤ ${String(photoMegapixels)} megapixels`, came, 'photo', 'TOO_LARGE');
  }
}

/**
 * Throws TOO_LARGE if a photo of this shape would become a plane beyond the limits: a photo of
 * 1×16000 pixels is small, its plane at Q = 256 has four million rows.
 */
export function checkPlanes(
  planes: readonly PlaneSpec[],
  photo: Size,
  { side, planeMegapixels }: Limits,
  evaluation: Pick<Evaluation, 'scales'>,
): void {
  for (const plane of planes) {
    if (Math.max(plane.width, plane.height) <= side && plane.width * plane.height <= planeMegapixels * 1e6) {
      continue;
    }
    const field = `scales[${String(evaluation.scales.indexOf(plane.scale))}]`;
    const message =
      `Expected planes with sides ≤ ${String(side)} pixels and ≤ ${String(planeMegapixels)} megapixels ` +
      `but received a photo of ${sizeText(photo)}, whose aspect ratio makes the plane at scale ` +
      `${String(plane.scale)} ${sizeText(plane)} (${field})`;
    throw new VggError('TOO_LARGE', message, { fields: [{ field, message }] });
  }
}

/** Throws INVALID_ARGUMENT if the evaluation has more views than one request may. */
export function checkViews(evaluation: Evaluation, limits: Limits): void {
  const views = viewCount(evaluation);
  if (views > limits.views) {
    throw expected(`an evaluation of at most ${String(limits.views)} views`, views, 'grid');
  }
}

function sizeText({ width, height }: Size): string {
  return `${String(width)}×${String(height)}`;
}

function megapixels({ width, height }: Size): string {
  return ((width * height) / 1e6).toFixed(1);
}

function bytesText(bytes: number): string {
  return `${String(bytes)} bytes`;
}
