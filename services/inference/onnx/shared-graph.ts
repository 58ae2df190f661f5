// A network in the form that shares what views have in common, as one graph for every plane and every list of views:
// what each layer reads is an input. Knows layers and operators; neither plans nor weights.

import type { ConvLayer, LrnLayer, NetworkSpec, PoolLayer } from '../../../vgg/networks.ts';
import { sharedForms, type Form } from '../../../vgg/sharing/stages.ts';
import { tileOutputs } from '../../../vgg/sharing/tile-sides.ts';
import { outputPlaces, tileTransforms, winograd } from '../../../vgg/sharing/winograd.ts';
import { PIXEL_CHANNELS } from '../worker/tiles.ts';
import { GraphBuilder } from './graph-builder.ts';
import { lrnAttributes, ROWS } from './graph.ts';
import { encodeModel, type Value } from './model-proto.ts';

/** Input: [h · w, 3] uint8, RGB. */
export const PLANE = 'plane';
/** Input of a layer: positions to read, int32, by strip; see vgg/sharing/plan.ts. */
export const readsOf = ({ name }: { name: string }): string => `${name}.reads`;
/** Input of a convolution: its filters in the form of its step. */
export const filtersOf = ({ name }: ConvLayer): string => `${name}.filters`;
/** Input of a convolution: [out]. */
export const biasOf = ({ name }: ConvLayer): string => `${name}.bias`;

/** Whether a layer reads pixels, which have too few channels for Winograd's form to be faster. */
export function readsPixels({ name }: ConvLayer): boolean {
  return name === 'conv1_1';
}

/**
 * Writes the body: pixels − mean, every layer's state as [positions, channels], then what fc6 reads.
 *
 * @returns the bytes of an .onnx model with output ROWS
 */
export function writeSharedBody(spec: NetworkSpec, mean: readonly number[]): Uint8Array {
  const body = new SharedBody();
  let state = body.pixels(mean);
  let channels = 3;
  for (const form of sharedForms(spec, tileOutputs)) {
    const { layer } = form;
    if (layer.name === 'fc6') break;
    if (form.kind === 'tiles') state = body.tiles(state, form);
    else if (layer.kind === 'pool') state = body.pool(state, layer, channels);
    else if (layer.kind === 'lrn') state = body.lrn(state, layer);
    else state = body.pointwise(state, layer);
    if (layer.kind === 'conv') channels = layer.outChannels;
  }
  return body.encoded(spec.network, state);
}

const ROW_AXIS = { axis: { int: 0 } };
const SECOND_AWAY = { axes: { ints: [1] }, keepdims: { int: 0 } };

class SharedBody {
  readonly #graph = new GraphBuilder();
  readonly #inputs: Value[] = [{ name: PLANE, element: 'uint8', dims: ['pixels', 3] }];

  // Red, green, blue and a one, which brings the bias. Position 0 is zero, which is the mean colour.
  pixels(mean: readonly number[]): string {
    const graph = this.#graph;
    const values = graph.add('Cast', [PLANE], { to: { int: 1 } });
    const centred = graph.add('Sub', [values, graph.floats('mean', [3], mean)]);
    const ones = graph.add('Pad', [centred, graph.ints('last', [0, 0, 0, 1]), graph.floats('one', [], [1])]);
    return graph.add('Pad', [ones, graph.ints('first', [1, 0, 0, 0])]);
  }

