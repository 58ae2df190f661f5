// A model's weights as their publishers would have saved them, full size, so that benches need no download.
// Knows the layouts' names and the least of each format that carries them; numbers are not rearranged more
// than the layout asks for, so an import of such a file is of random weights.

import protobuf from 'protobufjs';
import { createWriteStream, existsSync } from 'node:fs';
import { open, rename, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { crc32 } from 'node:zlib';
import type { OpenModel } from '../models/store.ts';
import { formatSafetensorsHeader, type TensorEntry } from '../vgg/index.ts';

/** How a checkpoint can be written. */
export const LAYOUTS = ['torch', 'safetensors', 'keras', 'caffe'] as const;
/** See {@link LAYOUTS}. */
export type Layout = (typeof LAYOUTS)[number];

const ENDINGS: Record<Layout, string> = {
  torch: 'pth',
  safetensors: 'torch.safetensors',
  keras: 'h5',
  caffe: 'caffemodel',
};

/** The checkpoint of a model, beside its folder; written once and kept. Returns its path and bytes. */
export async function checkpointOf(
  model: OpenModel,
  layout: Layout,
): Promise<{ path: string; bytes: number }> {
  const path = `${model.weightsPath.replace(/\/[^/]*$/, '')}.${ENDINGS[layout]}`;
  if (!existsSync(path)) {
    const partial = `${path}.partial`;
    if (layout === 'keras') await writeKeras(model, partial);
    else await pipeline(chunksOf(model, layout), createWriteStream(partial));
    await rename(partial, path);
  }
  return { path, bytes: (await stat(path)).size };
}

function chunksOf(model: OpenModel, layout: Exclude<Layout, 'keras'>): AsyncIterable<Uint8Array> {
  if (layout === 'torch') return torchZip(model);
  return layout === 'caffe' ? caffemodel(model) : safetensors(model);
}

async function* safetensors(model: OpenModel): AsyncGenerator<Uint8Array> {
  const tensors = torchTensors(model);
  yield formatSafetensorsHeader(tensors);
  for (const { entry } of tensors) yield* dataOf(model, entry);
}

interface TorchTensor {
  name: string;
  shape: number[];
  dtype: TensorEntry['dtype'];
  entry: TensorEntry;
}

// features.N counts convolutions, ReLUs and pools; classifier.N linear layers, ReLUs and dropouts.
function torchTensors({ tensors }: OpenModel): TorchTensor[] {
  let index = -2;
  let before = '1';
  return tensors.map((entry) => {
    const [, block = '', place, part = ''] = /^(?:conv(\d)_\d|fc(\d))\.(\w+)$/.exec(entry.name) ?? [];
    if (place !== undefined) {
      const [outputs = 0, ...inputs] = entry.shape;
      const shape =
        part === 'bias' ? [outputs] : [outputs, inputs.reduce((product, side) => product * side, 1)];
      return { ...entry, name: `classifier.${String((Number(place) - 6) * 3)}.${part}`, shape, entry };
    }
    if (part === 'weight') index += block === before ? 2 : 3;
    before = block;
    return { ...entry, name: `features.${String(index)}.${part}`, entry };
  });
}

async function* dataOf(
  { weightsPath }: OpenModel,
  { offset, bytes }: TensorEntry,
): AsyncGenerator<Uint8Array> {
  const file = await open(weightsPath, 'r');
  try {
    for (let done = 0; done < bytes;) {
      const { buffer, bytesRead } = await file.read(
        Buffer.alloc(Math.min(1 << 22, bytes - done)),
        0,
        undefined,
        offset + done,
      );
      yield buffer.subarray(0, bytesRead);
      done += bytesRead;
    }
  } finally {
    await file.close();
  }
}

// As torch.save writes it: stored entries of data.pkl and one storage a tensor.
async function* torchZip(model: OpenModel): AsyncGenerator<Uint8Array> {
  const tensors = torchTensors(model);
  const entries: { name: string; bytes: number; crc: number; offset: number }[] = [];
  let offset = 0;
  async function* entry(name: string, data: () => AsyncIterable<Uint8Array> | Uint8Array[]) {
    let [bytes, crc] = [0, 0];
    for await (const chunk of data()) {
      bytes += chunk.length;
      crc = crc32(chunk, crc);
    }
    entries.push({ name, bytes, crc, offset });
    const local = header(0x04034b50, [20, 0, 0, 0, 0], [crc, bytes, bytes], [name.length, 0], name);
    yield local;
    yield* data();
    offset += local.length + bytes;
  }
  yield* entry('archive/data.pkl', () => [pickle(tensors)]);
  for (const [key, tensor] of tensors.entries()) {
    yield* entry(`archive/data/${String(key)}`, () => dataOf(model, tensor.entry));
  }
  yield* entry('archive/version', () => [Buffer.from('3\n')]);
  const directory = Buffer.concat(
    entries.map(({ name, bytes, crc, offset: at }) =>
      header(
        0x02014b50,
        [20, 20, 0, 0, 0, 0],
        [crc, bytes, bytes],
        [name.length, 0, 0, 0, 0, 0, 0],
        name,
        at,
      ),
    ),
  );
  yield directory;
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  yield end;
}

// Header of a zip entry: signature, shorts, longs, shorts, and in the directory the entry's offset; then the name.
function header(
  signature: number,
  first: number[],
  longs: number[],
  last: number[],
  name: string,
  offset?: number,
): Buffer {
  const short = (value: number) => Buffer.from([value & 0xff, value >> 8]);
  const long = (value: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    return bytes;
  };
  return Buffer.concat([
    ...[long(signature), ...first.map(short), ...longs.map(long), ...last.map(short)],
    ...(offset === undefined ? [] : [long(offset)]),
    Buffer.from(name),
  ]);
}

// Protocol 2: an OrderedDict of names and _rebuild_tensor_v2((storage), 0, shape, strides, False, OrderedDict()).
function pickle(tensors: readonly TorchTensor[]): Buffer {
  const parts: (string | Buffer)[] = ['\x80\x02ccollections\nOrderedDict\n)R('];
  const text = (value: string) => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(value.length);
    parts.push('X', length, value);
  };
  const int = (value: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32LE(value);
    parts.push('J', bytes);
  };
  for (const [key, { name, shape }] of tensors.entries()) {
    text(name);
    parts.push('ctorch._utils\n_rebuild_tensor_v2\n((');
    text('storage');
    parts.push('ctorch\nFloatStorage\n');
    text(String(key));
    text('cpu');
    int(shape.reduce((product, side) => product * side, 1));
    parts.push('tQ');
    int(0);
    parts.push('(');
    shape.forEach(int);
    parts.push('t(');
    shape.forEach((_, axis) => {
      int(shape.slice(axis + 1).reduce((product, side) => product * side, 1));
    });
    parts.push('t\x89ccollections\nOrderedDict\n)RtR');
  }
  return Buffer.concat(
    [...parts, 'u.'].map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)),
  );
}

