// An ONNX model: its graph, and where its tensors lie, here or in data files beside it. Names and field numbers
// from onnx.proto (Apache-2.0). Knows the format; does not know what any graph computes, and runs none.

import { VggError, elements, expected } from '../../../vgg/index.ts';
import type { StoredTensor } from '../release.ts';
import type { FileBytes } from './file-bytes.ts';
import { DataFiles } from './onnx-data-files.ts';
import { type Message, type Range, type Run, WireReader } from './protobuf-wire.ts';
import { tensorOfRuns } from './runs.ts';
import { tensorOfVarints } from './varint-halves.ts';

/** An attribute of a node; what its kind has. */
export interface OnnxAttribute {
  float?: number;
  int?: number;
  text?: string;
  ints?: readonly number[];
  tensor?: StoredTensor;
}

/** One operator call. */
export interface OnnxNode {
  /** Its name, or its first output's: unique, for errors. */
  name: string;
  /** With its domain, where that is not ONNX's own: `com.microsoft.QLinearAdd`. */
  op: string;
  inputs: readonly string[];
  outputs: readonly string[];
  attributes: ReadonlyMap<string, OnnxAttribute>;
}

/** A graph's input. */
export interface OnnxInput {
  name: string;
  /** Sides that the file fixes; 0 where it does not. */
  shape: readonly number[];
}

/** A model. Must be closed. */
export interface OnnxModel {
  /** `pytorch`, `onnx-caffe2`, `tf2onnx`; may be empty. */
  producer: string;
  nodes: OnnxNode[];
  /** Without those that are initializers too, as old exports have them. */
  inputs: OnnxInput[];
  outputs: string[];
  /** Initializers by name. */
  tensors: ReadonlyMap<string, StoredTensor>;
  close(): Promise<void>;
}

const MODEL = { irVersion: 1, producer: 2, graph: 7 };
const GRAPH = { node: 1, initializer: 5, input: 11, output: 12, sparse: 15 };
const NODE = { input: 1, output: 2, name: 3, op: 4, attribute: 5, domain: 7 };
const ATTRIBUTE = { name: 1, float: 2, int: 3, text: 4, tensor: 5, ints: 8 };
const TENSOR = {
  dims: 1,
  type: 2,
  segment: 3,
  floats: 4,
  int32s: 5,
  name: 8,
  raw: 9,
  doubles: 10,
  external: 13,
  location: 14,
};
// By number: our name, bytes of an element. Others have only a name.
const TYPES: Record<number, [string, number?]> = {
  1: ['F32', 4],
  2: ['U8'],
  3: ['I8'],
  6: ['I32'],
  7: ['I64'],
  9: ['BOOL'],
  10: ['F16', 2],
  11: ['F64', 8],
  16: ['BF16', 2],
};

/**
 * Reads a model, without its weights; owns the file from then on.
 *
 * @throws VggError INVALID_ARGUMENT if it is truncated, no ONNX model, or its data files are not beside it
 */
export async function readOnnxModel(file: FileBytes): Promise<OnnxModel> {
  const data = new DataFiles(file);
  try {
    const reader = new WireReader(file, 'an ONNX model');
    const model = await reader.message(reader.whole);
    const [range] = reader.ranges(model, MODEL.graph);
    if (!range) throw expected('an ONNX model with a graph', 'none', file.path);
    const graph = await reader.message(range);
    if (graph.has(GRAPH.sparse)) throw expected('dense initializers', 'sparse ones', file.path);
    const tensors = new Map<string, StoredTensor>();
    for (const initializer of reader.ranges(graph, GRAPH.initializer)) {
      const tensor = await readTensor(reader, initializer, data);
      if (tensors.has(tensor.name)) throw expected('one initializer of a name', 'two', tensor.name);
      tensors.set(tensor.name, tensor);
    }
    const nodes: OnnxNode[] = [];
    for (const node of reader.ranges(graph, GRAPH.node)) nodes.push(await readNode(reader, node, data));
    const inputs: OnnxInput[] = [];
    for (const each of reader.ranges(graph, GRAPH.input)) inputs.push(await readInput(reader, each));
    const outputs: string[] = [];
    for (const each of reader.ranges(graph, GRAPH.output)) outputs.push((await readInput(reader, each)).name);
    return {
      producer: await reader.text(model, MODEL.producer),
      nodes,
      inputs: inputs.filter(({ name }) => !tensors.has(name)),
      outputs,
      tensors,
      close: () => data.close(),
    };
  } catch (error) {
    await data.close();
    throw error;
  }
}

/** Whether a file begins as an ONNX model does: the format has no magic bytes. Never throws for bad content. */
export async function looksLikeOnnx(file: FileBytes): Promise<boolean> {
  const integers = new Set([MODEL.irVersion, 5]);
  const reader = new WireReader(file, 'an ONNX model');
  let version = false;
  try {
    for await (const { number, wire, value, start, end } of reader.fields(reader.whole)) {
      if (wire !== (integers.has(number) ? 0 : 2)) return false;
      if (number === MODEL.irVersion) version = value >= 1 && value < 1000;
      else if (number === MODEL.graph) {
        // Every field of a graph is a message or a text.
        const { value: first } = await reader.fields({ start, end }).next();
        return version && first !== undefined && first.wire === 2;
      } else if (![2, 3, 4, 5, 6, 8, 14, 20, 25, 26].includes(number)) return false;
    }
    return false;
  } catch (error) {
    if (!(error instanceof VggError)) throw error;
    // Cut off: reading says what is wrong.
    return version;
  }
}

