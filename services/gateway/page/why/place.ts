// Where views and the cells of score maps lie on the upright photo. Knows geometry; neither scores nor drawing.

import { TOTAL_STRIDE } from '../../../../vgg/networks.ts';
import { planeSize, type Rectangle, type Size } from '../../../../vgg/views/planes.ts';

/** A rectangle of a plane, as an answer has it; with `square` the plane is that square, resized. */
export interface PlacedRectangle extends Rectangle {
  /** Smallest side of the rescaled photo in pixels. */
  scale: number;
  square?: Rectangle;
}

/** The rectangle in fractions of the photo's sides, from its top left. */
export function onPhoto(rectangle: PlacedRectangle, photo: Size): Rectangle {
  const plane = planeSize(photo, rectangle.scale);
  // A resized square is seen whole.
  const { x, y, width, height } = rectangle.square ?? rectangle;
  return {
    x: x / plane.width,
    y: y / plane.height,
    width: width / plane.width,
    height: height / plane.height,
  };
}

/** The values of one class on the upright plane: windows from left to right and from top to bottom. */
export interface PlacedMap {
  /** Left edges of the windows in pixels of the plane, ascending. */
  lefts: number[];
  /** Top edges, ascending. */
  tops: number[];
  /** Side of a window: what the network's input is. */
  window: number;
  /** [tops, lefts] */
  values: number[];
}

/**
 * Lays a map over its upright plane. Location (i, j) is the score of the window of inputSize × inputSize whose corner
 * is at (32·i, 32·j): pools of 2 and convolutions that keep the size put fc6's first window there. On a mirrored plane
 * j counts from the right, so that its windows lie elsewhere unless the plane's width is a multiple of 32.
 *
 * @param values [rows, columns] in the map's own order
 */
export function placeMap(
  values: readonly number[],
  [rows, columns]: readonly [number, number],
  plane: Size,
  { inputSize, mirrored }: { inputSize: number; mirrored: boolean },
): PlacedMap {
  const steps = (count: number) => Array.from({ length: count }, (_, i) => i * TOTAL_STRIDE);
  const first = mirrored ? plane.width - inputSize - (columns - 1) * TOTAL_STRIDE : 0;
  return {
    lefts: steps(columns).map((step) => first + step),
    tops: steps(rows),
    window: inputSize,
    values: mirrored ? flipColumns(values, columns) : [...values],
  };
}

/** Each row from right to left. */
export function flipColumns(values: readonly number[], columns: number): number[] {
  return values.map((_, i) => {
    const column = i % columns;
    return values[i - column + (columns - 1 - column)] ?? NaN;
  });
}

/** Side of a crop, from the size of a plane and of its map: a map has ⌊side / 32⌋ − inputSize / 32 + 1 locations. */
export function inputSizeOf(planeSide: number, locations: number): number {
  return (Math.floor(planeSide / TOTAL_STRIDE) - locations + 1) * TOTAL_STRIDE;
}