// NetParameter with V1 layers, as the Oxford release has them: names, types and blobs.
async function* caffemodel(model: OpenModel): AsyncGenerator<Uint8Array> {
  const types = { convolution: 4, innerProduct: 14, pooling: 17, relu: 18 };
  const small = (name: string, type: number) =>
    protobuf.Writer.create().uint32(34).string(name).uint32(40).int32(type).finish();
  const field = (tag: number, length: number) => protobuf.Writer.create().uint32(tag).uint32(length).finish();
  yield protobuf.Writer.create().uint32(10).string('VGG').finish();
  const weights = model.tensors.filter(({ name }) => name.endsWith('.weight'));
  for (const [i, weight] of weights.entries()) {
    const name = weight.name.replace('.weight', '');
    const bias = model.tensors.find((each) => each.name === `${name}.bias`);
    if (!bias) throw new Error(`no bias of ${name}`);
    const connected = name.startsWith('fc');
    const blobs = [weight, bias].map((entry) => {
      const [a = 1, b = 1, c = 1, d = 1] = entry.shape;
      const dims = entry === bias ? [1, 1, 1, a] : connected ? [1, 1, a, b * c * d] : [a, b, c, d];
      const writer = protobuf.Writer.create();
      dims.forEach((dim, axis) => writer.uint32(8 * (axis + 1)).int32(dim));
      const start = Buffer.concat([writer.finish(), field(42, entry.bytes)]);
      return { entry, head: Buffer.concat([field(50, start.length + entry.bytes), start]) };
    });
    const start = small(name, connected ? types.innerProduct : types.convolution);
    const length = blobs.reduce((sum, { entry, head }) => sum + head.length + entry.bytes, start.length);
    yield field(18, length);
    yield start;
    for (const { entry, head } of blobs) {
      yield head;
      yield* dataOf(model, entry);
    }
    const between = [small(`relu_${name}`, types.relu)];
    const next = weights[i + 1]?.name;
    if (!connected && next?.slice(0, 5) !== name.slice(0, 5))
      between.push(small(`pool_${name}`, types.pooling));
    if (next !== undefined)
      for (const layer of between) yield Buffer.concat([field(18, layer.length), layer]);
  }
}

// block1_conv1/block1_conv1_W_1:0 [height, width, in, out], fc1/fc1_W_1:0 [in, out], as Keras's release has them.
async function writeKeras(model: OpenModel, path: string): Promise<void> {
  const { File, ready } = await import('h5wasm/node');
  await ready;
  const file = new File(path, 'w');
  try {
    for (const entry of model.tensors) {
      const [, block, place, fc, part = ''] = /^(?:conv(\d)_(\d)|fc(\d))\.(\w+)$/.exec(entry.name) ?? [];
      const layer =
        fc === undefined
          ? `block${String(block)}_conv${String(place)}`
          : fc === '8'
            ? 'predictions'
            : `fc${String(Number(fc) - 5)}`;
      const values = new Float32Array(entry.bytes / 4);
      let filled = 0;
      for await (const chunk of dataOf(model, entry)) {
        new Uint8Array(values.buffer).set(chunk, filled);
        filled += chunk.length;
      }
      const group = part === 'weight' ? file.create_group(layer) : file.get(layer);
      if (!group || !('create_dataset' in group)) throw new Error(`no group ${layer}`);
      const [outputs = 0, channels = 0, height = 0, width = 0] = entry.shape;
      const shape =
        part === 'bias'
          ? [outputs]
          : fc === undefined
            ? [height, width, channels, outputs]
            : [channels * height * width, outputs];
      group.create_dataset({ name: `${layer}_${part === 'weight' ? 'W' : 'b'}_1:0`, data: values, shape });
    }
  } finally {
    file.close();
  }
}
