// ONNX's ModelProto, as far as this project writes it: names, field numbers and types from onnx.proto (Apache-2.0).
// Knows the encoding of graphs; does not know what any graph computes.

import protobuf from 'protobufjs';

/** Element types of tensors, by ONNX's numbers. */
export const ELEMENT = { float32: 1, uint8: 2, int32: 6, int64: 7, float16: 10, bfloat16: 16 } as const;

/** See {@link ELEMENT}. */
export type Element = keyof typeof ELEMENT;

/** A stretch of a file that holds a tensor's elements, little-endian. */
export interface ExternalData {
  /** File name within the folder that the session is told of. */
  location: string;
  /** First byte; any number, aligned or not. */
  offset: number;
  /** Bytes. */
  length: number;
}

/** A constant: its elements here, or in a file. */
export interface Initializer {
  name: string;
  dims: readonly number[];
  element: Element;
  data: Uint8Array | ExternalData;
}

/** A node's attribute; integers are numbers in `ints` or `int`. */
export interface Attributes {
  [name: string]: { int: number } | { ints: readonly number[] } | { float: number } | { graph: Graph };
}

/** One operator call. */
export interface Node {
  op: string;
  inputs: readonly string[];
  outputs: readonly string[];
  attributes: Attributes;
}

/** A graph's input or output; a dimension is a size or the name of one. */
export interface Value {
  name: string;
  element: Element;
  dims: readonly (number | string)[];
}

/** A graph. */
export interface Graph {
  name: string;
  nodes: readonly Node[];
  initializers: readonly Initializer[];
  inputs: readonly Value[];
  outputs: readonly Value[];
}

/** Operator set 17 and IR version 8 (2022): the oldest that has all that is used here. */
const OPSET = 17;
const IR_VERSION = 8;

const onnx = protobuf.Root.fromJSON({
  nested: {
    ModelProto: message({
      irVersion: [1, 'int64'],
      producerName: [2, 'string'],
      graph: [7, 'GraphProto'],
      opsetImport: [8, 'OperatorSetIdProto', 'repeated'],
    }),
    OperatorSetIdProto: message({ domain: [1, 'string'], version: [2, 'int64'] }),
    GraphProto: message({
      node: [1, 'NodeProto', 'repeated'],
      name: [2, 'string'],
      initializer: [5, 'TensorProto', 'repeated'],
      input: [11, 'ValueInfoProto', 'repeated'],
      output: [12, 'ValueInfoProto', 'repeated'],
    }),
    NodeProto: message({
      input: [1, 'string', 'repeated'],
      output: [2, 'string', 'repeated'],
      name: [3, 'string'],
      opType: [4, 'string'],
      attribute: [5, 'AttributeProto', 'repeated'],
    }),
    AttributeProto: message({
      name: [1, 'string'],
      f: [2, 'float'],
      i: [3, 'int64'],
      g: [6, 'GraphProto'],
      ints: [8, 'int64', 'repeated'],
      type: [20, 'int32'],
    }),
    TensorProto: message({
      dims: [1, 'int64', 'repeated'],
      dataType: [2, 'int32'],
      name: [8, 'string'],
      rawData: [9, 'bytes'],
      externalData: [13, 'StringStringEntryProto', 'repeated'],
      dataLocation: [14, 'int32'],
    }),
    StringStringEntryProto: message({ key: [1, 'string'], value: [2, 'string'] }),
    ValueInfoProto: message({ name: [1, 'string'], type: [2, 'TypeProto'] }),
    TypeProto: message({ tensorType: [1, 'TensorTypeProto'] }),
    TensorTypeProto: message({ elemType: [1, 'int32'], shape: [2, 'TensorShapeProto'] }),
    TensorShapeProto: message({ dim: [1, 'DimensionProto', 'repeated'] }),
    DimensionProto: message({ dimValue: [1, 'int64'], dimParam: [2, 'string'] }),
  },
});

/** The bytes of a model with this graph, as an .onnx file would hold them. */
export function encodeModel(graph: Graph): Uint8Array {
  const type = onnx.lookupType('ModelProto');
  return type
    .encode({
      irVersion: IR_VERSION,
      producerName: 'vgg-serve',
      opsetImport: [{ domain: '', version: OPSET }],
      graph: graphMessage(graph),
    })
    .finish();
}

function graphMessage({ name, nodes, initializers, inputs, outputs }: Graph): object {
  return {
    name,
    node: nodes.map(nodeMessage),
    initializer: initializers.map(tensorMessage),
    input: inputs.map(valueMessage),
    output: outputs.map(valueMessage),
  };
}

function nodeMessage({ op, inputs, outputs, attributes }: Node): object {
  return {
    opType: op,
    name: outputs[0],
    input: inputs,
    output: outputs,
    attribute: Object.entries(attributes).map(([name, value]) => {
      if ('int' in value) return { name, type: 2, i: value.int };
      if ('ints' in value) return { name, type: 7, ints: value.ints };
      if ('graph' in value) return { name, type: 5, g: graphMessage(value.graph) };
      return { name, type: 1, f: value.float };
    }),
  };
}

function tensorMessage({ name, dims, element, data }: Initializer): object {
  const head = { name, dims, dataType: ELEMENT[element] };
  if (data instanceof Uint8Array) return { ...head, rawData: data };
  const entries = Object.entries(data).map(([key, value]) => ({ key, value: String(value) }));
  return { ...head, dataLocation: 1, externalData: entries };
}

function valueMessage({ name, element, dims }: Value): object {
  const dim = dims.map((size) => (typeof size === 'number' ? { dimValue: size } : { dimParam: size }));
  return { name, type: { tensorType: { elemType: ELEMENT[element], shape: { dim } } } };
}

type Field = readonly [id: number, type: string, rule?: 'repeated'];

function message(fields: Record<string, Field>): protobuf.IType {
  return {
    fields: Object.fromEntries(
      Object.entries(fields).map(([name, [id, type, rule]]) => [
        name,
        rule ? { id, type, rule } : { id, type },
      ]),
    ),
  };
}
