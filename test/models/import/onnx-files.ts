// ONNX models for tests, node by node, with protobufjs's encoder.

import { floats, message, type Value } from './protobuf-bytes.ts';

type Fields = readonly (readonly [number, Value | readonly Value[]])[];

/** An attribute's value: an integer, integers, a float or a tensor. */
export type Attribute =
  number | readonly number[] | { float: number } | { tensor: Uint8Array } | { text: string };

/** A node as tests write it: `inputs` follow the value before, unless `from` tells others. */
export interface TestNode {
  op: string;
  name?: string;
  inputs?: readonly string[];
  from?: readonly string[];
  output?: string;
  attributes?: Record<string, Attribute>;
}

/** Values of a tensor of this shape: eighths, from `first` on. */
export function ramp(shape: readonly number[], first = 0): number[] {
  return Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => (first + i) / 8);
}

/** A TensorProto; float32 as raw data, unless told otherwise. */
export function tensor(
  name: string,
  shape: readonly number[],
  { type = 1, data }: { type?: number; data?: Fields } = {},
): Uint8Array {
  return message([1, shape], [2, type], [8, name], ...(data ?? [[9, floats(ramp(shape))]]));
}

/** TensorProto fields of data that lie in another file. */
export function external(entries: Record<string, string>): Fields {
  const encoded = Object.entries(entries).map(([key, value]) => message([1, key], [2, value]));
  return [
    [13, encoded],
    [14, 1],
  ];
}

/** What {@link onnxModel} takes. */
export interface TestModel {
  nodes: readonly TestNode[];
  tensors: readonly Uint8Array[];
  producer?: string;
  /** Names of inputs, each of [1, 3, 32, 32]. */
  inputs?: readonly string[];
}

/** A ModelProto. */
export function onnxModel({
  nodes,
  tensors,
  producer = 'pytorch',
  inputs = ['data'],
}: TestModel): Uint8Array {
  let before = inputs[0] ?? '';
  const encoded = nodes.map(
    ({ op, name = '', inputs: more = [], from = [before], output, attributes = {} }, i) => {
      before = output ?? `value${String(i)}`;
      const told = Object.entries(attributes).map(([key, value]) => message([1, key], ...attribute(value)));
      return message([1, [...from, ...more]], [2, before], [3, name], [4, op], [5, told]);
    },
  );
  const graph = message(
    [1, encoded],
    [2, 'graph'],
    [5, tensors],
    [11, inputs.map((name) => valueInfo(name, [1, 3, 32, 32]))],
    [12, valueInfo(before, [1, 4])],
  );
  return message([1, 8], [2, producer], [7, graph], [8, message([2, 17])]);
}

/** The nodes and tensors of a VGG network of two channels, inputSize 32, hidden 3, four classes. */
export function vgg(blocks: readonly number[]): { nodes: TestNode[]; tensors: Map<string, Uint8Array> } {
  const nodes: TestNode[] = [];
  const tensors = new Map<string, Uint8Array>();
  const weights = (layer: string, shape: readonly number[]) => {
    tensors.set(`${layer}.w`, tensor(`${layer}.w`, shape));
    tensors.set(`${layer}.b`, tensor(`${layer}.b`, shape.slice(0, 1)));
    return [`${layer}.w`, `${layer}.b`];
  };
  for (const [block, count] of blocks.entries()) {
    for (let position = 1; position <= count; position++) {
      const end = `${String(block + 1)}_${String(position)}`;
      const inputs = weights(`conv${end}`, [2, block === 0 && position === 1 ? 3 : 2, 3, 3]);
      const attributes = { kernel_shape: [3, 3], pads: [1, 1, 1, 1], strides: [1, 1] };
      nodes.push({ op: 'Conv', name: `conv${end}`, inputs, attributes }, { op: 'Relu', name: `relu${end}` });
    }
    const attributes = { kernel_shape: [2, 2], strides: [2, 2] };
    nodes.push({ op: 'MaxPool', name: `pool${String(block + 1)}`, attributes });
  }
  nodes.push({ op: 'Flatten', name: 'flatten', attributes: { axis: 1 } });
  for (const [layer, shape] of [
    ['fc6', [3, 2]],
    ['fc7', [3, 3]],
    ['fc8', [4, 3]],
  ] as const) {
    nodes.push({ op: 'Gemm', name: layer, inputs: weights(layer, shape), attributes: { transB: 1 } });
    if (layer !== 'fc8') nodes.push({ op: 'Relu', name: `relu-${layer}` });
  }
  return { nodes, tensors };
}

function attribute(value: Attribute): Fields {
  if (typeof value === 'number')
    return [
      [3, value],
      [20, 2],
    ];
  if ('float' in value) return [[2, { float: value.float }]];
  if ('tensor' in value) return [[5, value.tensor]];
  if ('text' in value) return [[4, value.text]];
  return [[8, value]];
}

function valueInfo(name: string, shape: readonly number[]): Uint8Array {
  const dims = shape.map((side) => message([1, side]));
  return message([1, name], [2, message([1, message([1, 1], [2, message([1, dims])])])]);
}
