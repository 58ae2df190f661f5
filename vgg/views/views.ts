// From a photo's size and an evaluation to planes and views: the whole geometry, without a pixel.

import { cornersAndCenter, gridCrops } from './crops.ts';
import type { Evaluation } from './evaluation.ts';
import { planeSize, squaresOf, type PlaneSpec, type Rectangle, type Size } from './planes.ts';

/**
 * A rectangle of a plane, possibly mirrored, that the network sees with zero padding at the
 * rectangle's own edge. A mirrored view is cut first, then mirrored.
 */
export interface View extends Rectangle {
  /** Place in the evaluation, from 0. */
  index: number;
  /** Index of the plane it is cut from. */
  plane: number;
  mirrored: boolean;
  /** Share in the answer; all weights of an evaluation sum to 1. */
  weight: number;
}

/** The planes of an evaluation, and its views in plane order. */
export interface EvaluationViews {
  planes: PlaneSpec[];
  views: View[];
}

interface WeightedRectangle extends Rectangle {
  /** Relative to the other rectangles of the same kind. */
  weight: number;
}

/**
 * Planes and views of a photo (paper, Section 3.2).
 *
 * @param photo size of the upright photo in pixels
 * @param inputSize side of a crop in pixels, at most the smallest scale
 */
export function evaluationViews(photo: Size, evaluation: Evaluation, inputSize: number): EvaluationViews {
  const planes: PlaneSpec[] = [];
  const views: View[] = [];
  for (const scale of evaluation.scales) {
    const size = planeSize(photo, scale);
    const plane: PlaneSpec = { index: planes.length, scale, ...size };
    const squares = evaluation.protocol === 'GOOGLENET_144' ? squaresOf(size) : [];
    const resized = squares.map((square, i) => ({
      index: plane.index + 1 + i,
      scale,
      width: inputSize,
      height: inputSize,
      square,
    }));
    planes.push(plane, ...resized);
    const flips = evaluation.protocol === 'CENTER_CROP' ? [false] : [false, true];
    addViews(views, plane, rectanglesOf(plane, squares, evaluation, inputSize), flips);
    for (const each of resized) addViews(views, each, [whole(each, 1 / 18)], flips);
  }
  const share = 1 / evaluation.scales.length;
  for (const view of views) view.weight *= share;
  return { planes, views };
}

/** How many views an evaluation has, for any photo. */
export function viewCount(evaluation: Evaluation): number {
  const square = { width: evaluation.scales[0] ?? 0, height: evaluation.scales[0] ?? 0 };
  return evaluationViews(square, evaluation, Math.min(...evaluation.scales)).views.length;
}

// The rectangles of one plane; their weights sum to 1 (15/18 with GOOGLENET_144, whose resized
// squares have the rest).
function rectanglesOf(
  plane: PlaneSpec,
  squares: readonly Rectangle[],
  { protocol, grid, align }: Evaluation,
  inputSize: number,
): WeightedRectangle[] {
  const each = (rectangles: Rectangle[], total = 1) =>
    rectangles.map((rectangle) => ({ ...rectangle, weight: total / rectangles.length }));
  const area = { x: 0, y: 0, width: plane.width, height: plane.height };
  switch (protocol) {
    case 'CENTER_CROP':
      return each(gridCrops(plane, inputSize, 1, align));
    case 'TEN_CROP':
      return each(cornersAndCenter(area, inputSize, align));
    case 'MULTI_CROP':
      return each(gridCrops(plane, inputSize, grid, align));
    case 'DENSE':
      return [whole(plane, 1)];
    case 'DENSE_AND_MULTI_CROP':
      return [whole(plane, 0.5), ...each(gridCrops(plane, inputSize, grid, align), 0.5)];
    case 'GOOGLENET_144':
      return each(
        squares.flatMap((square) => cornersAndCenter(square, inputSize, align)),
        15 / 18,
      );
  }
}

function whole(plane: PlaneSpec, weight: number): WeightedRectangle {
  return { x: 0, y: 0, width: plane.width, height: plane.height, weight };
}

// Every rectangle as it is, then every rectangle mirrored.
function addViews(
  views: View[],
  plane: PlaneSpec,
  rectangles: readonly WeightedRectangle[],
  flips: readonly boolean[],
): void {
  for (const mirrored of flips) {
    for (const { weight, ...rectangle } of rectangles) {
      const share = weight / flips.length;
      views.push({ index: views.length, plane: plane.index, ...rectangle, mirrored, weight: share });
    }
  }
}
