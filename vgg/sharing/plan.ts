// The views of one plane as one computation in which no activation that views share is computed twice. Knows layers,
// keys, tiles and where each lies; computes no activation.
//
// A layer's state is a matrix [positions, channels] whose position 0 is all zero. An activation is a pair of a row
// key and a column key (axis.ts); its position is where its layer wrote it. Everything else is lists of positions to
// read: zero padding is position 0, mirroring, sharing, tiling, pooling and cutting are orders of reading.

import type { ConvLayer, Layer, LrnLayer, NetworkSpec, PoolLayer } from '../networks.ts';
import { networkLayers } from '../networks.ts';
import type { Size } from '../views/planes.ts';
import type { View } from '../views/views.ts';
import { nextLevel, OUTSIDE, pixelLevel, type AxisLevel, type AxisStep, type Span } from './axis.ts';
import { coverWindows, type Windows } from './windows.ts';

/** Tiles that are computed at once: a list of what they read, and where their outputs begin. */
export interface Strip {
  readonly tiles: number;
  /** [inputs² × tiles] positions, by place in the tile, then by tile. */
  readonly reads: Int32Array;
  /** Position of the first of outputs² × tiles outputs, by place in the tile, then by tile. */
  readonly first: number;
}

/** A layer of the computation. */
export type SharedStep =
  /**
   * A convolution in tiles, and the pool after it if there is one. Each tile reads inputs × inputs positions and
   * writes outputs × outputs.
   */
  | {
      readonly kind: 'tiles';
      readonly layer: ConvLayer;
      readonly pooled: boolean;
      readonly outputs: number;
      readonly inputs: number;
      readonly strips: readonly Strip[];
      readonly positions: number;
    }
  /** Each position by itself: a 1×1 convolution, or LRN. */
  | { readonly kind: 'pointwise'; readonly layer: ConvLayer | LrnLayer; readonly positions: number }
  /**
   * A convolution as one product, or a pool by itself: whatever each position reads, [positions × kernel²], first
   * all that position 1 reads.
   */
  | {
      readonly kind: 'gathered';
      readonly layer: ConvLayer | PoolLayer;
      readonly reads: Int32Array;
      readonly positions: number;
    };

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
  /** Outputs along a side of a layer's tile, before a pool, even; 0: not in tiles. */
  tileOutputs: (layer: ConvLayer) => number;
  /** Most tiles of a strip. */
  stripTiles: (layer: ConvLayer) => number;
}

/** The plan of views of one plane, each inside it and no smaller than a crop. Pure. */
export function sharedPlan(
  spec: NetworkSpec,
  plane: Size,
  views: readonly View[],
  options: SharedPlanOptions,
): SharedPlan {
  let state = pixelState(plane, views);
  const steps: SharedStep[] = [];
  const layers = networkLayers(spec);
  for (let i = 0; i < layers.length; i++) {
    const layer = layers[i];
    if (!layer) continue;
    const outputs = layer.kind === 'conv' && layer.pad > 0 ? options.tileOutputs(layer) : 0;
    const pooled = outputs > 0 && layers[i + 1]?.kind === 'pool';
    if (pooled) i++;
    const next =
      outputs > 0 && layer.kind === 'conv'
        ? tiled(state, layer, pooled, outputs, options.stripTiles(layer))
        : layerStep(state, layer);
    steps.push(next.step);
    state = next.state;
  }
  return { steps, views: views.map((_, view) => viewPositions(state, view)) };
}

/** Both axes of a state, which pairs of spans are views, and where each activation lies. */
interface State {
  readonly rows: AxisLevel;
  readonly columns: AxisLevel;
  /** Of each view, its spans. */
  readonly views: readonly { row: number; column: number }[];
  /** [row keys × column keys]; 0: no view has it. */
  readonly table: Int32Array;
  /** With position 0. */
  readonly positions: number;
}

