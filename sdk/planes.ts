// Planes and views as the SDK's users see them, and as they travel.

import type {
  PreparedPlane as PreparedPlaneMessage,
  PreparedPlane__Output,
} from '../proto/generated/vgg/v1/PreparedPlane.ts';
import type { View__Output } from '../proto/generated/vgg/v1/View.ts';
import { expected, VggError } from '../vgg/errors.ts';
import { checkInteger, checkNumber } from './check.ts';
import type { Rgb } from './evaluation.ts';

/** A rectangle in pixels. */
export interface Rectangle {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** A photo rescaled so that its smallest side is `scale`. Its value is rgb8 − mean. */
export interface Plane {
  /** Place in the evaluation, from 0. */
  index: number;
  scale: number;
  width: number;
  height: number;
  /** [height, width, 3]; empty where the pixels were asked for as float32. */
  rgb8: Uint8Array;
  mean: Rgb;
  /** Set only where the plane is a square of the rescaled photo, itself resized (GOOGLENET_144). */
  square?: Rectangle;
}

/** A rectangle of a plane that the network sees; a mirrored view is cut first, then mirrored. */
export interface View extends Rectangle {
  /** Place in the evaluation, from 0. */
  index: number;
  /** Index of its plane. */
  plane: number;
  mirrored: boolean;
  /** Share in the answer; all weights of an evaluation sum to 1. */
  weight: number;
}

/** A plane and the views that are cut from it. */
export interface PreparedPlane {
  plane: Plane;
  views: View[];
}

const MAX_SIDE = 2 ** 20;

/** @throws VggError INTERNAL for an answer without a plane */
export function preparedPlaneOf(message: PreparedPlane__Output | null): PreparedPlane {
  const { plane, views } = message ?? { plane: null, views: [] };
  if (!plane) throw new VggError('INTERNAL', 'The server sent no plane');
  const { square, mean, index, scale, width, height, rgb8 } = plane;
  return {
    plane: {
      index,
      scale,
      width,
      height,
      rgb8,
      mean: mean ?? { red: 0, green: 0, blue: 0 },
      ...(square && { square: { ...square } }),
    },
    views: views.map(viewOf),
  };
}

export function viewOf({ index, plane, x, y, width, height, mirrored, weight }: View__Output): View {
  return { index, plane, x, y, width, height, mirrored, weight };
}

/** @throws VggError INVALID_ARGUMENT naming what is wrong with the plane */
export function preparedPlaneMessage({ plane, views }: PreparedPlane): PreparedPlaneMessage {
  const field = `planes[${String(plane.index)}]`;
  checkInteger(plane.width, 1, MAX_SIDE, `${field}.width`);
  checkInteger(plane.height, 1, MAX_SIDE, `${field}.height`);
  const bytes = plane.width * plane.height * 3;
  if (plane.rgb8.length !== bytes)
    throw expected(`${String(bytes)} bytes`, plane.rgb8.length, `${field}.rgb8`);
  for (const channel of ['red', 'green', 'blue'] as const) {
    checkNumber(plane.mean[channel], 0, 255, `${field}.mean.${channel}`);
  }
  for (const view of views) {
    for (const side of ['index', 'plane', 'x', 'y'] as const) {
      checkInteger(view[side], 0, MAX_SIDE, `views[${String(view.index)}].${side}`);
    }
    for (const side of ['width', 'height'] as const) {
      checkInteger(view[side], 1, MAX_SIDE, `views[${String(view.index)}].${side}`);
    }
  }
  return { plane: { ...plane, square: plane.square ?? null }, views };
}
