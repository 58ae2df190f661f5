// The planes of an evaluation: how large a photo is at each scale.

import { expected } from '../errors.ts';
import { roundHalfUp } from './rounding.ts';

/** Size in pixels. */
export interface Size {
  width: number;
  height: number;
}

/** A rectangle in pixels, from the top left. */
export interface Rectangle extends Size {
  x: number;
  y: number;
}

/** A plane before it has pixels. */
export interface PlaneSpec extends Size {
  /** Place in the evaluation, from 0. */
  index: number;
  /** Smallest side Q of the rescaled photo. */
  scale: number;
  /**
   * Set where the plane is not the rescaled photo itself but this square of it, resized to
   * width × height (GOOGLENET_144).
   */
  square?: Rectangle;
}

/** Size of a photo rescaled isotropically so that its smallest side is `scale`; the other is rounded half up. */
export function planeSize(photo: Size, scale: number): Size {
  for (const side of ['width', 'height'] as const) {
    if (!(Number.isInteger(photo[side]) && photo[side] >= 1)) {
      throw expected(`${side} ≥ 1 pixel`, photo[side], side);
    }
  }
  return photo.width <= photo.height
    ? { width: scale, height: roundHalfUp(photo.height * scale, photo.width) }
    : { width: roundHalfUp(photo.width * scale, photo.height), height: scale };
}

/** Left, centre and right squares of a plane, or top, centre and bottom ones. */
export function squaresOf(plane: Size): Rectangle[] {
  const side = Math.min(plane.width, plane.height);
  return [0, 1, 2].map((third) => ({
    x: roundHalfUp(third * (plane.width - side), 2),
    y: roundHalfUp(third * (plane.height - side), 2),
    width: side,
    height: side,
  }));
}
