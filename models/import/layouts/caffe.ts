// A Caffe network as a VGG network: the layers that carry the photo, in their order, whatever they are called.
// Knows Caffe's layers and their defaults; moves no numbers but for its running statistics, which are sums.

import { VggError, elements, expected } from '../../../vgg/index.ts';
import { type CaffeLayer, type CaffeNet, readCaffeNet } from '../formats/caffemodel.ts';
import type { FileBytes } from '../formats/file-bytes.ts';
import type { WireReader } from '../formats/protobuf-wire.ts';
import { finiteNumbers } from '../numbers.ts';
import { CAFFE_PREPROCESSING, type BatchNorm, type Release, type StoredTensor } from '../release.ts';
import { Chain, type Geometry, type Weights } from './chain.ts';

// Layers that bring photos in, and layers that only look at what comes out.
const SOURCES = /^(Input|.*Data)$/;
const SINKS = /^(Accuracy|ArgMax|Silence|HDF5Output|.*Loss)$/;

/**
 * Opens a .caffemodel; owns the file from then on.
 *
 * @throws VggError INVALID_ARGUMENT if it is no whole VGG network, naming the layer
 */
export async function openCaffemodel(file: FileBytes): Promise<Release> {
  try {
    const net = await readCaffeNet(file);
    const { layers, network } = await vggLayers(net, file.path);
    return {
      layout: `Caffe ${net.form} layers${net.name === '' ? '' : `, ${net.name}`}`,
      ...(network && { network }),
      layers,
      flatten: 'CHW',
      preprocessing: CAFFE_PREPROCESSING,
      ignored: [],
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function vggLayers(net: CaffeNet, path: string): Promise<Pick<Release, 'layers' | 'network'>> {
  // Some files hold the layers with weights alone: then their names say which block they are of.
  const named = !net.layers.some(({ type }) => type === 'Pooling');
  // Layers that are not linked are a list, not a graph: what is missing there, the prototxt has.
  const linked = net.layers.some(({ bottoms }) => bottoms.length > 0);
  const chain = new Chain(linked && !named, !named);
  let trunk: Set<string> | undefined;
  for (const layer of net.layers) {
    const { type, name, bottoms, tops } = layer;
    if (SOURCES.test(type)) continue;
    if (type === 'Split') {
      if (bottoms.some((blob) => trunk?.has(blob))) for (const top of tops) trunk?.add(top);
      continue;
    }
    if (bottoms.length > 0) {
      trunk ??= new Set(bottoms);
      // A loss takes the labels too.
      const sink = SINKS.test(type);
      if ((bottoms.length > 1 && !sink) || !bottoms.some((blob) => trunk?.has(blob))) {
        throw chain.refuse(name, `${type} of ${bottoms.join(' and ')}, a branch`);
      }
    }
    if (SINKS.test(type)) continue;
    if (named && layer.blobs.length > 0) enterBlock(chain, layer);
    await addLayer(chain, layer, net.reader);
    if (tops.length > 0) trunk = new Set(tops);
  }
  return chain.end(path);
}

// Passes the pools that the file leaves out, up to the block that a layer's name tells.
function enterBlock(chain: Chain, { name }: CaffeLayer): void {
  const block = /^conv(\d)_\d$/.exec(name)?.[1] ?? (/^fc/.test(name) ? '6' : undefined);
  if (!chain.flat && block !== undefined && !chain.empty && !chain.next?.startsWith(`conv${block}_`)) chain.pool(name);
  if (!(chain.flat ? /^fc/.test(name) : name === chain.next)) {
    throw chain.refuse(name, `${name}, and no pooling layers that tell the blocks`);
  }
}

async function addLayer(chain: Chain, layer: CaffeLayer, reader: WireReader): Promise<void> {
  const { name, type, parameter = new Map() } = layer;
  switch (type) {
    case 'Convolution': {
      const geometry = layer.parameter ? await convolutionGeometry(layer, reader) : {};
      chain.convolution(name, weightsOf(layer, 4, false), geometry);
      return;
    }
    case 'InnerProduct': {
      const transposed = reader.int(parameter, 6) === 1;
      if ((reader.int(parameter, 5) ?? 1) !== 1) throw chain.refuse(name, 'InnerProduct of another axis than 1');
      chain.connected(name, weightsOf(layer, 2, transposed));
      return;
    }
    case 'ReLU':
      if (((await reader.float(parameter, 1)) ?? 0) !== 0) throw chain.refuse(name, 'ReLU with a negative slope');
      chain.relu(name);
      return;
    case 'Pooling': {
      // Files of weights alone may leave the parameters to the prototxt, here as for convolutions.
      if (!layer.parameter) {
        chain.pool(name);
        return;
      }
      if ((reader.int(parameter, 1) ?? 0) !== 0) throw chain.refuse(name, 'pooling that is not MAX');
      if ((reader.int(parameter, 12) ?? 0) !== 0) throw chain.refuse(name, 'global pooling');
      chain.pool(name, {
        kernel: sides(reader, parameter, [2], 5, 6),
        strides: sides(reader, parameter, [3], 7, 8, 1),
        pads: sides(reader, parameter, [4], 9, 10, 0),
      });
      return;
    }
    case 'LRN': {
      const size = reader.int(parameter, 1) ?? 5;
      if ((reader.int(parameter, 4) ?? 0) !== 0) throw chain.refuse(name, 'LRN within channels');
      chain.lrn(name, {
        size,
        // Caffe divides its alpha by the size.
        alpha: ((await reader.float(parameter, 2)) ?? 1) / size,
        beta: (await reader.float(parameter, 3)) ?? 0.75,
        k: (await reader.float(parameter, 5)) ?? 1,
      });
      return;
    }
    case 'BatchNorm':
      chain.batchNorm(name, batchNormOf(layer, (await reader.float(parameter, 3)) ?? 1e-5));
      return;
    case 'Scale': {
      const [scale, shift, ...more] = layer.blobs;
      if (!scale || more.length > 0) throw chain.refuse(name, `Scale with ${String(layer.blobs.length)} blobs`);
      chain.scale(name, vector(scale), shift && vector(shift));
      return;
    }
    case 'Dropout':
      return;
    case 'Flatten':
      if (!chain.flat) throw chain.refuse(name, type);
      return;
    case 'Softmax':
      if (!chain.complete) throw chain.refuse(name, type);
      return;
    default:
      throw chain.refuse(name, type === '' ? 'a layer without a type' : `a layer of type ${type}`);
  }
}

async function convolutionGeometry({ parameter = new Map() }: CaffeLayer, reader: WireReader): Promise<Geometry> {
  const repeated = async (number: number) => {
    const values = await reader.ints(parameter, number);
    return values.length > 0 ? values : undefined;
  };
  const pads = (await repeated(3)) ?? sides(reader, parameter, [], 9, 10, 0);
  const kernel = (await repeated(4)) ?? sides(reader, parameter, [], 11, 12);
  const strides = (await repeated(6)) ?? sides(reader, parameter, [], 13, 14, 1);
  const dilations = await repeated(18);
  return { pads, kernel, strides, ...(dilations && { dilations }), group: reader.int(parameter, 5) ?? 1 };
}

// A side that is told once for both, or for each; Caffe takes the one for both first.
function sides(
  reader: WireReader,
  parameter: Parameters<WireReader['int']>[0],
  both: readonly number[],
  height: number,
  width: number,
  otherwise = 0,
): number[] {
  const told = both.map((number) => reader.int(parameter, number)).find((value) => value !== undefined);
  if (told !== undefined) return [told, told];
  return [reader.int(parameter, height) ?? otherwise, reader.int(parameter, width) ?? otherwise];
}

function weightsOf({ name, type, blobs }: CaffeLayer, rank: 2 | 4, transposed: boolean): Weights {
  const [weight, bias, ...more] = blobs;
  if (!weight || more.length > 0) {
    throw expected(`${type} with one or two blobs`, String(blobs.length), name);
  }
  const axes = rank === 4 ? 'OIHW' : transposed ? 'IO' : 'OI';
  return { weight: ofRank(weight, rank), axes, ...(bias && { bias: vector(bias) }) };
}

// Blobs once had four axes each, with ones in front: [1, 1, out, in].
function ofRank(blob: StoredTensor, rank: number): StoredTensor {
  const extra = blob.shape.length - rank;
  if (extra < 0 || blob.shape.slice(0, extra).some((side) => side !== 1)) {
    throw expected(`a blob of ${String(rank)} axes`, blob.shape, blob.name);
  }
  return extra === 0 ? blob : { ...blob, shape: blob.shape.slice(extra) };
}

function vector(blob: StoredTensor): StoredTensor {
  return ofRank(blob, 1);
}

// Caffe's running mean and variance are sums; the third blob, one number, says of how much.
function batchNormOf({ name, blobs }: CaffeLayer, epsilon: number): BatchNorm {
  const [mean, variance, factor, ...more] = blobs;
  if (!mean || !variance || !factor || more.length > 0 || elements(factor.shape) !== 1) {
    throw expected('BatchNorm with mean, variance and one factor', `${String(blobs.length)} blobs`, name);
  }
  return { mean: quotient(vector(mean), factor), variance: quotient(vector(variance), factor), epsilon };
}

function quotient(sum: StoredTensor, factor: StoredTensor): StoredTensor {
  return {
    name: sum.name,
    dtype: 'F64',
    shape: sum.shape,
    async read(start, count) {
      const [divisor = 0] = finiteNumbers(await factor.read(0, 1), factor);
      if (divisor === 0) {
        throw new VggError('INVALID_ARGUMENT', `Expected running statistics but received none (${factor.name} is 0)`);
      }
      const values = Float64Array.from(finiteNumbers(await sum.read(start, count), sum), (value) => value / divisor);
      return new Uint8Array(values.buffer);
    },
  };
}
