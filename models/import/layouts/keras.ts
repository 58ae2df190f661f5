// Keras's VGGs as releases: which layer of a Keras file is which of the network's.
// Knows Keras's layer names and axes; how they are written in HDF5 is keras-layers.ts's part.

import { VggError, expected } from '../../../vgg/index.ts';
import type { Hdf5Checkpoint } from '../formats/hdf5.ts';
import { CAFFE_PREPROCESSING, type BatchNorm, type Release, type SourceLayer } from '../release.ts';
import { kerasLayers, type KerasLayer, type KerasLayers } from './keras-layers.ts';

const BODY = /^block([1-9])_conv([1-9])$/;
const CLASSIFIER = ['fc1', 'fc2', 'predictions'];
const FULL = ['fc6', 'fc7', 'fc8'];
// Layers that change what a network computes, though they may have no weights; a model_config is looked through earlier.
const FOREIGN = /^(global)?(average|max)pooling2d$|^(rescaling|normalization|add|concatenate|lambda)$/;
const POOL = /^max_?pooling2d|_pool$|^pool/;
// Convolutions in each block of every row, by how many there are.
const BLOCKS: Readonly<Record<number, readonly number[]>> = {
  5: [1, 1, 1, 1, 1],
  8: [1, 1, 2, 2, 2],
  10: [2, 2, 2, 2, 2],
  13: [2, 2, 3, 3, 3],
  16: [2, 2, 4, 4, 4],
};
// Keras's own default, where the file does not say.
const EPSILON = 1e-3;

/** A layer of the file under the network's name for it. */
interface Placed {
  name: string;
  layer: KerasLayer;
}

/**
 * A Keras file as a release, with the preprocessing of keras.applications.vgg16: BGR levels minus the mean pixel.
 *
 * @param checkpoint owned from here on: closed if this throws
 * @throws VggError INVALID_ARGUMENT naming what was looked for and what there is
 */
export function kerasRelease(checkpoint: Hdf5Checkpoint): Release {
  try {
    const model = kerasLayers(checkpoint);
    const body = bodyOf(model);
    const placed = [...body, ...classifierOf(model)];
    const norms = normsOf(model, placed);
    const layers = placed.map(({ name, layer }) => sourceLayer(name, layer, norms.get(layer)));
    checkLayers(model);
    return {
      layout: `${model.style}, ${checkpoint.format}`,
      // Keras has no LRN, which alone tells A-LRN from A.
      ...(body.map(({ name }) => name[4]).join('') === '12334455' ? { network: 'A' } : {}),
      layers,
      flatten: 'HWC',
      preprocessing: CAFFE_PREPROCESSING,
      ignored: model.ignored,
      close: () => checkpoint.close(),
    };
  } catch (error) {
    void checkpoint.close();
    throw error;
  }
}

// Names say where a convolution is, or pooling layers between them do, or how many there are.
function bodyOf({ layers, ordered }: KerasLayers): Placed[] {
  const convolutions = layers.filter(({ name, tensors }) => isConvolution(tensors) && !CLASSIFIER.includes(name));
  const places = convolutions.map(({ name }) => BODY.exec(name));
  if (places.some((place) => place !== null)) {
    const stranger = convolutions.find((_, i) => places[i] === null);
    if (stranger) throw expected('convolutions block1_conv1 … block5_conv4 alone', stranger.name, pathOf(stranger));
    const placed = convolutions.map((layer, i): Placed => {
      const [, block = '', position = ''] = places[i] ?? [];
      return { name: `conv${block}_${position}`, layer };
    });
    placed.sort((a, b) => (a.name < b.name ? -1 : 1));
    checkGaps(placed);
    return placed;
  }
  const pools = ordered && layers.some(isPool);
  const counts = BLOCKS[convolutions.length];
  if (counts === undefined && !(pools && convolutions.length > 0)) {
    throw expected(
      `the convolutions of a VGG, block1_conv1 … or ${Object.keys(BLOCKS).join(', ')} of them in order`,
      `${String(convolutions.length)} (${listed(convolutions)})`,
      'convolutions',
    );
  }
  const blocks = pools ? blocksByPools(layers, convolutions) : (counts ?? []).flatMap((n, i) => Array<number>(n).fill(i + 1));
  const positions = blocks.map((block, i) => i - blocks.indexOf(block) + 1);
  const placed = convolutions.map((layer, i) => ({
    name: `conv${String(blocks[i])}_${String(positions[i])}`,
    layer,
  }));
  checkGaps(placed);
  return placed;
}

function blocksByPools(layers: readonly KerasLayer[], convolutions: readonly KerasLayer[]): number[] {
  return convolutions.map((each) => layers.slice(0, layers.indexOf(each)).filter(isPool).length + 1);
}

function checkGaps(placed: readonly Placed[]): void {
  let [block, position] = [1, 1];
  for (const { name } of placed) {
    if (name === `conv${String(block)}_${String(position)}`) position++;
    else if (name === `conv${String(block + 1)}_1` && position > 1) [block, position] = [block + 1, 2];
    else break;
    if (name === placed.at(-1)?.name && block === 5) return;
  }
  const next = `block${String(block)}_conv${String(position)}`;
  throw expected(`five blocks of convolutions, ${next} among them`, listed(placed.map(({ layer }) => layer)), next);
}

