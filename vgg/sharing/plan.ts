// The views of one plane as one computation in which no activation that views share is computed twice. Knows stages
// and where each activation lies; computes none.
//
// A layer's state is a matrix [positions, channels] whose position 0 is all zero: who computes a step sets it so. An
// activation is a pair of a row key and a column key (axis.ts); its position is where its layer wrote it. Everything
// else is lists of positions to read: zero padding is position 0, mirroring, sharing, tiling, pooling and cutting are
// orders of reading.

import type { ConvLayer, Layer, NetworkSpec, PoolLayer } from '../networks.ts';
import type { Size } from '../views/planes.ts';
import type { View } from '../views/views.ts';
import { OUTSIDE } from './axis.ts';
import { pixelAxes, sharedStages, type Axes, type Stage, type TileOutputs } from './stages.ts';
import type { Windows } from './windows.ts';

/** What a step reads, in strips that are computed one after the other and so fit caches. */
export interface Strips {
  /** How many there are. */
  readonly count: number;
  /** Tiles, or rows, of each. The first is nobody's and reads nothing, and so may some of the last. */
  readonly size: number;
  /** Positions. */
  readonly reads: Int32Array<ArrayBuffer>;
}

/** A layer of the computation. */
export type SharedStep =
  /**
   * A convolution in tiles, and the pool after it if there is one: each tile reads inputs × inputs positions and
   * writes outputs × outputs. Reads and positions are by strip, then by place in the tile, then by tile.
   */
  | {
      readonly kind: 'tiles';
      readonly layer: ConvLayer;
      readonly pooled: boolean;
      readonly outputs: number;
      readonly inputs: number;
      readonly strips: Strips;
    }
  /** A convolution as one product, or a pool by itself: each position reads kernel × kernel of them. */
  | { readonly kind: 'gathered'; readonly layer: ConvLayer | PoolLayer; readonly strips: Strips }
  /** Each position by itself: a 1×1 convolution, or LRN. */
  | { readonly kind: 'pointwise'; readonly layer: Exclude<Layer, PoolLayer> };

/** Where a view's class scores lie in the last state: [height × width] positions. */
export interface ViewPositions {
  readonly height: number;
  readonly width: number;
  readonly positions: Int32Array;
}

/** The computation of a plane's views. Pixel (x, y) of the plane is position 1 + y · width + x of the first state. */
export interface SharedPlan {
  readonly steps: readonly SharedStep[];
  /** In the order of the views. */
  readonly views: readonly ViewPositions[];
}

/** How a plan is made. */
export interface SharedPlanOptions {
  tileOutputs: TileOutputs;
  /** Most tiles, or rows, of a strip; at least 2. */
  stripSize: (layer: ConvLayer | PoolLayer) => number;
}

/** The plan of views of one plane, each inside it and no smaller than a crop. Pure. */
export function sharedPlan(
  spec: NetworkSpec,
  plane: Size,
  views: readonly View[],
  { tileOutputs, stripSize }: SharedPlanOptions,
): SharedPlan {
  const pixels = pixelAxes(views);
  let state = pixelState(plane, pixels);
  const steps = sharedStages(spec, pixels, tileOutputs).map((stage): SharedStep => {
    if (stage.kind === 'pointwise') {
      const { kind, layer } = stage;
      return { kind, layer };
    }
    const most = stripSize(stage.layer);
    const next = stage.kind === 'tiles' ? tiled(state, stage, most) : gathered(state, stage, most);
    state = next.state;
    return next.step;
  });
  return { steps, views: views.map((_, view) => viewPositions(state, view)) };
}

/** Where each activation lies. */
interface State {
  readonly axes: Axes;
  /** [row keys × column keys]; 0: no view has it. */
  readonly table: Int32Array;
}

function pixelState({ width }: Size, axes: Axes): State {
  const { rows, columns } = axes;
  const table = new Int32Array(rows.keys * columns.keys);
  forEachPair(axes, (row, column) => {
    const [y, x] = [rows.reads[row] ?? 0, columns.reads[column] ?? 0];
    table[row * columns.keys + column] = 1 + y * width + x;
  });
  return { axes, table };
}

/** Of all strips alike: how many, and how large, so that `count` of something have a place behind each first. */
function evenStrips(count: number, most: number): { count: number; size: number } {
  const strips = Math.max(1, Math.ceil(count / (most - 1)));
  return { count: strips, size: 1 + Math.ceil(count / strips) };
}

