// A network as stages on the views of one plane: along each axis, which activations there are and in which windows
// they are computed. Knows layers and keys; not where an activation lies. Quick, so that costs can be asked for.

import { networkLayers, type ConvLayer, type Layer, type NetworkSpec, type PoolLayer } from '../networks.ts';
import type { View } from '../views/views.ts';
import { nextLevel, pixelLevel, type AxisLevel, type AxisStep, type Span } from './axis.ts';
import { activationCount, gridsOf, type Grid, type SpanPair } from './grids.ts';
import { tileCount, tilingOf, type Tiling } from './tiles.ts';

/** Activations along both axes, and which pairs of spans are views. */
export interface Axes {
  readonly rows: AxisLevel;
  readonly columns: AxisLevel;
  /** Of each view, its spans. */
  readonly views: readonly SpanPair[];
  /** The same views. */
  readonly grids: readonly Grid[];
}

/** How a layer is computed, whatever the views. */
export type Form =
  /** A convolution in tiles along both axes, and the pool after it if there is one; `outputs` before the pool. */
  | { readonly kind: 'tiles'; readonly layer: ConvLayer; readonly pooled: boolean; readonly outputs: number }
  /** A convolution as one product over what each activation reads, or a pool by itself. */
  | { readonly kind: 'gathered'; readonly layer: ConvLayer | PoolLayer }
  /** Each activation by itself: a 1×1 convolution, or LRN. */
  | { readonly kind: 'pointwise'; readonly layer: Exclude<Layer, PoolLayer> };

/** A form on views, and what there is after it. */
export type Stage = { readonly axes: Axes } & (
  | (Extract<Form, { kind: 'tiles' }> & { readonly tiling: Tiling })
  | (Extract<Form, { kind: 'gathered' }> & { readonly axis: AxisStep })
  | Extract<Form, { kind: 'pointwise' }>
);

/**
 * Outputs along a side of a layer's tile before a pool, an even number; 0: the layer is not computed in tiles.
 * Layers without padding never are.
 */
export type TileOutputs = (layer: ConvLayer) => number;

/** The views of one plane as spans. */
export function pixelAxes(views: readonly View[]): Axes {
  const rows = spansOf(views, ({ y, height }) => ({ start: y, length: height, mirrored: false }));
  const columns = spansOf(views, ({ x, width, mirrored }) => ({ start: x, length: width, mirrored }));
  const pairs = views.map((_, view) => ({ row: rows.of[view] ?? 0, column: columns.of[view] ?? 0 }));
  return { rows: rows.level, columns: columns.level, views: pairs, grids: gridsOf(pairs) };
}

/** The forms from pixels to class scores. */
export function sharedForms(spec: NetworkSpec, tileOutputs: TileOutputs): Form[] {
  const layers = networkLayers(spec);
  return layers.flatMap((layer, i): Form[] => {
    const below = layers[i - 1];
    // Pooled by the tiles that it is of.
    if (layer.kind === 'pool' && below && tileSide(below, tileOutputs) > 0) return [];
    const outputs = tileSide(layer, tileOutputs);
    if (layer.kind === 'conv' && outputs > 0)
      return [{ kind: 'tiles', layer, pooled: layers[i + 1]?.kind === 'pool', outputs }];
    // fc6 reads one place where a crop ends as one; its activations are numbered all the same.
    if (layer.kind === 'lrn' || (layer.kind === 'conv' && layer.kernel === 1 && layer.name !== 'fc6'))
      return [{ kind: 'pointwise', layer }];
    return [{ kind: 'gathered', layer }];
  });
}

function tileSide(layer: Layer, tileOutputs: TileOutputs): number {
  return layer.kind === 'conv' && layer.pad > 0 ? tileOutputs(layer) : 0;
}

/** The stages from pixels to class scores. */
export function sharedStages(spec: NetworkSpec, pixels: Axes, tileOutputs: TileOutputs): Stage[] {
  let axes = pixels;
  return sharedForms(spec, tileOutputs).map((form) => {
    const stage = stageOf(axes, form);
    axes = stage.axes;
    return stage;
  });
}

