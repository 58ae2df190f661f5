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
import { activationCount, gridKeys } from './grids.ts';
import { pixelAxes, sharedStages, type Axes, type Stage, type TileOutputs } from './stages.ts';
import { tileCount, type Cover } from './tiles.ts';
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
  options: SharedPlanOptions,
): SharedPlan {
  const steps: SharedStep[] = [];
  let last: State | undefined;
  for (const { step, state } of plannedSteps(spec, plane, views, options)) {
    steps.push(step);
    last = state;
  }
  return { steps, views: views.flatMap((_, view) => (last ? viewPositions(last, view) : [])) };
}

/** The steps of the same plan one by one, each with the state that it leaves. */
export function* plannedSteps(
  spec: NetworkSpec,
  plane: Size,
  views: readonly View[],
  { tileOutputs, stripSize }: SharedPlanOptions,
): Generator<{ step: SharedStep; state: State }> {
  const pixels = pixelAxes(views);
  let state = pixelState(plane, pixels);
  for (const stage of sharedStages(spec, pixels, tileOutputs)) {
    if (stage.kind === 'pointwise') {
      const { kind, layer } = stage;
      yield { step: { kind, layer }, state };
      continue;
    }
    const most = stripSize(stage.layer);
    const next = stage.kind === 'tiles' ? tiled(state, stage, most) : gathered(state, stage, most);
    state = next.state;
    yield next;
  }
}

/** Where each activation lies. */
export interface State {
  readonly axes: Axes;
  /**
   * [1 + row keys, 1 + column keys] positions, the first row and the first column OUTSIDE's; 0 where no view has an
   * activation. So whatever is zero is read at position 0, and nobody has to ask.
   */
  readonly table: Int32Array;
}

/** Where a view's activations lie in a state. */
export function viewPositions({ axes: { rows, columns, views }, table }: State, view: number): ViewPositions {
  const { row = 0, column = 0 } = views[view] ?? {};
  const rowKeys = rows.spans[row] ?? new Int32Array();
  const columnKeys = columns.spans[column] ?? new Int32Array();
  const positions = new Int32Array(rowKeys.length * columnKeys.length);
  let at = 0;
  for (const r of rowKeys)
    for (const c of columnKeys) positions[at++] = table[(r + 1) * (columns.keys + 1) + c + 1] ?? 0;
  return { height: rowKeys.length, width: columnKeys.length, positions };
}

function emptyTable({ rows, columns }: Axes): Int32Array {
  return new Int32Array((rows.keys + 1) * (columns.keys + 1));
}

function pixelState({ width }: Size, axes: Axes): State {
  const table = emptyTable(axes);
  for (const { rows, columns } of gridKeys(axes)) {
    for (const row of rows) {
      const from = 1 + (axes.rows.reads[row] ?? 0) * width;
      const to = (row + 1) * (axes.columns.keys + 1) + 1;
      for (const column of columns) table[to + column] = from + (axes.columns.reads[column] ?? 0);
    }
  }
  return { axes, table };
}

/** Of all strips alike: how many, and how large, so that `count` of something have a place behind each first. */
function evenStrips(count: number, most: number): { count: number; size: number } {
  const strips = Math.max(1, Math.ceil(count / (most - 1)));
  return { count: strips, size: 1 + Math.ceil(count / strips) };
}

// The place of something among all strips' places, the first of each left out.
function behindFirsts(number: number, size: number): number {
  return number + 1 + Math.floor(number / (size - 1));
}

// Every activation reads kernel × kernel positions; they are numbered grid by grid, row by row.
function gathered(
  { axes: { columns: sources }, table: below }: State,
  { layer, axis: { kernel }, axes }: Extract<Stage, { kind: 'gathered' }>,
  most: number,
): { step: SharedStep; state: State } {
  const { rows, columns } = axes;
  const { count, size } = evenStrips(activationCount(axes), most);
  const reads = new Int32Array(kernel * kernel * count * size);
  const table = emptyTable(axes);
  let number = 0;
  for (const keys of gridKeys(axes)) {
    for (const row of keys.rows) {
      for (const column of keys.columns) {
        const to = (row + 1) * (columns.keys + 1) + column + 1;
        if (table[to] !== 0) continue;
        const position = behindFirsts(number++, size);
        table[to] = position;
        for (let i = 0, at = position * kernel * kernel; i < kernel; i++) {
          const from = ((rows.reads[row * kernel + i] ?? 0) + 1) * (sources.keys + 1) + 1;
          for (let j = 0; j < kernel; j++, at++)
            reads[at] = below[from + (columns.reads[column * kernel + j] ?? 0)] ?? 0;
        }
      }
    }
  }
  return { step: { kind: 'gathered', layer, strips: { count, size, reads } }, state: { axes, table } };
}

