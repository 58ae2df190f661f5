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
  for (const [row, needed] of neededColumns(axes).entries()) {
    const first = 1 + (rows.reads[row] ?? 0) * width;
    for (const column of needed) table[row * columns.keys + column] = first + (columns.reads[column] ?? 0);
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

// Every activation reads kernel × kernel positions; they are numbered row by row.
function gathered(
  state: State,
  { layer, axis: { kernel }, axes }: Extract<Stage, { kind: 'gathered' }>,
  most: number,
): { step: SharedStep; state: State } {
  const { rows, columns } = axes;
  const needed = neededColumns(axes);
  const total = needed.reduce((sum, { length }) => sum + length, 0);
  const { count, size } = evenStrips(total, most);
  const reads = new Int32Array(kernel * kernel * count * size);
  const table = new Int32Array(rows.keys * columns.keys);
  const width = state.axes.columns.keys;
  let number = 0;
  for (const [row, some] of needed.entries()) {
    for (const column of some) {
      const position = behindFirsts(number++, size);
      table[row * columns.keys + column] = position;
      for (let i = 0, at = position * kernel * kernel; i < kernel; i++) {
        const rowKey = rows.reads[row * kernel + i] ?? OUTSIDE;
        for (let j = 0; j < kernel; j++, at++) {
          const columnKey = columns.reads[column * kernel + j] ?? OUTSIDE;
          if (rowKey !== OUTSIDE && columnKey !== OUTSIDE)
            reads[at] = state.table[rowKey * width + columnKey] ?? 0;
        }
      }
    }
  }
  return { step: { kind: 'gathered', layer, strips: { count, size, reads } }, state: { axes, table } };
}

// Tiles are the pairs of windows with an activation that a view needs, numbered row by row.
function tiled(
  state: State,
  stage: Extract<Stage, { kind: 'tiles' }>,
  most: number,
): { step: SharedStep; state: State } {
  const { layer, pooled, axes, rows, columns } = stage;
  const { inputs, outputs } = rows;
  const needed = neededColumns(axes);
  const [rowWindows, columnWindows] = [windowsOf(rows), windowsOf(columns)];
  const tileOf = new Int32Array(rows.count * columns.count);
  let total = 0;
  for (const [row, some] of needed.entries()) {
    const first = (rowWindows[row] ?? 0) * columns.count;
    for (const column of some) {
      const at = first + (columnWindows[column] ?? 0);
      if (tileOf[at] === 0) total++;
      tileOf[at] = 1;
    }
  }
  const { count, size } = evenStrips(total, most);
  const area = outputs * outputs;
  // Of every tile, its windows; of none, the ones behind the last, which read nothing.
  const tileRows = new Int32Array(count * size).fill(rows.count);
  const tileColumns = new Int32Array(count * size).fill(columns.count);
  // Where each tile's first output lies; the others are `size` apart.
  for (let row = 0, at = 0, number = 0; row < rows.count; row++) {
    for (let column = 0; column < columns.count; column++, at++) {
      if (tileOf[at] === 0) continue;
      const tile = behindFirsts(number++, size);
      const strip = Math.floor(tile / size);
      tileOf[at] = strip * size * area + tile - strip * size;
      tileRows[tile] = row;
      tileColumns[tile] = column;
    }
  }
  const reads = tileReads(state, stage, tileRows, tileColumns, size);
  const table = new Int32Array(axes.rows.keys * axes.columns.keys);
  for (const [row, some] of needed.entries()) {
    const first = (rowWindows[row] ?? 0) * columns.count;
    const i = (rows.places[row] ?? 0) % outputs;
    for (const column of some) {
      const j = (columns.places[column] ?? 0) % outputs;
      const tile = tileOf[first + (columnWindows[column] ?? 0)] ?? 0;
      table[row * axes.columns.keys + column] = tile + (i * outputs + j) * size;
    }
  }
  const strips = { count, size, reads };
  return { step: { kind: 'tiles', layer, pooled, outputs, inputs, strips }, state: { axes, table } };
}

// By strip of `size` tiles, then by place in the tile, then by tile.
function tileReads(
  { axes, table }: State,
  { rows, columns }: Extract<Stage, { kind: 'tiles' }>,
  tileRows: Int32Array,
  tileColumns: Int32Array,
  size: number,
): Int32Array<ArrayBuffer> {
  const { inputs } = rows;
  const width = axes.columns.keys;
  const reads = new Int32Array(inputs * inputs * tileRows.length);
  for (let first = 0, at = 0; first < tileRows.length; first += size) {
    for (let i = 0; i < inputs; i++) {
      for (let j = 0; j < inputs; j++) {
        for (let tile = first; tile < first + size; tile++, at++) {
          const row = rows.reads[(tileRows[tile] ?? 0) * inputs + i] ?? OUTSIDE;
          const column = columns.reads[(tileColumns[tile] ?? 0) * inputs + j] ?? OUTSIDE;
          if (row !== OUTSIDE && column !== OUTSIDE) reads[at] = table[row * width + column] ?? 0;
        }
      }
    }
  }
  return reads;
}

function windowsOf({ places, outputs }: Windows): Int32Array {
  return places.map((place) => Math.floor(place / outputs));
}

// Of each row key, the column keys that some view has with it, in order.
function neededColumns({ rows, columns, views }: Axes): Int32Array[] {
  const spansOf = Array.from({ length: rows.keys }, (): number[] => []);
  for (const [span, keys] of rows.spans.entries()) for (const key of new Set(keys)) spansOf[key]?.push(span);
  // Few sets of spans occur, each of many keys.
  const known = new Map<string, Int32Array>();
  return spansOf.map((spans) => {
    const name = spans.join();
    let keys = known.get(name);
    if (!keys) known.set(name, (keys = columnsOf(new Set(spans))));
    return keys;
  });

  function columnsOf(spans: ReadonlySet<number>): Int32Array {
    const needed = new Uint8Array(columns.keys);
    for (const { row, column } of views)
      if (spans.has(row)) for (const key of columns.spans[column] ?? []) needed[key] = 1;
    return Int32Array.from(needed.keys()).filter((key) => needed[key] === 1);
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
