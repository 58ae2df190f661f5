// Values laid over a photo as a raster: the mean of what covers each place, cells, or what lies between them.
// Knows numbers on a grid of pixels; no colours.

import { TOTAL_STRIDE } from '../../../../vgg/networks.ts';
import type { Rectangle, Size } from '../../../../vgg/views/planes.ts';
import type { PlacedMap } from './place.ts';

/** A value for each pixel, row by row; NaN where there is none. */
export interface Surface extends Size {
  values: Float64Array;
}

/** A rectangle in whole pixels with what was said of it. */
export interface Covering extends Rectangle {
  value: number;
  weight: number;
}

/** At each pixel the weighted mean of the values of those rectangles that cover it. */
export function meanOfCovering(coverings: readonly Covering[], size: Size): Surface {
  const { width, height } = size;
  // Corners only; summed along both sides they become rectangles.
  const stride = width + 1;
  const sums = new Float64Array(stride * (height + 1));
  const weights = new Float64Array(stride * (height + 1));
  const counts = new Float64Array(stride * (height + 1));
  const add = (x: number, y: number, sign: number, { value, weight }: Covering) => {
    const at = y * stride + x;
    sums[at] = (sums[at] ?? 0) + sign * value * weight;
    weights[at] = (weights[at] ?? 0) + sign * weight;
    counts[at] = (counts[at] ?? 0) + sign;
  };
  for (const each of coverings) {
    const left = clamp(each.x, width);
    const right = clamp(each.x + each.width, width);
    const top = clamp(each.y, height);
    const bottom = clamp(each.y + each.height, height);
    add(left, top, 1, each);
    add(right, top, -1, each);
    add(left, bottom, -1, each);
    add(right, bottom, 1, each);
  }
  for (const grid of [sums, weights, counts]) accumulate(grid, stride, height + 1);
  return fill(size, (x, y) => {
    const at = y * stride + x;
    // Whether anything is there is counted exactly; weights leave rounding behind.
    return (counts[at] ?? 0) > 0.5 ? (sums[at] ?? NaN) / (weights[at] ?? NaN) : NaN;
  });
}

/** How the values of a map become a surface. */
export type MapDrawing = 'cells' | 'smooth' | 'windows';

/**
 * A map over its plane. `cells`: 32 × 32 pixels around each window's centre have its value; `smooth`: bilinear between
 * the centres, over the same area; `windows`: at each place the mean of the windows that see it.
 */
export function mapSurface(map: PlacedMap, plane: Size, drawing: MapDrawing): Surface {
  const { lefts, tops, window, values } = map;
  if (drawing === 'windows') {
    const coverings = tops.flatMap((y, i) =>
      lefts.map((x, j) => ({
        ...{ x, y, width: window, height: window, weight: 1 },
        value: values[i * lefts.length + j] ?? NaN,
      })),
    );
    return meanOfCovering(coverings, plane);
  }
  const columns = Array.from({ length: plane.width }, (_, x) => position(x, lefts, window));
  const rows = Array.from({ length: plane.height }, (_, y) => position(y, tops, window));
  const at = (i: number, j: number) => values[i * lefts.length + j] ?? NaN;
  return fill(plane, (x, y) => {
    const column = columns[x];
    const row = rows[y];
    if (column === undefined || row === undefined) return NaN;
    if (drawing === 'cells') return at(Math.round(row), Math.round(column));
    const [i, j] = [Math.floor(row), Math.floor(column)];
    const [down, right] = [row - i, column - j];
    const below = Math.min(i + 1, tops.length - 1);
    const beside = Math.min(j + 1, lefts.length - 1);
    return (
      (1 - down) * ((1 - right) * at(i, j) + right * at(i, beside)) +
      down * ((1 - right) * at(below, j) + right * at(below, beside))
    );
  });
}

/** The mean of surfaces of one size at each pixel, of those that have a value there. */
export function meanOfSurfaces(surfaces: readonly Surface[], size: Size): Surface {
  return fill(size, (x, y) => {
    const there = surfaces
      .map(({ values }) => values[y * size.width + x] ?? NaN)
      .filter((value) => !Number.isNaN(value));
    return there.reduce((sum, value) => sum + value, 0) / there.length;
  });
}

// Place of a pixel's centre among windows' centres, from 0 to their number − 1; nothing outside of the cells.
function position(pixel: number, edges: readonly number[], window: number): number | undefined {
  const place = (pixel + 0.5 - ((edges[0] ?? 0) + window / 2)) / TOTAL_STRIDE;
  if (place < -0.5 || place >= edges.length - 0.5) return undefined;
  return Math.min(Math.max(place, 0), edges.length - 1);
}

function fill(size: Size, valueAt: (x: number, y: number) => number): Surface {
  const { width, height } = size;
  const values = new Float64Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) values[y * width + x] = valueAt(x, y);
  }
  return { width, height, values };
}

function accumulate(grid: Float64Array, columns: number, rows: number): void {
  for (let y = 0; y < rows; y++) {
    for (let x = 1; x < columns; x++) {
      const at = y * columns + x;
      grid[at] = (grid[at] ?? 0) + (grid[at - 1] ?? 0);
    }
  }
  for (let at = columns; at < columns * rows; at++) grid[at] = (grid[at] ?? 0) + (grid[at - columns] ?? 0);
}

function clamp(value: number, most: number): number {
  return Math.min(Math.max(Math.round(value), 0), most);
}
