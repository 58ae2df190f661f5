// Where the crops of a plane lie.

import type { Rectangle, Size } from './planes.ts';
import { roundHalfUp } from './rounding.ts';

/**
 * Offsets of a regular grid along one side: offset i of g is i·(side − inputSize)/(g − 1), the
 * nearest multiple of `align` that still fits (half up). A grid of 1 is the centre.
 */
export function gridOffsets(side: number, inputSize: number, grid: number, align: number): number[] {
  const room = side - inputSize;
  const last = Math.floor(room / align) * align;
  return Array.from({ length: grid }, (_, i) => {
    const offset = grid === 1 ? roundHalfUp(room, 2 * align) : roundHalfUp(i * room, (grid - 1) * align);
    return Math.min(offset * align, last);
  });
}

/** The grid × grid crops of a plane, row by row. */
export function gridCrops(plane: Size, inputSize: number, grid: number, align: number): Rectangle[] {
  const columns = gridOffsets(plane.width, inputSize, grid, align);
  return gridOffsets(plane.height, inputSize, grid, align).flatMap((y) =>
    columns.map((x) => ({ x, y, width: inputSize, height: inputSize })),
  );
}

/** The four corners and the centre of an area of a plane. */
export function cornersAndCenter(area: Rectangle, inputSize: number, align: number): Rectangle[] {
  const at = (rectangles: Rectangle[], indices: number[]) =>
    indices
      .flatMap((index) => rectangles[index] ?? [])
      .map((r) => ({ ...r, x: r.x + area.x, y: r.y + area.y }));
  return [
    ...at(gridCrops(area, inputSize, 2, align), [0, 1, 2, 3]),
    ...at(gridCrops(area, inputSize, 1, align), [0]),
  ];
}
