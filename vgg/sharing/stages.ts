// A network as stages on the views of one plane: along each axis, which activations there are and in which windows
// they are computed. Knows layers and keys; not where an activation lies. Quick, so that costs can be asked for.

import { networkLayers, type ConvLayer, type Layer, type NetworkSpec, type PoolLayer } from '../networks.ts';
import type { View } from '../views/views.ts';
import { nextLevel, pixelLevel, type AxisLevel, type AxisStep, type Span } from './axis.ts';
import { coverWindows, type Windows } from './windows.ts';

/** Activations along both axes, and which pairs of spans are views. */
export interface Axes {
  readonly rows: AxisLevel;
  readonly columns: AxisLevel;
  /** Of each view, its spans. */
  readonly views: readonly { readonly row: number; readonly column: number }[];
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
  | (Extract<Form, { kind: 'tiles' }> & { readonly rows: Windows; readonly columns: Windows })
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
  return {
    rows: rows.level,
    columns: columns.level,
    views: views.map((_, view) => ({ row: rows.of[view] ?? 0, column: columns.of[view] ?? 0 })),
  };
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
  const { views } = below;
  if (form.kind === 'gathered') {
    const axes = { rows: nextLevel(below.rows, axis), columns: nextLevel(below.columns, axis), views };
    return { ...form, axis, axes };
  }
  const { pooled, outputs } = form;
  const after = (level: AxisLevel) => {
    const convolved = nextLevel(level, axis);
    return pooled ? nextLevel(convolved, POOL) : convolved;
  };
  const axes = { rows: after(below.rows), columns: after(below.columns), views };
  // A pooled place reads what the two places that it is made of read.
  const read = pooled ? { ...axis, kernel: axis.kernel + 1, stride: 2 } : axis;
  const most = pooled ? outputs / 2 : outputs;
  const rows = coverWindows(below.rows, axes.rows, read, most);
  const columns = coverWindows(below.columns, axes.columns, read, most);
  return { ...form, axes, rows, columns };
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

/** What stages cost at most: views on a grid need every pair of windows, others fewer. */
export interface SharedCost {
  /** Multiply-accumulates of products, before any bias; of tiles those of Winograd's form. */
  readonly products: number;
  /** Most numbers of two states that follow each other: what has to be in memory at once, without weights. */
  readonly numbers: number;
}

/** What stages cost. */
export function sharedCost(stages: readonly Stage[]): SharedCost {
  let products = 0;
  let numbers = 0;
  let [positions, channels] = [0, 0];
  let below = 0;
  for (const stage of stages) {
    const { layer } = stage;
    if (layer.kind === 'conv') channels = layer.outChannels;
    if (stage.kind === 'tiles') {
      const { rows, columns } = stage;
      const tiles = rows.count * columns.count;
      const { inputs } = rows;
      products += tiles * inputs ** 2 * stage.layer.inChannels * channels;
      positions = tiles * rows.outputs * columns.outputs;
    } else {
      if (stage.kind === 'gathered') positions = stage.axes.rows.keys * stage.axes.columns.keys;
      if (layer.kind === 'conv') products += positions * layer.kernel ** 2 * layer.inChannels * channels;
    }
    numbers = Math.max(numbers, below + positions * channels);
    below = positions * channels;
  }
  return { products, numbers };
}
