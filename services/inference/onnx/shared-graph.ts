// A network in the form that shares what views have in common, as one graph for every plane and every list of views:
// what each layer reads is an input. Knows layers and operators; neither plans nor weights.

import type { ConvLayer, LrnLayer, NetworkSpec, PoolLayer } from '../../../vgg/networks.ts';
import { sharedForms, type Form } from '../../../vgg/sharing/stages.ts';
import { tileOutputs } from '../../../vgg/sharing/tile-sides.ts';
import { winograd } from '../../../vgg/sharing/winograd.ts';
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

/** Whether tiles are computed by Winograd's form: pixels have too few channels for it to be faster. */
export function isWinograd({ kernel, inChannels }: ConvLayer): boolean {
  return kernel > 1 && inChannels > 3;
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

  // Position 0 is zero, which is the mean colour.
  pixels(mean: readonly number[]): string {
    const graph = this.#graph;
    const values = graph.add('Cast', [PLANE], { to: { int: 1 } });
    const centred = graph.add('Sub', [values, graph.floats('mean', [3], mean)]);
    return graph.add('Concat', [graph.floats('zero', [1, 3], [0, 0, 0]), centred], ROW_AXIS);
  }

  /**
   * A convolution in tiles, bias and ReLU, after a 2×2 pool or without one. Tiles lie in the last axis but one from
   * the first operator to the last, so no activation is ever transposed.
   *
   * reads [inputs², tiles] → [outputs² · tiles, out], a quarter of it with a pool
   */
  tiles(state: string, { layer, pooled, outputs }: Extract<Form, { kind: 'tiles' }>): string {
    const { name, outChannels } = layer;
    return this.#strips(layer, outChannels, (graph, reads) => {
      let x = isWinograd(layer)
        ? this.#winograd(graph, state, reads, layer, outputs)
        : this.#direct(graph, state, reads, layer, outputs);
      if (pooled) {
        const half = outputs / 2;
        const larger = (shape: readonly number[], pairs: string) =>
          graph.add('ReduceMax', [graph.add('Reshape', [x, graph.ints(pairs, shape)])], SECOND_AWAY);
        x = larger([half, 2, -1], 'row_pairs');
        x = larger([half * half, 2, -1], 'column_pairs');
      }
      // Bias and ReLU leave the order of numbers as it is: behind the pool there are fewer.
      x = graph.add('Reshape', [x, graph.ints(`${name}.rows`, [-1, outChannels])]);
      return this.#activated(graph, x, layer);
    });
  }

  // Filters [inputs², in, out] → [outputs, outputs, tiles · out].
  #winograd(graph: GraphBuilder, state: string, reads: string, layer: ConvLayer, outputs: number): string {
    const { inputs, input, output } = winograd(outputs, layer.kernel);
    const toInputs = graph.floats('to_inputs', [inputs, inputs], input);
    const toOutputs = graph.floats('to_outputs', [outputs, inputs], output);
    const reshaped = (x: string, name: string, sides: readonly number[]) =>
      graph.add('Reshape', [x, graph.ints(name, sides)]);
    let x = graph.add('Gather', [state, reads], ROW_AXIS); // [inputs², tiles, in]
    x = reshaped(x, 'input_rows', [inputs, -1]);
    x = graph.add('MatMul', [toInputs, x]);
    x = reshaped(x, 'input_columns', [inputs, inputs, -1]);
    x = graph.add('MatMul', [toInputs, x]);
    x = reshaped(x, 'places', [inputs * inputs, -1, layer.inChannels]);
    x = graph.add('MatMul', [x, this.#filters(layer)]); // [inputs², tiles, out]
    x = reshaped(x, 'output_rows', [inputs, -1]);
    x = graph.add('MatMul', [toOutputs, x]);
    x = reshaped(x, 'output_columns', [outputs, inputs, -1]);
    return graph.add('MatMul', [toOutputs, x]);
  }

  // One product over what each output reads: filters [kernel² · in, out] → [outputs² · tiles, out].
  #direct(graph: GraphBuilder, state: string, reads: string, layer: ConvLayer, outputs: number): string {
    const { kernel, inChannels } = layer;
    const inputs = outputs + kernel - 1;
    const places: number[] = [];
    for (let i = 0; i < outputs; i++)
      for (let j = 0; j < outputs; j++)
        for (let row = 0; row < kernel; row++)
          for (let column = 0; column < kernel; column++) places.push((i + row) * inputs + j + column);
    let list = graph.add('Gather', [reads, graph.ints('places', places)], ROW_AXIS);
    list = graph.add('Reshape', [list, graph.ints('taps', [outputs ** 2, kernel ** 2, -1])]);
    list = graph.add('Transpose', [list], { perm: { ints: [0, 2, 1] } });
    const gathered = graph.add('Gather', [state, list], ROW_AXIS); // [outputs², tiles, kernel², in]
    const rows = graph.add('Reshape', [gathered, graph.ints('inputs', [-1, kernel ** 2 * inChannels])]);
    return graph.add('MatMul', [rows, this.#filters(layer)]);
  }

  /** The largest of what is read, which of nothing is zero: reads [n, places] → [n, channels]. */
  pool(state: string, layer: PoolLayer, channels: number): string {
    return this.#strips(layer, channels, (graph, reads) =>
      graph.add('ReduceMax', [graph.add('Gather', [state, reads], ROW_AXIS)], SECOND_AWAY),
    );
  }

  /** A 1×1 convolution of each position: [positions, in] → [positions, out]. */
  pointwise(state: string, layer: ConvLayer): string {
    const product = this.#graph.add('MatMul', [state, this.#filters(layer)]);
    return this.#activated(this.#graph, product, layer);
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
    const outputs: Value[] = [{ name: next, element: 'float32', dims: ['positions', channels] }];
    const graph = { name, nodes, initializers, inputs: [strip], outputs };
    const reads = this.#input(readsOf(layer), 'int32', 3);
    const stacked = this.#graph.add('Scan', [reads], { num_scan_inputs: { int: 1 }, body: { graph } });
    return this.#graph.add('Reshape', [stacked, this.#graph.ints(`${name}.positions`, [-1, channels])]);
  }

  // Bias and ReLU. The first row, which is position 0 or nobody's, is set to zero between them, where that is done
  // in place.
  #activated(graph: GraphBuilder, x: string, layer: ConvLayer): string {
    const { name, outChannels } = layer;
    const biased = graph.add('Add', [x, this.#input(biasOf(layer), 'float32', 1)]);
    const first = graph.ints(`${name}.first`, [0], [1, 1]);
    const zero = graph.floats(`${name}.zero`, [1, outChannels], new Float32Array(outChannels));
    return graph.add('Relu', [graph.add('ScatterND', [biased, first, zero])]);
  }

  #filters(layer: ConvLayer): string {
    return this.#input(filtersOf(layer), 'float32', isWinograd(layer) ? 3 : 2);
  }

  #input(name: string, element: Value['element'], axes: number): string {
    const dims = Array.from({ length: axes }, (_, axis) => `${name}.${String(axis)}`);
    this.#inputs.push({ name, element, dims });
    return name;
  }
}