// Every activation reads kernel × kernel positions; they are numbered row by row.
function gathered(
  state: State,
  { layer, axis: { kernel }, axes }: Extract<Stage, { kind: 'gathered' }>,
  most: number,
): { step: SharedStep; state: State } {
  const { rows, columns } = axes;
  const table = new Int32Array(rows.keys * columns.keys);
  let needed = 0;
  forEachPair(axes, (row, column) => {
    const at = row * columns.keys + column;
    if (table[at] === 0) needed++;
    table[at] = 1;
  });
  const { count, size } = evenStrips(needed, most);
  const area = kernel * kernel;
  const reads = new Int32Array(area * count * size);
  const width = state.axes.columns.keys;
  for (let row = 0, at = 0, number = 0; row < rows.keys; row++) {
    for (let column = 0; column < columns.keys; column++, at++) {
      if (!table[at]) continue;
      const position = behindFirsts(number++, size);
      table[at] = position;
      for (let i = 0, place = position * area; i < kernel; i++) {
        const rowKey = rows.reads[row * kernel + i] ?? OUTSIDE;
        for (let j = 0; j < kernel; j++, place++) {
          const columnKey = columns.reads[column * kernel + j] ?? OUTSIDE;
          if (rowKey !== OUTSIDE && columnKey !== OUTSIDE)
            reads[place] = state.table[rowKey * width + columnKey] ?? 0;
        }
      }
    }
  }
  return { step: { kind: 'gathered', layer, strips: { count, size, reads } }, state: { axes, table } };
}

// The place of something among all strips' places, the first of each left out.
function behindFirsts(number: number, size: number): number {
  return number + 1 + Math.floor(number / (size - 1));
}

function tiled(
  state: State,
  stage: Extract<Stage, { kind: 'tiles' }>,
  most: number,
): { step: SharedStep; state: State } {
  const { layer, pooled, axes, rows, columns } = stage;
  const { inputs, outputs } = rows;
  // Which pairs of windows have an activation that a view needs: numbered row by row.
  const tileOf = new Int32Array(rows.count * columns.count).fill(-1);
  forEachPair(axes, (row, column) => {
    tileOf[tileAt(rows, columns, row, column)] = 0;
  });
  const needed: number[] = [];
  for (let at = 0; at < tileOf.length; at++) if (tileOf[at] === 0) needed.push(at);
  const { count, size } = evenStrips(needed.length, most);
  const reads = new Int32Array(inputs * inputs * count * size);
  for (const [number, at] of needed.entries()) {
    const tile = (tileOf[at] = behindFirsts(number, size));
    const strip = Math.floor(tile / size);
    const first = strip * size * inputs * inputs + (tile - strip * size);
    readTile(state, rows, columns, at, reads.subarray(first), size);
  }
  const table = new Int32Array(axes.rows.keys * axes.columns.keys);
  forEachPair(axes, (row, column) => {
    const tile = tileOf[tileAt(rows, columns, row, column)] ?? 0;
    const strip = Math.floor(tile / size);
    const [i, j] = [(rows.places[row] ?? 0) % outputs, (columns.places[column] ?? 0) % outputs];
    table[row * axes.columns.keys + column] =
      (strip * outputs * outputs + i * outputs + j) * size + (tile - strip * size);
  });
  const strips = { count, size, reads };
  return { step: { kind: 'tiles', layer, pooled, outputs, inputs, strips }, state: { axes, table } };
}

function tileAt({ places, outputs }: Windows, columns: Windows, row: number, column: number): number {
  return (
    Math.floor((places[row] ?? 0) / outputs) * columns.count +
    Math.floor((columns.places[column] ?? 0) / outputs)
  );
}

// Writes the inputs² positions that a tile reads, `apart` from each other.
function readTile(
  { axes, table }: State,
  rows: Windows,
  columns: Windows,
  at: number,
  reads: Int32Array,
  apart: number,
): void {
  const { inputs } = rows;
  const width = axes.columns.keys;
  const [row, column] = [Math.floor(at / columns.count), at % columns.count];
  for (let i = 0; i < inputs; i++) {
    const rowKey = rows.reads[row * inputs + i] ?? OUTSIDE;
    if (rowKey === OUTSIDE) continue;
    for (let j = 0; j < inputs; j++) {
      const columnKey = columns.reads[column * inputs + j] ?? OUTSIDE;
      if (columnKey === OUTSIDE) continue;
      reads[(i * inputs + j) * apart] = table[rowKey * width + columnKey] ?? 0;
    }
  }
}

// Visits every pair of keys that some view has; some of them several times.
function forEachPair({ rows, columns, views }: Axes, visit: (row: number, column: number) => void): void {
  for (const [span, rowKeys] of rows.spans.entries()) {
    const columnKeys = new Set<number>();
    for (const { row, column } of views)
      if (row === span) for (const key of columns.spans[column] ?? []) columnKeys.add(key);
    const sorted = Int32Array.from(columnKeys).sort();
    for (const row of rowKeys) for (const column of sorted) visit(row, column);
  }
}

function viewPositions({ axes: { rows, columns, views }, table }: State, view: number): ViewPositions {
  const { row = 0, column = 0 } = views[view] ?? {};
  const rowKeys = rows.spans[row] ?? new Int32Array();
  const columnKeys = columns.spans[column] ?? new Int32Array();
  const positions = new Int32Array(rowKeys.length * columnKeys.length);
  let at = 0;
  for (const r of rowKeys) for (const c of columnKeys) positions[at++] = table[r * columns.keys + c] ?? 0;
  return { height: rowKeys.length, width: columnKeys.length, positions };
}
