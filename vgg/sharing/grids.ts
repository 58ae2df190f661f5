// The views of a plane as grids: spans of rows, each of which goes with each of some spans of columns. Knows which
// spans go together; neither layers nor tiles.

import { keysOf, marked, type AxisLevel } from './axis.ts';

/** A view's spans along both axes, by number. */
export interface SpanPair {
  readonly row: number;
  readonly column: number;
}

/** Every row with every column is a view. */
export interface Grid {
  readonly rows: readonly number[];
  readonly columns: readonly number[];
}

/**
 * Grids that together have every view, each once: rows that go with the same columns are one. Crops of a protocol are
 * a grid, mirrored or not; the whole plane is one more.
 */
export function gridsOf(views: readonly SpanPair[]): Grid[] {
  const columnsOf = new Map<number, Set<number>>();
  for (const { row, column } of views) {
    const columns = columnsOf.get(row);
    if (columns) columns.add(column);
    else columnsOf.set(row, new Set([column]));
  }
  const grids = new Map<string, { rows: number[]; columns: number[] }>();
  for (const [row, set] of columnsOf) {
    const columns = [...set].sort((a, b) => a - b);
    const grid = grids.get(columns.join());
    if (grid) grid.rows.push(row);
    else grids.set(columns.join(), { rows: [row], columns });
  }
  return [...grids.values()];
}

/** Activations along both axes, and the views that have them. */
export interface Gridded {
  readonly rows: AxisLevel;
  readonly columns: AxisLevel;
  readonly grids: readonly Grid[];
}

/** The keys of each grid along both axes: every pair of them is an activation of some view. */
export function gridKeys({ rows, columns, grids }: Gridded): { rows: Int32Array; columns: Int32Array }[] {
  return grids.map((grid) => ({
    rows: keysOf(rows, grid.rows),
    columns: keysOf(columns, grid.columns),
  }));
}

/** How many activations the views have, those that are the same counted once. */
export function activationCount(axes: Gridded): number {
  const grids = gridKeys(axes);
  const [first] = grids;
  if (first && grids.length === 1) return first.rows.length * first.columns.length;
  const has = new Uint8Array(axes.rows.keys * axes.columns.keys);
  for (const { rows, columns } of grids)
    for (const row of rows) for (const column of columns) has[row * axes.columns.keys + column] = 1;
  return marked(has).length;
}
