// The stages of a shared plan as graphs whose weights and reading lists are inputs: one graph serves every layer of
// every model. Knows operators; neither plans nor weights.

import { winograd } from '../../../vgg/sharing/winograd.ts';
import type { LrnLayer } from '../../../vgg/networks.ts';
import { GraphBuilder } from './graph-builder.ts';
import { lrnAttributes } from './graph.ts';
import { encodeModel, type Value } from './model-proto.ts';

/** Input: [positions, channels]. */
export const STATE = 'state';
/** Input: positions, int32. */
export const READS = 'reads';
/** Input: a layer's weights, in the form that the stage wants. */
export const WEIGHTS = 'weights';
/** Input: [out]. */
export const BIAS = 'bias';
/** Output: [positions, channels]. */
export const NEXT = 'next';

const STATE_VALUE: Value = { name: STATE, element: 'float32', dims: ['positions', 'channels'] };
const BIAS_VALUE: Value = { name: BIAS, element: 'float32', dims: ['out'] };

/**
 * Convolution in tiles by Winograd's form, bias and ReLU, after a 2×2 pool or without one. Tiles lie in the second
 * axis from the first operator to the last, so nothing is ever transposed.
 *
 * reads [inputs², tiles], weights [inputs², in, out] → [outputs² · tiles, out], a quarter of it with a pool
 */
export function tileStage(outputs: number, taps: number, pooled: boolean): Uint8Array {
  const { inputs, input, output } = winograd(outputs, taps);
  const graph = new GraphBuilder();
  const toInputs = graph.floats('to_inputs', [inputs, inputs], input);
  const toOutputs = graph.floats('to_outputs', [outputs, inputs], output);
  const tiles = graph.add('Gather', [STATE, READS], { axis: { int: 0 } }); // [inputs², tiles, in]
  const shape = graph.add('Shape', [tiles]);
  const reshaped = (x: string, name: string, sides: readonly number[]) =>
    graph.add('Reshape', [x, graph.ints(name, sides)]);
  let x = reshaped(tiles, 'input_rows', [inputs, -1]);
  x = graph.add('MatMul', [toInputs, x]);
  x = reshaped(x, 'input_columns', [inputs, inputs, -1]);
  x = graph.add('MatMul', [toInputs, x]);
  x = graph.add('Reshape', [x, shape]);
  x = graph.add('MatMul', [x, WEIGHTS]); // [inputs², tiles, out]
  x = reshaped(x, 'output_rows', [inputs, -1]);
  x = graph.add('MatMul', [toOutputs, x]);
  x = reshaped(x, 'output_columns', [outputs, inputs, -1]);
  x = graph.add('MatMul', [toOutputs, x]); // [outputs, outputs, tiles · out]
  if (pooled) {
    const half = outputs / 2;
    x = largerOfTwo(graph, reshaped(x, 'row_pairs', [half, 2, -1]));
    x = largerOfTwo(graph, reshaped(x, 'column_pairs', [half * half, 2, -1]));
  }
  const out = graph.add('Concat', [graph.ints('any', [-1]), graph.add('Shape', [BIAS])], {
    axis: { int: 0 },
  });
  // Bias and ReLU leave the order of numbers as it is: behind the pool there are fewer.
  x = graph.add('Reshape', [x, out]);
  graph.named(NEXT, 'Relu', [graph.add('Add', [x, BIAS])]);
  return encoded(`tiles of ${String(outputs)} × ${String(outputs)}`, graph, [
    STATE_VALUE,
    { name: READS, element: 'int32', dims: ['places', 'tiles'] },
    { name: WEIGHTS, element: 'float32', dims: ['places_too', 'channels', 'out'] },
    BIAS_VALUE,
  ]);
}

function largerOfTwo(graph: GraphBuilder, pairs: string): string {
  return graph.add('Max', graph.split('Split', [pairs], 2, { axis: { int: 1 } }));
}

/** A convolution as one product, bias and ReLU: reads [n, places], weights [places · in, out] → [n, out]. */
export function productStage(): Uint8Array {
  const graph = new GraphBuilder();
  const gathered = graph.add('Gather', [STATE, READS], { axis: { int: 0 } }); // [n, places, in]
  const inputs = graph.add('Slice', [
    graph.add('Shape', [WEIGHTS]),
    graph.ints('first', [0]),
    graph.ints('second', [1]),
  ]);
  const shape = graph.add('Concat', [graph.ints('any', [-1]), inputs], { axis: { int: 0 } });
  const product = graph.add('MatMul', [graph.add('Reshape', [gathered, shape]), WEIGHTS]);
  graph.named(NEXT, 'Relu', [graph.add('Add', [product, BIAS])]);
  return encoded('product', graph, [
    STATE_VALUE,
    { name: READS, element: 'int32', dims: ['n', 'places'] },
    { name: WEIGHTS, element: 'float32', dims: ['inputs', 'out'] },
    BIAS_VALUE,
  ]);
}

/** The largest of what is read: reads [n, places] → [n, channels]. */
export function largestStage(): Uint8Array {
  const graph = new GraphBuilder();
  const gathered = graph.add('Gather', [STATE, READS], { axis: { int: 0 } });
  graph.named(NEXT, 'ReduceMax', [gathered], { axes: { ints: [1] }, keepdims: { int: 0 } });
  return encoded('largest', graph, [STATE_VALUE, { name: READS, element: 'int32', dims: ['n', 'places'] }]);
}

/** What fc6 reads, in the order of its weights: reads [n, places] → [n, channels · places]. */
export function rowsStage(): Uint8Array {
  const graph = new GraphBuilder();
  const gathered = graph.add('Gather', [STATE, READS], { axis: { int: 0 } }); // [n, places, channels]
  const turned = graph.add('Transpose', [gathered], { perm: { ints: [0, 2, 1] } });
  graph.named(NEXT, 'Flatten', [turned], { axis: { int: 1 } });
  return encoded('rows', graph, [STATE_VALUE, { name: READS, element: 'int32', dims: ['n', 'places'] }]);
}

/** Local response normalisation of each position: [n, channels] → the same. */
export function lrnStage(layer: LrnLayer): Uint8Array {
  const graph = new GraphBuilder();
  const images = graph.add('Unsqueeze', [STATE, graph.ints('map_axes', [2, 3])]);
  const normalised = graph.add('LRN', [images], lrnAttributes(layer));
  graph.named(NEXT, 'Flatten', [normalised], { axis: { int: 1 } });
  return encoded('lrn', graph, [STATE_VALUE]);
}

function encoded(name: string, { nodes, initializers }: GraphBuilder, inputs: readonly Value[]): Uint8Array {
  const outputs: Value[] = [{ name: NEXT, element: 'float32', dims: ['next_positions', 'next_channels'] }];
  return encodeModel({ name, nodes, initializers, inputs, outputs });
}
