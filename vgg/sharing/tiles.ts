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
  /** Window of rows · columns.count + window of columns, ascending. */
  readonly tiles: Int32Array;
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
  if (grids.length === 1) return { inputs, outputs, covers: [{ grids, ...all, tiles: everyPair(all) }] };

  const joint: Grid[] = [];
  const isTile = new Uint8Array(all.rows.count * all.columns.count);
  const apart: Cover[] = [];
  for (const grid of grids) {
    const touched = touchedPairs(all, keysOf(rows.level, grid.rows), keysOf(columns.level, grid.columns));
    const own = covered([grid]);
    const further = touched.reduce((sum, pair) => sum + (isTile[pair] === 0 ? 1 : 0), 0);
    if (further > own.rows.count * own.columns.count) {
      apart.push({ grids: [grid], ...own, tiles: everyPair(own) });
    } else {
      for (const pair of touched) isTile[pair] = 1;
      joint.push(grid);
    }
  }
  return { inputs, outputs, covers: [{ grids: joint, ...all, tiles: marked(isTile) }, ...apart] };
}

/** How many there are. */
export function tileCount({ covers }: Tiling): number {
  return covers.reduce((sum, { tiles }) => sum + tiles.length, 0);
}

function everyPair({ rows, columns }: Pick<Cover, 'rows' | 'columns'>): Int32Array {
  return new Int32Array(rows.count * columns.count).map((_, pair) => pair);
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
