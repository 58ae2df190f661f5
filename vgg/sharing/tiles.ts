// The tiles in which a layer's activations are computed: pairs of a window of rows and a window of columns. Knows
// windows and grids of views; not where an activation lies.
//
// Views of one grid need every pair of their windows. Views of several do not, crops and a whole plane for example:
// rows of two grids then share windows although their columns have nothing in common, and a view may lie across more
// windows than it would have by itself. So each grid has a choice: the windows of all, or windows of its own if those
// are fewer tiles. Its own are never more than its views would have one by one.

import { keysOf, marked, type AxisLevel, type AxisStep } from './axis.ts';
import type { Grid } from './grids.ts';
import { coverWindows, type Windows } from './windows.ts';

/** Windows along both axes, and which pairs of them are tiles. */
export interface Cover {
  /** Whose activations are computed in these tiles. */
  readonly grids: readonly Grid[];
  readonly rows: Windows;
  readonly columns: Windows;
  /** [rows.count × columns.count] 1: the windows are a tile. */
  readonly isTile: Uint8Array;
  /** Tiles. */
  readonly count: number;
}

/** All tiles of a layer. */
export interface Tiling {
  /** Of a tile's side: what it reads, and what it writes. */
  readonly inputs: number;
  readonly outputs: number;
  readonly covers: readonly Cover[];
}

/** Activations along an axis, and those that they are made of. */
export interface AxisLevels {
  readonly below: AxisLevel;
  readonly level: AxisLevel;
}

/** Tiles of `outputs` × `outputs` for the views of all grids. */
export function tilingOf(
  grids: readonly Grid[],
  rows: AxisLevels,
  columns: AxisLevels,
  step: AxisStep,
  outputs: number,
): Tiling {
  const windows = ({ below, level }: AxisLevels, spans: Iterable<number>) =>
    coverWindows(below, level, step, outputs, spans);
  const covered = (some: readonly Grid[]) => ({
    rows: windows(rows, new Set(some.flatMap((grid) => grid.rows))),
    columns: windows(columns, new Set(some.flatMap((grid) => grid.columns))),
  });
  const inputs = (outputs - 1) * step.stride + step.kernel;
  const all = covered(grids);
  if (grids.length === 1) return { inputs, outputs, covers: [everyPair(grids, all)] };

  const joint: Grid[] = [];
  const isTile = new Uint8Array(all.rows.count * all.columns.count);
  let count = 0;
  const apart: Cover[] = [];
  for (const grid of grids) {
    const touched = touchedPairs(all, keysOf(rows.level, grid.rows), keysOf(columns.level, grid.columns));
    const further = touched.reduce((sum, pair) => sum + (isTile[pair] === 0 ? 1 : 0), 0);
    const own = everyPair([grid], covered([grid]));
    if (further > own.count) {
      apart.push(own);
    } else {
      for (const pair of touched) isTile[pair] = 1;
      count += further;
      joint.push(grid);
    }
  }
  return { inputs, outputs, covers: [{ grids: joint, ...all, isTile, count }, ...apart] };
}

/** How many there are. */
export function tileCount({ covers }: Tiling): number {
  return covers.reduce((sum, { count }) => sum + count, 0);
}

function everyPair(grids: readonly Grid[], { rows, columns }: Pick<Cover, 'rows' | 'columns'>): Cover {
  const count = rows.count * columns.count;
  return { grids, rows, columns, isTile: new Uint8Array(count).fill(1), count };
}

// The pairs of windows from which some rows with some columns are taken.
function touchedPairs(
  { rows, columns }: Pick<Cover, 'rows' | 'columns'>,
  rowKeys: Int32Array,
  columnKeys: Int32Array,
): Int32Array {
  const [rowWindows, columnWindows] = [windowsOf(rows, rowKeys), windowsOf(columns, columnKeys)];
  const pairs = new Int32Array(rowWindows.length * columnWindows.length);
  let at = 0;
  for (const row of rowWindows)
    for (const column of columnWindows) pairs[at++] = row * columns.count + column;
  return pairs;
}

// The windows that keys are taken from.
function windowsOf({ places, outputs, count }: Windows, keys: Int32Array): Int32Array {
  const has = new Uint8Array(count);
  for (const key of keys) has[Math.floor((places[key] ?? 0) / outputs)] = 1;
  return marked(has);
}
