// A Caffe network with its weights, a NetParameter of caffe.proto (BSD-2-Clause): layers, what they are told,
// and where their blobs lie. Knows both forms of layers, V1 (`layers`, 2013) and new (`layer`, 2014);
// does not know what networks there are.

import { VggError, elements, expected } from '../../../vgg/index.ts';
import type { StoredTensor } from '../release.ts';
import type { FileBytes } from './file-bytes.ts';
import { type Message, type Range, WireReader } from './protobuf-wire.ts';
import { tensorOfRuns } from './runs.ts';

/** A layer of a network. */
export interface CaffeLayer {
  name: string;
  /** As new layers spell it: `Convolution`, `InnerProduct`; `V1 type 99` if it is unknown. */
  type: string;
  /** Names of the blobs that it takes. */
  bottoms: readonly string[];
  /** Names of the blobs that it gives. */
  tops: readonly string[];
  /** Its weights; four axes [num, channels, height, width] where the file has no BlobShape. */
  blobs: readonly StoredTensor[];
  /** Its own parameters by Caffe's name; undefined if the file has none for it. */
  parameter?: Message;
}

/** A network; its blobs are read from `reader`'s file. */
export interface CaffeNet {
  name: string;
  /** `V1` layers or `new` ones. */
  form: 'V1' | 'new';
  layers: CaffeLayer[];
  reader: WireReader;
}

const NET = { name: 1, layersV1: 2, layer: 100 };

// Field numbers of the two forms; parameter messages are the same in both.
interface Form {
  name: number;
  type: number;
  bottom: number;
  top: number;
  blobs: number;
  parameters: Record<string, number>;
}
const V1: Form = {
  name: 4,
  type: 5,
  bottom: 2,
  top: 3,
  blobs: 6,
  parameters: { Convolution: 10, InnerProduct: 17, LRN: 18, Pooling: 19, ReLU: 30 },
};
const NEW: Form = {
  name: 1,
  type: 2,
  bottom: 3,
  top: 4,
  blobs: 7,
  parameters: {
    Convolution: 106,
    InnerProduct: 117,
    LRN: 118,
    Pooling: 121,
    ReLU: 123,
    BatchNorm: 139,
    Scale: 142,
  },
};
// A layer of V1 that has one holds everything in it: the form before V1.
const V0_LAYER = 1;

const V1_TYPES: Record<number, string> = {
  1: 'Accuracy',
  3: 'Concat',
  4: 'Convolution',
  5: 'Data',
  6: 'Dropout',
  8: 'Flatten',
  9: 'HDF5Data',
  12: 'ImageData',
  14: 'InnerProduct',
  15: 'LRN',
  17: 'Pooling',
  18: 'ReLU',
  19: 'Sigmoid',
  20: 'Softmax',
  21: 'SoftmaxWithLoss',
  22: 'Split',
  23: 'TanH',
  24: 'WindowData',
  25: 'Eltwise',
  26: 'Power',
  29: 'MemoryData',
  30: 'ArgMax',
  32: 'DummyData',
  33: 'Slice',
  36: 'Silence',
  39: 'Deconvolution',
};

const BLOB = { num: 1, channels: 2, height: 3, width: 4, data: 5, shape: 7, doubleData: 8 };

/**
 * Reads the network of a file, without its weights.
 *
 * @throws VggError INVALID_ARGUMENT if it is truncated, no NetParameter, or older than V1
 */
export async function readCaffeNet(file: FileBytes): Promise<CaffeNet> {
  const reader = new WireReader(file, 'a Caffe network');
  const net = await reader.message(reader.whole);
  const v1 = reader.ranges(net, NET.layersV1);
  const current = reader.ranges(net, NET.layer);
  if (v1.length > 0 && current.length > 0) {
    throw expected('layers of one form', `${String(v1.length)} V1 and ${String(current.length)} new ones`, file.path);
  }
  if (v1.length + current.length === 0) {
    throw expected('a Caffe network with layers', 'none', file.path);
  }
  const form = current.length > 0 ? 'new' : 'V1';
  const layers: CaffeLayer[] = [];
  for (const range of form === 'new' ? current : v1) layers.push(await readLayer(reader, range, form));
  return { name: await reader.text(net, NET.name), form, layers, reader };
}

/** Whether a file begins as a Caffe network does: the format has no magic bytes. Never throws for bad content. */
export async function looksLikeCaffemodel(file: FileBytes): Promise<boolean> {
  // Wire types of NetParameter's fields; 4 may be packed.
  const wires: Record<number, number[]> = { 1: [2], 2: [2], 3: [2], 4: [0, 2], 5: [0], 6: [2], 7: [0], 8: [2], 100: [2] };
  const reader = new WireReader(file, 'a Caffe network');
  let layer = false;
  try {
    for await (const { number, wire, start, end } of reader.fields(reader.whole)) {
      if (!wires[number]?.includes(wire)) return false;
      if (number !== NET.layer && number !== NET.layersV1) continue;
      layer = true;
      // Both forms of layers begin with a name: their own, or a blob's. V0's begins with a message.
      const { value: first } = await reader.fields({ start, end }).next();
      return first !== undefined && first.wire === 2 && first.number <= 4;
    }
    return false;
  } catch (error) {
    if (!(error instanceof VggError)) throw error;
    // Cut off within the first layer: its tag was right, so reading says what is wrong.
    return layer;
  }
}

async function readLayer(reader: WireReader, range: Range, form: CaffeNet['form']): Promise<CaffeLayer> {
  const fields = form === 'new' ? NEW : V1;
  const layer = await reader.message(range);
  if (form === 'V1' && layer.has(V0_LAYER)) {
    throw expected(
      'V1 or newer layers, as upgrade_net_proto_binary of Caffe writes',
      'V0 layers of 2013',
      reader.file.path,
    );
  }
  const name = await reader.text(layer, fields.name);
  const type = form === 'new' ? await reader.text(layer, fields.type) : v1Type(reader.int(layer, fields.type) ?? 0);
  const blobs: StoredTensor[] = [];
  for (const [i, blob] of reader.ranges(layer, fields.blobs).entries()) {
    blobs.push(await readBlob(reader, blob, `${name}.blobs[${String(i)}]`));
  }
  const parameter = reader.ranges(layer, fields.parameters[type] ?? 0).at(-1);
  return {
    name,
    type,
    bottoms: await reader.texts(layer, fields.bottom),
    tops: await reader.texts(layer, fields.top),
    blobs,
    ...(parameter && { parameter: await reader.message(parameter) }),
  };
}

function v1Type(type: number): string {
  return V1_TYPES[type] ?? `V1 type ${String(type)}`;
}

async function readBlob(reader: WireReader, range: Range, name: string): Promise<StoredTensor> {
  const blob = await reader.message(range);
  const sized = reader.ranges(blob, BLOB.shape).at(-1);
  const shape = sized
    ? await reader.ints(await reader.message(sized), 1)
    : [BLOB.num, BLOB.channels, BLOB.height, BLOB.width].map((side) => reader.int(blob, side) ?? 0);
  if (!shape.every((side) => side >= 1) || !Number.isSafeInteger(elements(shape))) {
    throw expected('a blob with sides ≥ 1', shape, name);
  }
  const double = blob.has(BLOB.doubleData);
  const size = double ? 8 : 4;
  const runs = reader.runs(blob, double ? BLOB.doubleData : BLOB.data, size);
  return tensorOfRuns(reader.file, { name, dtype: double ? 'F64' : 'F32', shape }, size, runs);
}