function pixelState(plane: Size, views: readonly View[]): State {
  const spansOf = (each: (view: View) => Span) => {
    const numbers = new Map<string, number>();
    const spans: Span[] = [];
    const of = views.map((view) => {
      const span = each(view);
      const name = `${String(span.start)} ${String(span.length)} ${String(span.mirrored)}`;
      let number = numbers.get(name);
      if (number === undefined) {
        numbers.set(name, (number = spans.length));
        spans.push(span);
      }
      return number;
    });
    return { level: pixelLevel(spans), of };
  };
  const rows = spansOf(({ y, height }) => ({ start: y, length: height, mirrored: false }));
  const columns = spansOf(({ x, width, mirrored }) => ({ start: x, length: width, mirrored }));
  const state = {
    rows: rows.level,
    columns: columns.level,
    views: views.map((_, i) => ({ row: rows.of[i] ?? 0, column: columns.of[i] ?? 0 })),
  };
  const table = new Int32Array(rows.level.keys * columns.level.keys);
  forEachPair(state, (row, column) => {
    const [y, x] = [rows.level.reads[row] ?? 0, columns.level.reads[column] ?? 0];
    table[row * columns.level.keys + column] = 1 + y * plane.width + x;
  });
  return { ...state, table, positions: 1 + plane.height * plane.width };
}

function layerStep(state: State, layer: Layer): { step: SharedStep; state: State } {
  if (layer.kind === 'lrn' || (layer.kind === 'conv' && layer.kernel === 1))
    return { step: { kind: 'pointwise', layer, positions: state.positions }, state };
  return gathered(state, layer);
}

// Every activation reads kernel × kernel positions.
function gathered(state: State, layer: ConvLayer | PoolLayer): { step: SharedStep; state: State } {
  const axis = axisOf(layer);
  const { kernel } = axis;
  const rows = nextLevel(state.rows, axis);
  const columns = nextLevel(state.columns, axis);
  const table = new Int32Array(rows.keys * columns.keys);
  let positions = 1;
  const next = { rows, columns, views: state.views };
  forEachPair(next, (row, column) => {
    table[row * columns.keys + column] = 1;
  });
  for (let at = 0; at < table.length; at++) if (table[at]) table[at] = positions++;
  const count = positions - 1;
  const reads = new Int32Array(kernel * kernel * count);
  const width = state.columns.keys;
  for (let row = 0, at = 0, place = 0; row < rows.keys; row++) {
    for (let column = 0; column < columns.keys; column++, at++) {
      if (!table[at]) continue;
      for (let i = 0; i < kernel; i++) {
        const rowKey = rows.reads[row * kernel + i] ?? OUTSIDE;
        for (let j = 0; j < kernel; j++, place++) {
          const columnKey = columns.reads[column * kernel + j] ?? OUTSIDE;
          if (rowKey !== OUTSIDE && columnKey !== OUTSIDE)
            reads[place] = state.table[rowKey * width + columnKey] ?? 0;
        }
      }
    }
  }
  return { step: { kind: 'gathered', layer, reads, positions }, state: { ...next, table, positions } };
}

function tiled(
  state: State,
  layer: ConvLayer,
  pooled: boolean,
  convOutputs: number,
  stripTiles: number,
): { step: SharedStep; state: State } {
  // A pooled place reads what the two places that it is made of read.
  const axis = pooled ? { kernel: layer.kernel + 1, pad: layer.pad, stride: 2 } : axisOf(layer);
  const outputs = pooled ? convOutputs / 2 : convOutputs;
  const next = {
    rows: levelAfter(state.rows, layer, pooled),
    columns: levelAfter(state.columns, layer, pooled),
    views: state.views,
  };
  const rows = coverWindows(state.rows, next.rows, axis, outputs);
  const columns = coverWindows(state.columns, next.columns, axis, outputs);
  // Which pairs of windows have an activation that a view needs: numbered row by row.
  const tileOf = new Int32Array(rows.count * columns.count).fill(-1);
  forEachPair(next, (row, column) => {
    tileOf[tileAt(rows, columns, row, column)] = 0;
  });
  const tileAtNumber: number[] = [];
  for (let at = 0; at < tileOf.length; at++) if (tileOf[at] === 0) tileOf[at] = tileAtNumber.push(at) - 1;
  const strips: Strip[] = [];
  const inputs = rows.inputs;
  for (let first = 0; first < tileAtNumber.length; first += stripTiles) {
    const tiles = tileAtNumber.slice(first, first + stripTiles);
    strips.push({
      tiles: tiles.length,
      reads: tileReads(state, rows, columns, tiles),
      first: 1 + first * outputs * outputs,
    });
  }
  const table = new Int32Array(next.rows.keys * next.columns.keys);
  forEachPair(next, (row, column) => {
    const tile = tileOf[tileAt(rows, columns, row, column)] ?? 0;
    const strip = Math.floor(tile / stripTiles);
    const { first, tiles } = strips[strip] ?? { first: 0, tiles: 0 };
    const [i, j] = [(rows.places[row] ?? 0) % outputs, (columns.places[column] ?? 0) % outputs];
    table[row * next.columns.keys + column] = first + (i * outputs + j) * tiles + (tile - strip * stripTiles);
  });
  const positions = 1 + tileAtNumber.length * outputs * outputs;
  return {
    step: { kind: 'tiles', layer, pooled, outputs, inputs, strips, positions },
    state: { ...next, table, positions },
  };
}