async function readInput(reader: WireReader, range: Range): Promise<OnnxInput> {
  const value = await reader.message(range);
  // ValueInfoProto.type → TypeProto.tensor_type → Tensor.shape → TensorShapeProto.dim → dim_value
  let ranges = [range];
  const shape: number[] = [];
  for (const number of [2, 1, 2, 1]) {
    const inner: Range[] = [];
    for (const each of ranges) inner.push(...reader.ranges(await reader.message(each), number));
    ranges = inner;
  }
  for (const dim of ranges) shape.push(reader.int(await reader.message(dim), 1) ?? 0);
  return { name: await reader.text(value, 1), shape };
}

async function readNode(reader: WireReader, range: Range, data: DataFiles): Promise<OnnxNode> {
  const node = await reader.message(range);
  const outputs = await reader.texts(node, NODE.output);
  const domain = await reader.text(node, NODE.domain);
  const op = await reader.text(node, NODE.op);
  const attributes = new Map<string, OnnxAttribute>();
  for (const each of reader.ranges(node, NODE.attribute)) {
    const attribute = await reader.message(each);
    const name = await reader.text(attribute, ATTRIBUTE.name);
    attributes.set(name, await readAttribute(reader, attribute, data, outputs[0] ?? name));
  }
  return {
    name: (await reader.text(node, NODE.name)) || (outputs[0] ?? ''),
    op: domain === '' || domain === 'ai.onnx' ? op : `${domain}.${op}`,
    inputs: await reader.texts(node, NODE.input),
    outputs,
    attributes,
  };
}

async function readAttribute(
  reader: WireReader,
  attribute: Message,
  data: DataFiles,
  owner: string,
): Promise<OnnxAttribute> {
  const [tensor] = reader.ranges(attribute, ATTRIBUTE.tensor);
  const float = await reader.float(attribute, ATTRIBUTE.float);
  const int = reader.int(attribute, ATTRIBUTE.int);
  return {
    ...(float !== undefined && { float }),
    ...(int !== undefined && { int }),
    ...(attribute.has(ATTRIBUTE.text) && { text: await reader.text(attribute, ATTRIBUTE.text) }),
    ...(attribute.has(ATTRIBUTE.ints) && { ints: await reader.ints(attribute, ATTRIBUTE.ints) }),
    ...(tensor && { tensor: await readTensor(reader, tensor, data, owner) }),
  };
}

async function readTensor(
  reader: WireReader,
  range: Range,
  data: DataFiles,
  owner = '',
): Promise<StoredTensor> {
  const tensor = await reader.message(range);
  const name = (await reader.text(tensor, TENSOR.name)) || owner;
  const shape = await reader.ints(tensor, TENSOR.dims);
  const number = reader.int(tensor, TENSOR.type) ?? 0;
  const [dtype, size] = TYPES[number] ?? [`ONNX type ${String(number)}`];
  if (!shape.every((side) => side >= 0) || !Number.isSafeInteger(elements(shape) * 8)) {
    throw expected('a tensor with sides ≥ 0', shape, name);
  }
  // Integers are shapes and axes, which nobody asks for.
  if (size === undefined) return { name, dtype, shape, read: () => Promise.reject(noWeights(dtype, name)) };
  if (tensor.has(TENSOR.segment)) throw expected('a tensor in one piece', 'a segment', name);
  if (reader.int(tensor, TENSOR.location) === 1) {
    const entries = new Map<string, string>();
    for (const range of reader.ranges(tensor, TENSOR.external)) {
      const entry = await reader.message(range);
      entries.set(await reader.text(entry, 1), await reader.text(entry, 2));
    }
    const { file, run } = await data.place(entries, size, name);
    return tensorOfRuns(file, { name, dtype, shape }, size, [run]);
  }
  const typed = { F32: TENSOR.floats, F64: TENSOR.doubles }[dtype];
  if (typed !== undefined && tensor.has(typed)) {
    const runs = reader.runs(tensor, typed, size === 8 ? 8 : 4);
    return tensorOfRuns(reader.file, { name, dtype, shape }, size, runs);
  }
  if (size === 2 && tensor.has(TENSOR.int32s)) {
    const [packed, ...more] = reader.ranges(tensor, TENSOR.int32s);
    if (!packed || more.length > 0) throw expected('int32_data in one piece', more.length + 1, name);
    return tensorOfVarints(reader.file, { name, dtype, shape }, packed);
  }
  const runs = reader.ranges(tensor, TENSOR.raw).map(({ start, end }): Run => {
    if ((end - start) % size !== 0) throw expected(`elements of ${String(size)} bytes`, end - start, name);
    return { start, count: (end - start) / size, stride: size };
  });
  return tensorOfRuns(reader.file, { name, dtype, shape }, size, runs);
}

function noWeights(dtype: string, name: string): VggError {
  return expected('floating-point weights', dtype, name);
}