function classifierOf({ layers }: KerasLayers): Placed[] {
  const found = layers.filter(
    ({ name, tensors: { kernel } }) => kernel && (kernel.shape.length !== 4 || CLASSIFIER.includes(name)),
  );
  if (found.length === 0) {
    throw new VggError(
      'INVALID_ARGUMENT',
      'Expected the fully connected layers fc1, fc2 and predictions but received a file without them (notop): ' +
        'the file without notop in its name has them, such as vgg16_weights_tf_dim_ordering_tf_kernels.h5',
    );
  }
  if (found.length !== CLASSIFIER.length) {
    throw expected(
      'three fully connected layers, fc1, fc2 and predictions',
      `${String(found.length)} (${listed(found)})`,
      'fc1',
    );
  }
  const named = CLASSIFIER.map((name) => found.find((layer) => layer.name === name));
  return FULL.map((name, i) => {
    const layer = (named.includes(undefined) ? found : named)[i];
    if (!layer) throw new Error('Three layers were found');
    return { name, layer };
  });
}

// Batch normalisation by its layer: the layer before it, or by names, or by how many there are.
function normsOf({ layers, ordered }: KerasLayers, placed: readonly Placed[]): Map<KerasLayer, BatchNorm> {
  const norms = new Map<KerasLayer, BatchNorm>();
  const found = layers.filter(({ tensors }) => tensors.mean ?? tensors.variance ?? tensors.gamma ?? tensors.beta);
  for (const [i, layer] of found.entries()) {
    const { gamma, beta, mean, variance, kernel } = layer.tensors;
    const owner = ordered
      ? layers.slice(0, layers.indexOf(layer)).findLast((each) => Object.keys(each.tensors).length > 0)
      : ownerOf(layer, i, found.length, placed);
    if (!owner?.tensors.kernel || norms.has(owner)) {
      throw expected('one batch normalisation right after each convolution', layer.name, pathOf(layer));
    }
    if (!mean || !variance || kernel) {
      throw expected('a moving mean and variance of batch normalisation', Object.keys(layer.tensors), pathOf(layer));
    }
    const epsilon = layer.settings?.['epsilon'] ?? EPSILON;
    if (typeof epsilon !== 'number' || !(epsilon > 0)) throw expected('epsilon > 0', epsilon, pathOf(layer));
    norms.set(owner, { ...(gamma && { scale: gamma }), ...(beta && { shift: beta }), mean, variance, epsilon });
  }
  return norms;
}

function ownerOf({ name }: KerasLayer, i: number, count: number, placed: readonly Placed[]): KerasLayer | undefined {
  const named = placed.find(
    ({ layer }) => name.includes(layer.name) || name === layer.name.replace('conv', 'bn'),
  );
  if (BODY.test(placed[0]?.layer.name ?? '') && /block\d/.test(name)) return named?.layer;
  const body = placed.length - CLASSIFIER.length;
  // After each convolution, or after the two hidden layers as well.
  return count === body || count === body + 2 ? placed[i]?.layer : undefined;
}

function sourceLayer(name: string, layer: KerasLayer, batchNorm: BatchNorm | undefined): SourceLayer {
  const { kernel, bias } = layer.tensors;
  if (!kernel) throw expected(`a kernel of ${layer.name}`, Object.keys(layer.tensors), pathOf(layer));
  const { shape } = kernel;
  const isDense = shape.length === 2;
  if (!isDense && shape.length !== 4) throw expected('a kernel of 2 or 4 axes', shape, kernel.name);
  if (!isDense && shape[0] !== shape[1] && shape[2] === shape[3]) {
    throw expected(
      'kernels [height, width, in, out]',
      `[${shape.join(', ')}], which looks like [out, in, height, width] of Theano`,
      kernel.name,
    );
  }
  return {
    name,
    weight: kernel,
    axes: isDense ? 'IO' : 'HWIO',
    ...(bias && { bias }),
    ...(batchNorm && { batchNorm }),
  };
}

function checkLayers({ layers, backend }: KerasLayers): void {
  const foreign = layers.find((layer) => FOREIGN.test(layer.kind ?? '') && !isPool(layer));
  if (foreign) {
    throw expected('convolutions, max-pooling and dense layers alone, as a VGG has', foreign.name, pathOf(foreign));
  }
  if (backend === 'theano') throw expected("kernels as TensorFlow's backend has them", "Theano's, flipped", 'backend');
}

function isConvolution({ kernel }: KerasLayer['tensors']): boolean {
  return kernel?.shape.length === 4;
}

function isPool({ name, kind }: KerasLayer): boolean {
  return kind === undefined ? POOL.test(name) : kind === 'maxpooling2d';
}

function listed(layers: readonly KerasLayer[]): string {
  const names = layers.map(({ name }) => name);
  return names.length > 6 ? `${names.slice(0, 6).join(', ')}, …` : names.join(', ');
}

// Where a layer's tensors lie in the file.
function pathOf({ name, tensors }: KerasLayer): string {
  return Object.values(tensors)[0]?.name ?? name;
}