function axisOf(layer: ConvLayer | PoolLayer): AxisStep {
  return layer.kind === 'pool'
    ? { kernel: 2, pad: 0, stride: 2 }
    : { kernel: layer.kernel, pad: layer.pad, stride: 1 };
}

// By way of the convolution's own level: a pooled place whose last input is beyond the span differs from one that
// reads a zero there.
function levelAfter(below: AxisLevel, layer: ConvLayer, pooled: boolean): AxisLevel {
  const level = nextLevel(below, axisOf(layer));
  return pooled ? nextLevel(level, { kernel: 2, pad: 0, stride: 2 }) : level;
}

function tileAt({ places, outputs }: Windows, columns: Windows, row: number, column: number): number {
  return (
    Math.floor((places[row] ?? 0) / outputs) * columns.count +
    Math.floor((columns.places[column] ?? 0) / outputs)
  );
}

// [inputs² × tiles] positions.
function tileReads(state: State, rows: Windows, columns: Windows, tiles: readonly number[]): Int32Array {
  const { inputs } = rows;
  const width = state.columns.keys;
  const reads = new Int32Array(inputs * inputs * tiles.length);
  for (const [number, at] of tiles.entries()) {
    const [row, column] = [Math.floor(at / columns.count), at % columns.count];
    for (let i = 0; i < inputs; i++) {
      const rowKey = rows.reads[row * inputs + i] ?? OUTSIDE;
      if (rowKey === OUTSIDE) continue;
      for (let j = 0; j < inputs; j++) {
        const columnKey = columns.reads[column * inputs + j] ?? OUTSIDE;
        if (columnKey === OUTSIDE) continue;
        reads[(i * inputs + j) * tiles.length + number] = state.table[rowKey * width + columnKey] ?? 0;
      }
    }
  }
  return reads;
}

// Visits every pair of keys that some view has; some of them several times.
function forEachPair(
  { rows, columns, views }: Pick<State, 'rows' | 'columns' | 'views'>,
  visit: (row: number, column: number) => void,
): void {
  for (const [span, rowKeys] of rows.spans.entries()) {
    const columnKeys = new Set<number>();
    for (const { row, column } of views)
      if (row === span) for (const key of columns.spans[column] ?? []) columnKeys.add(key);
    const sorted = Int32Array.from(columnKeys).sort();
    for (const row of rowKeys) for (const column of sorted) visit(row, column);
  }
}

function viewPositions({ rows, columns, views, table }: State, view: number): ViewPositions {
  const { row = 0, column = 0 } = views[view] ?? {};
  const rowKeys = rows.spans[row] ?? new Int32Array();
  const columnKeys = columns.spans[column] ?? new Int32Array();
  const positions = new Int32Array(rowKeys.length * columnKeys.length);
  let at = 0;
  for (const r of rowKeys) for (const c of columnKeys) positions[at++] = table[r * columns.keys + c] ?? 0;
  return { height: rowKeys.length, width: columnKeys.length, positions };
}
