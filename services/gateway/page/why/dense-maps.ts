// The score maps of an answer's whole planes, placed: one class, one scale, plain and mirrored.
// Knows maps and planes; not how they are drawn.

import { TOTAL_STRIDE } from '../../../../vgg/networks.ts';
import type { Rectangle, Size } from '../../../../vgg/views/planes.ts';
import { placeMap, type PlacedMap } from './place.ts';
import type { ModelViews } from './slots.ts';
import { mapSurface, meanOfSurfaces, type MapDrawing, type Surface } from './surface.ts';
import { classMap, type MapValue } from './votes.ts';

/** A whole plane's map of one class. */
export interface DenseMap {
  scale: number;
  mirrored: boolean;
  plane: Size;
  map: PlacedMap;
}

/** Maps of one class, of the views that have been computed. */
export function denseMaps({ slots, inputSize }: ModelViews, classIndex: number, value: MapValue): DenseMap[] {
  return slots.flatMap(({ dense, scale, mirrored, rectangle, view }) => {
    if (!dense || !view?.scoreMap) return [];
    const { width, height } = rectangle;
    const [rows, columns] = view.scoreMap.shape;
    const values = classMap(view.scoreMap, classIndex, value);
    const plane = { width, height };
    return { scale, mirrored, plane, map: placeMap(values, [rows, columns], plane, { inputSize, mirrored }) };
  });
}

/** One scale's maps as a surface: the mean of plain and mirrored where both are meant. */
export function denseSurface(maps: readonly DenseMap[], drawing: MapDrawing): Surface {
  const plane = maps[0]?.plane ?? { width: 1, height: 1 };
  return meanOfSurfaces(
    maps.map(({ map }) => mapSurface(map, plane, drawing)),
    plane,
  );
}

/** A location of a map: what it says, and the window that it speaks of in fractions of the photo. */
export interface Location {
  /** Row by row. */
  index: number;
  mirrored: boolean;
  row: number;
  column: number;
  value: number;
  window: Rectangle;
  /** The 32 × 32 pixels at the window's centre. */
  cell: Rectangle;
}

/** All locations of a map, from the top left of the upright photo. */
export function locations({ map, plane, mirrored }: DenseMap): Location[] {
  const { lefts, tops, window, values } = map;
  const cell = TOTAL_STRIDE;
  const fraction = (x: number, y: number, side: number) => ({
    x: x / plane.width,
    y: y / plane.height,
    width: side / plane.width,
    height: side / plane.height,
  });
  return tops.flatMap((y, row) =>
    lefts.map((x, column) => ({
      index: row * lefts.length + column,
      mirrored,
      row,
      column,
      value: values[row * lefts.length + column] ?? NaN,
      window: fraction(x, y, window),
      cell: fraction(x + (window - cell) / 2, y + (window - cell) / 2, cell),
    })),
  );
}

/** The location with the largest value of all maps; the first of equals. */
export function strongestLocation(maps: readonly DenseMap[]): Location | undefined {
  return maps
    .flatMap(locations)
    .reduce<Location | undefined>(
      (best, each) => (best && best.value >= each.value ? best : each),
      undefined,
    );
}

/** The location whose window's centre is nearest to a rectangle's, in fractions of the photo; the first of equals. */
export function nearestLocation(places: readonly Location[], to: Rectangle): Location | undefined {
  const distance = ({ window }: Location) =>
    Math.hypot(
      window.x + window.width / 2 - to.x - to.width / 2,
      window.y + window.height / 2 - to.y - to.height / 2,
    );
  return places.reduce<Location | undefined>(
    (best, each) => (best && distance(best) <= distance(each) + 1e-9 ? best : each),
    undefined,
  );
}