  /**
   * A convolution in tiles, bias and ReLU, after a 2×2 pool or without one. Tiles lie in the last axis but one from
   * the first operator to the last, so no activation is ever transposed.
   *
   * reads [inputs², tiles] → [outputs² · tiles, out], a quarter of it with a pool
   */
  tiles(state: string, form: Extract<Form, { kind: 'tiles' }>): string {
    const { layer } = form;
    if (readsPixels(layer)) return this.#direct(state, form);
    const bias = this.#tileBias(layer);
    return this.#strips(layer, layer.outChannels, (graph, reads) => {
      let x = this.#convolved(graph, state, reads, form); // [outputs², tiles · out]
      if (form.pooled) x = this.#largestOfFour(graph, x, form.outputs);
      // Bias and ReLU leave the order of numbers as it is: behind the pool there are fewer.
      return graph.add('Relu', [graph.add('Add', [x, bias])]);
    });
  }

  // Winograd's form: [outputs², tiles · out], in groups of four before a pool.
  #convolved(
    graph: GraphBuilder,
    state: string,
    reads: string,
    { layer, outputs, pooled }: Extract<Form, { kind: 'tiles' }>,
  ): string {
    const form = winograd(outputs, layer.kernel);
    const places = form.inputs ** 2;
    const transforms = tileTransforms(form, pooled);
    const toInputs = graph.floats('to_inputs', [places, places], transforms.toInputs);
    const toOutputs = graph.floats('to_outputs', [outputs ** 2, places], transforms.toOutputs);
    const flat = graph.ints('flat', [places, -1]);
    let x = graph.add('Gather', [state, reads], ROW_AXIS); // [inputs², tiles, in]
    x = graph.add('MatMul', [toInputs, graph.add('Reshape', [x, flat])]);
    x = graph.add('Reshape', [x, graph.ints('places', [places, -1, layer.inChannels])]);
    x = graph.add('MatMul', [x, this.#filters(layer)]); // [inputs², tiles, out]
    return graph.add('MatMul', [toOutputs, graph.add('Reshape', [x, flat])]);
  }

  // A 2×2 pool of outputs in groups of four: [outputs², …] → [outputs² / 4, …].
  #largestOfFour(graph: GraphBuilder, x: string, outputs: number): string {
    const groups = graph.ints('groups', [(outputs / 2) ** 2, 4, -1]);
    return graph.add('ReduceMax', [graph.add('Reshape', [x, groups])], SECOND_AWAY);
  }

  // The bias of a strip's tiles, but zero of the first, which is nobody's: [1, tiles · out].
  #tileBias(layer: ConvLayer): string {
    const { name, outChannels } = layer;
    const graph = this.#graph;
    const sides = graph.add('Shape', [readsOf(layer)]); // strips, places, tiles
    const tiles = graph.add('Gather', [sides, graph.ints(`${name}.last`, [2])], ROW_AXIS);
    const others = graph.add('Sub', [tiles, graph.ints(`${name}.first`, [1])]);
    const shape = graph.add('Concat', [others, graph.ints(`${name}.out`, [outChannels])], ROW_AXIS);
    const bias = graph.add('Expand', [this.#input(biasOf(layer), 'float32', 1), shape]);
    const zero = graph.floats(`${name}.zero`, [1, outChannels], new Float32Array(outChannels));
    const rows = graph.add('Concat', [zero, bias], ROW_AXIS);
    return graph.add('Reshape', [rows, graph.ints(`${name}.row`, [1, -1])]);
  }

  // One product over what each output reads, and ReLU; of pixels, whose last number brings the bias.
  #direct(state: string, { layer, outputs, pooled }: Extract<Form, { kind: 'tiles' }>): string {
    const { kernel, outChannels } = layer;
    const inputs = outputs + kernel - 1;
    const sides = [...Array(kernel).keys()];
    const places = outputPlaces(outputs, pooled).flatMap((place) => {
      const [row, column] = [Math.floor(place / outputs), place % outputs];
      return sides.flatMap((i) => sides.map((j) => (row + i) * inputs + column + j));
    });
    return this.#strips(layer, outChannels, (graph, reads) => {
      let list = graph.add('Gather', [reads, graph.ints('places', places)], ROW_AXIS);
      list = graph.add('Reshape', [list, graph.ints('taps', [outputs ** 2, kernel ** 2, -1])]);
      list = graph.add('Transpose', [list], { perm: { ints: [0, 2, 1] } });
      const gathered = graph.add('Gather', [state, list], ROW_AXIS); // [outputs², tiles, kernel², in]
      const rows = graph.add('Reshape', [gathered, graph.ints('inputs', [-1, kernel ** 2 * PIXEL_CHANNELS])]);
      const x = graph.add('MatMul', [rows, this.#filters(layer)]);
      return graph.add('Relu', [pooled ? this.#largestOfFour(graph, x, outputs) : x]);
    });
  }

  /** The largest of what is read, which of nothing is zero: reads [n, places] → [n, channels]. */
  pool(state: string, layer: PoolLayer, channels: number): string {
    return this.#strips(layer, channels, (graph, reads) =>
      graph.add('ReduceMax', [graph.add('Gather', [state, reads], ROW_AXIS)], SECOND_AWAY),
    );
  }

  /** A 1×1 convolution of each position: [positions, in] → [positions, out]. */
  pointwise(state: string, layer: ConvLayer): string {
    const { name, outChannels } = layer;
    const graph = this.#graph;
    const product = graph.add('MatMul', [state, this.#filters(layer)]);
    const biased = graph.add('Add', [product, this.#input(biasOf(layer), 'float32', 1)]);
    // Position 0 stays zero.
    const first = graph.ints(`${name}.first`, [0], [1, 1]);
    const zero = graph.floats(`${name}.zero`, [1, outChannels], new Float32Array(outChannels));
    return graph.add('Relu', [graph.add('ScatterND', [biased, first, zero])]);
  }

  /** Local response normalisation of each position, which of zero is zero. */
  lrn(state: string, layer: LrnLayer): string {
    const axes = this.#graph.ints(`${layer.name}.axes`, [2, 3]);
    const images = this.#graph.add('Unsqueeze', [state, axes]);
    return this.#graph.add('Flatten', [this.#graph.add('LRN', [images], lrnAttributes(layer))]);
  }

  /** What fc6 reads at each location, in the order of its weights. */
  encoded(name: string, state: string): Uint8Array {
    const graph = this.#graph;
    const reads = this.#input(readsOf({ name: 'fc6' }), 'int32', 2);
    const gathered = graph.add('Gather', [state, reads], ROW_AXIS); // [rows, places, channels]
    const turned = graph.add('Transpose', [gathered], { perm: { ints: [0, 2, 1] } });
    graph.named(ROWS, 'Flatten', [turned]);
    const { nodes, initializers } = graph;
    const outputs: Value[] = [{ name: ROWS, element: 'float32', dims: ['rows', 'inputs'] }];
    return encodeModel({ name, nodes, initializers, inputs: this.#inputs, outputs });
  }

  // A loop over strips inside the graph: what is written of a strip's list becomes its part of the next state.
  #strips(
    layer: ConvLayer | PoolLayer,
    channels: number,
    write: (graph: GraphBuilder, reads: string) => string,
  ): string {
    const { name } = layer;
    const inner = new GraphBuilder(`${name}/`);
    const strip: Value = { name: `${name}/reads`, element: 'int32', dims: ['first', 'second'] };
    const next = write(inner, strip.name);
    const { nodes, initializers } = inner;
    const outputs: Value[] = [{ name: next, element: 'float32', dims: ['third', 'fourth'] }];
    const graph = { name, nodes, initializers, inputs: [strip], outputs };
    const reads = this.#input(readsOf(layer), 'int32', 3);
    const stacked = this.#graph.add('Scan', [reads], { num_scan_inputs: { int: 1 }, body: { graph } });
    return this.#graph.add('Reshape', [stacked, this.#graph.ints(`${name}.positions`, [-1, channels])]);
  }

  #filters(layer: ConvLayer): string {
    return this.#input(filtersOf(layer), 'float32', layer.kernel > 1 && !readsPixels(layer) ? 3 : 2);
  }

  #input(name: string, element: Value['element'], axes: number): string {
    const dims = Array.from({ length: axes }, (_, axis) => `${name}.${String(axis)}`);
    this.#inputs.push({ name, element, dims });
    return name;
  }
}