function stageOf(below: Axes, form: Form): Stage {
  if (form.kind === 'pointwise') return { ...form, axes: below };
  const { layer } = form;
  const axis = stepOf(layer);
  if (form.kind === 'gathered') {
    const axes = { ...below, rows: nextLevel(below.rows, axis), columns: nextLevel(below.columns, axis) };
    return { ...form, axis, axes };
  }
  const { pooled, outputs } = form;
  const after = (level: AxisLevel) => {
    const convolved = nextLevel(level, axis);
    return pooled ? nextLevel(convolved, POOL) : convolved;
  };
  const axes = { ...below, rows: after(below.rows), columns: after(below.columns) };
  // A pooled place reads what the two places that it is made of read.
  const read = pooled ? { ...axis, kernel: axis.kernel + 1, stride: 2 } : axis;
  const rows = { below: below.rows, level: axes.rows };
  const columns = { below: below.columns, level: axes.columns };
  const tiling = tilingOf(axes.grids, rows, columns, read, pooled ? outputs / 2 : outputs);
  return { ...form, axes, tiling };
}

const POOL: AxisStep = { kernel: 2, pad: 0, stride: 2 };

function stepOf(layer: ConvLayer | PoolLayer): AxisStep {
  return layer.kind === 'pool' ? POOL : { kernel: layer.kernel, pad: layer.pad, stride: 1 };
}

function spansOf(views: readonly View[], spanOf: (view: View) => Span): { level: AxisLevel; of: number[] } {
  const numbers = new Map<string, number>();
  const spans: Span[] = [];
  const of = views.map((view) => {
    const span = spanOf(view);
    const name = `${String(span.start)} ${String(span.length)} ${String(span.mirrored)}`;
    let number = numbers.get(name);
    if (number === undefined) {
      numbers.set(name, (number = spans.length));
      spans.push(span);
    }
    return number;
  });
  return { level: pixelLevel(spans), of };
}

/** What a stage costs. */
export interface StageCost {
  /** 0: it is not computed in tiles. */
  readonly tiles: number;
  /** Of its state, with those that tiles write for nobody. */
  readonly positions: number;
  readonly channels: number;
  /** Multiply-accumulates of products, before any bias; of tiles those of Winograd's form. */
  readonly products: number;
  /** Numbers that are gathered for it. */
  readonly read: number;
  /** Numbers that its products give; of tiles before they are transformed. */
  readonly written: number;
}

/** What each stage costs. */
export function stageCosts(stages: readonly Stage[]): StageCost[] {
  let [positions, channels] = [0, 3];
  return stages.map((stage) => {
    const { layer } = stage;
    const below = channels;
    if (layer.kind === 'conv') channels = layer.outChannels;
    if (stage.kind === 'tiles') {
      const { inputs, outputs } = stage.tiling;
      const tiles = tileCount(stage.tiling);
      positions = tiles * outputs ** 2;
      const places = tiles * inputs ** 2;
      const [read, written] = [places * below, places * channels];
      return { tiles, positions, channels, products: read * channels, read, written };
    }
    if (stage.kind === 'gathered') positions = activationCount(stage.axes);
    const taps = stage.kind === 'gathered' ? stage.axis.kernel ** 2 : 1;
    const read = positions * taps * below;
    const products = layer.kind === 'conv' ? read * channels : 0;
    return { tiles: 0, positions, channels, products, read, written: positions * channels };
  });
}

/** What stages cost together. */
export interface SharedCost extends Pick<StageCost, 'products' | 'read' | 'written'> {
  /** Most numbers of two states that follow each other: what has to be in memory at once, without weights. */
  readonly numbers: number;
}

/** What stages cost together. */
export function sharedCost(stages: readonly Stage[]): SharedCost {
  const costs = stageCosts(stages);
  const total = (name: 'products' | 'read' | 'written') => costs.reduce((sum, cost) => sum + cost[name], 0);
  const states = costs.map(({ positions, channels }) => positions * channels);
  return {
    products: total('products'),
    read: total('read'),
    written: total('written'),
    numbers: Math.max(0, ...states.map((numbers, stage) => numbers + (states[stage - 1] ?? 0))),
  };
}