// Tiles are numbered cover by cover, row by row.
function tiled(
  { axes: { columns: sources }, table: below }: State,
  { layer, pooled, axes, tiling }: Extract<Stage, { kind: 'tiles' }>,
  most: number,
): { step: SharedStep; state: State } {
  const { inputs, outputs, covers } = tiling;
  const { count, size } = evenStrips(tileCount(tiling), most);
  const table = emptyTable(axes);
  // Of every tile, its windows among those of all covers; the first, which reads nothing, is nobody's.
  const tileRows = new Int32Array(count * size);
  const tileColumns = new Int32Array(count * size);
  let [tile, row, column] = [1, 1, 1];
  for (const cover of covers) {
    const { rows, columns, isTile } = cover;
    // Where each tile's first output lies; the others are `size` apart.
    const firsts = new Int32Array(isTile.length);
    for (let i = 0, pair = 0; i < rows.count; i++) {
      for (let j = 0; j < columns.count; j++, pair++) {
        if (isTile[pair] === 0) continue;
        const place = tile % size;
        firsts[pair] = (tile - place) * outputs ** 2 + place;
        tileRows[tile] = row + i;
        tileColumns[tile] = column + j;
        tile += place + 1 < size ? 1 : 2;
      }
    }
    row += rows.count;
    column += columns.count;
    place(table, axes, cover, { firsts, size });
  }
  const reads = tileReads(below, { inputs, size }, [
    {
      windows: tileRows,
      at: windowReads(
        covers.map(({ rows }) => rows),
        sources.keys + 1,
      ),
    },
    {
      windows: tileColumns,
      at: windowReads(
        covers.map(({ columns }) => columns),
        1,
      ),
    },
  ]);
  const strips = { count, size, reads };
  return { step: { kind: 'tiles', layer, pooled, outputs, inputs, strips }, state: { axes, table } };
}

// Writes where the activations of a cover's grids lie, unless another cover has them.
function place(
  table: Int32Array,
  axes: Axes,
  { grids, rows, columns }: Cover,
  { firsts, size }: { firsts: Int32Array; size: number },
): void {
  const { outputs } = rows;
  const inTile = ({ places }: Windows) => ({
    window: places.map((place) => Math.floor(place / outputs)),
    output: places.map((place) => place % outputs),
  });
  const [rowIn, columnIn] = [inTile(rows), inTile(columns)];
  for (const keys of gridKeys({ ...axes, grids })) {
    for (const row of keys.rows) {
      const tile = (rowIn.window[row] ?? 0) * columns.count;
      const output = (rowIn.output[row] ?? 0) * outputs;
      const to = (row + 1) * (axes.columns.keys + 1) + 1;
      for (const column of keys.columns) {
        if (table[to + column] !== 0) continue;
        const first = firsts[tile + (columnIn.window[column] ?? 0)] ?? 0;
        table[to + column] = first + (output + (columnIn.output[column] ?? 0)) * size;
      }
    }
  }
}

/** Tiles along one axis. */
interface TileSide {
  /** Of each tile, its window. */
  readonly windows: Int32Array;
  /** [windows, inputs] where in the table below a window reads. */
  readonly at: Int32Array;
}

// Of all windows, one that reads nothing before them; keys that follow each other are `apart` in the table.
function windowReads(all: readonly Windows[], apart: number): Int32Array {
  const [{ inputs } = { inputs: 0 }] = all;
  const at = new Int32Array(all.reduce((sum, { count }) => sum + count * inputs, inputs));
  let next = inputs;
  for (const { reads } of all) for (const key of reads) at[next++] = (key + 1) * apart;
  return at;
}

// By strip, then by place in the tile, then by tile.
function tileReads(
  below: Int32Array,
  { inputs, size }: { inputs: number; size: number },
  [rows, columns]: readonly [TileSide, TileSide],
): Int32Array<ArrayBuffer> {
  const tiles = rows.windows.length;
  const reads = new Int32Array(inputs * inputs * tiles);
  // Of the tiles of a strip, by place along a side.
  const rowAt = new Int32Array(inputs * size);
  const columnAt = new Int32Array(inputs * size);
  for (let first = 0, at = 0; first < tiles; first += size) {
    for (let tile = 0; tile < size; tile++) {
      const row = (rows.windows[first + tile] ?? 0) * inputs;
      const column = (columns.windows[first + tile] ?? 0) * inputs;
      for (let i = 0, to = tile; i < inputs; i++, to += size) {
        rowAt[to] = rows.at[row + i] ?? 0;
        columnAt[to] = columns.at[column + i] ?? 0;
      }
    }
    for (let i = 0; i < inputs; i++) {
      for (let j = 0; j < inputs; j++) {
        const [row, column] = [i * size, j * size];
        for (let tile = 0; tile < size; tile++, at++)
          reads[at] = below[(rowAt[row + tile] ?? 0) + (columnAt[column + tile] ?? 0)] ?? 0;
      }
    }
  }
  return reads;
}
