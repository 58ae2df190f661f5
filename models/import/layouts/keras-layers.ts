// The layers of a Keras file and their tensors, in the two ways that Keras writes HDF5.
// Knows Keras's names and attributes, nothing of VGG.

import { expected } from '../../../vgg/index.ts';
import type { Hdf5Checkpoint } from '../formats/hdf5.ts';
import type { StoredTensor } from '../release.ts';
import { layersOfConfig, type LayerConfig } from './keras-config.ts';

/** What a tensor is to its layer, in the order in which Keras writes them. */
const CONVOLVED = ['kernel', 'bias'] as const;
const NORMALISED = ['gamma', 'beta', 'mean', 'variance'] as const;
/** See above. */
export type Role = (typeof CONVOLVED)[number] | (typeof NORMALISED)[number];

/** A layer with its tensors; pooling and the like have none. */
export interface KerasLayer {
  /** As its author called it: block1_conv1, conv2d_3. */
  name: string;
  tensors: Partial<Record<Role, StoredTensor>>;
  /** Keras's class, in lower case without underscores: conv2d, maxpooling2d; if the file says. */
  kind?: string;
  /** From model_config, if the file has it. */
  settings?: LayerConfig['settings'];
}

/** See {@link kerasLayers}. */
export interface KerasLayers {
  /** How the file was written, in words. */
  style: string;
  layers: KerasLayer[];
  /** Whether `layers` are in the order of the model; otherwise only those of one kind are. */
  ordered: boolean;
  /** Whose convolutions they are: tensorflow, torch, theano; if the file says. */
  backend?: string;
  /** State of the optimizer, of metrics and of random layers. */
  ignored: StoredTensor[];
}

const IGNORED = /^(optimizer|optimizer_weights|metrics|loss_tracker)\/|(^|\/)seed_generator(_\d+)?\//;
// Keras 1 and the published files: block1_conv1_W_1:0. Its running_std is a variance.
const PREFIXED = /^(.+)_(W|b|gamma|beta|running_mean|running_std)(?:_\d+)?(?::0)?$/;
const LEAF = /^(kernel|bias|gamma|beta|moving_mean|moving_variance)(?:_\d+)?(?::0)?$/;
const NUMBERED = /^(?:(.*)\/)?vars\/(\d+)$/;
const ROLES: Readonly<Record<string, Role>> = {
  ...{ W: 'kernel', b: 'bias', running_mean: 'mean', running_std: 'variance' },
  ...{ kernel: 'kernel', bias: 'bias', gamma: 'gamma', beta: 'beta' },
  ...{ moving_mean: 'mean', moving_variance: 'variance' },
};

/**
 * The layers of a Keras file: published VGG16 and VGG19, save_weights and model.save of Keras 1 to 3.
 *
 * @throws VggError INVALID_ARGUMENT naming a tensor that is no kernel, bias or part of batch normalisation
 */
export function kerasLayers(checkpoint: Hdf5Checkpoint): KerasLayers {
  const ignored = checkpoint.tensors.filter(({ name }) => IGNORED.test(name));
  const tensors = checkpoint.tensors.filter(({ name }) => !IGNORED.test(name));
  const numbered = tensors.some(({ name }) => NUMBERED.test(name));
  return numbered ? numberedLayers(checkpoint, tensors, ignored) : namedLayers(checkpoint, tensors, ignored);
}

// Keras 3, and 2's .weights.h5: layers/conv2d_1/vars/0, by class; the author's name may be an attribute.
function numberedLayers(
  { groups }: Hdf5Checkpoint,
  tensors: readonly StoredTensor[],
  ignored: StoredTensor[],
): KerasLayers {
  const byPath = new Map<string, StoredTensor[]>();
  for (const path of groups.keys()) {
    if (path.endsWith('/vars') && !IGNORED.test(path)) byPath.set(path.slice(0, -'/vars'.length), []);
  }
  for (const tensor of tensors) {
    const [, path = '', index] = NUMBERED.exec(tensor.name) ?? [];
    const list = byPath.get(path);
    if (index === undefined || list?.[Number(index)] !== undefined || list?.length !== Number(index)) {
      throw strange(tensor);
    }
    list.push(tensor);
  }
  const layers = [...byPath].sort(([a], [b]) => naturally(a, b)).map(([path, list]): KerasLayer => {
    const key = path.split('/').at(-1) ?? path;
    const name = groups.get(`${path}/vars`)?.get('name');
    return { name: typeof name === 'string' ? name : key, tensors: byPosition(list), kind: kindOf(key) };
  });
  return { style: 'Keras .weights.h5', layers, ordered: false, ignored };
}

function byPosition(list: readonly StoredTensor[]): KerasLayer['tensors'] {
  const [first, ...rest] = list;
  const norm = first?.shape.length === 1;
  const last = rest.at(-1);
  if (norm && list.length === 2 && last) return { mean: first, variance: last };
  if (norm && list.length !== NORMALISED.length) {
    throw expected('gamma, beta, mean and variance, or mean and variance alone', `${String(list.length)} tensors`, first.name);
  }
  const roles: readonly Role[] = norm ? NORMALISED : CONVOLVED;
  const extra = list[roles.length];
  if (extra) throw strange(extra);
  return Object.fromEntries(list.map((tensor, i) => [roles[i] ?? '', tensor]));
}

// Keras 1 and 2, and 3's older format: a group for each layer, whose names an attribute lists in their order.
function namedLayers(
  { groups }: Hdf5Checkpoint,
  tensors: readonly StoredTensor[],
  ignored: StoredTensor[],
): KerasLayers {
  const root = groups.has('model_weights') ? 'model_weights' : '';
  const within = (path: string) => (root === '' ? path : `${root}/${path}`);
  const names = texts(groups.get(root)?.get('layer_names'));
  const listed = new Map((names ?? []).map((name) => [within(name), new Map<string, KerasLayer>()]));
  for (const tensor of inWeightOrder(groups, [...listed.keys()], tensors)) {
    const path = tensor.name.split('/');
    const leaf = path.pop() ?? '';
    const [, own] = LEAF.exec(leaf) ?? [];
    const [, prefix, prefixed] = PREFIXED.exec(leaf) ?? [];
    const role = ROLES[own ?? prefixed ?? ''];
    if (role === undefined) throw strange(tensor);
    // The nearest group that is a layer of the model; a nested model is one, too, with all its layers' tensors.
    let depth = path.length;
    while (depth > 0 && !listed.has(path.slice(0, depth).join('/'))) depth--;
    const group = path.slice(0, depth === 0 ? (root === '' ? 1 : 2) : depth).join('/');
    const parts = listed.get(group) ?? new Map<string, KerasLayer>();
    listed.set(group, parts);
    const part = own === undefined ? (prefix ?? '') : path.join('/');
    const layer = parts.get(part) ?? { name: part.split('/').at(-1) ?? part, tensors: {} };
    if (layer.tensors[role]) throw strange(tensor);
    layer.tensors[role] = tensor;
    parts.set(part, layer);
  }
  const layers = [...listed].flatMap(([group, parts]): KerasLayer[] => {
    const name = group.slice(root === '' ? 0 : root.length + 1);
    if (parts.size > 1) return [...parts.values()];
    // Tensors of the same layer may have another scope's name: block1_conv1/block1_conv1_1/kernel:0.
    return [{ name, tensors: [...parts.values()][0]?.tensors ?? {} }];
  });
  const version = groups.get(root)?.get('keras_version');
  const backend = groups.get(root)?.get('backend');
  const config = groups.get('')?.get('model_config');
  const common = {
    style: typeof version === 'string' ? `Keras ${version} layers` : 'Keras layers',
    ...(typeof backend === 'string' && { backend }),
    ignored,
  };
  if (typeof config === 'string') {
    return { ...common, layers: inConfigOrder(layersOfConfig(config), layers), ordered: true };
  }
  if (names) return { ...common, layers, ordered: true };
  return { ...common, layers: layers.sort((a, b) => naturally(a.name, b.name)), ordered: false };
}

function inWeightOrder(
  groups: Hdf5Checkpoint['groups'],
  layers: readonly string[],
  tensors: readonly StoredTensor[],
): StoredTensor[] {
  const paths = layers.flatMap((group) =>
    (texts(groups.get(group)?.get('weight_names')) ?? []).map((name) => `${group}/${name}`),
  );
  const places = new Map(paths.map((path, i) => [path, i]));
  const place = ({ name }: StoredTensor) => places.get(name) ?? paths.length;
  return [...tensors].sort((a, b) => place(a) - place(b));
}

function inConfigOrder(configs: readonly LayerConfig[], layers: readonly KerasLayer[]): KerasLayer[] {
  const byName = new Map(layers.map((layer) => [layer.name, layer]));
  const known = new Set(configs.map(({ name }) => name));
  return [
    ...configs.map(({ name, kind, settings }) => ({
      name,
      tensors: byName.get(name)?.tensors ?? {},
      kind: kindOf(kind),
      settings,
    })),
    ...layers.filter(({ name }) => !known.has(name)),
  ];
}

function texts(value: string | string[] | undefined): string[] | undefined {
  return typeof value === 'string' ? [value] : value;
}

// MaxPooling2D and max_pooling2d_3 are the same class.
function kindOf(name: string): string {
  return name.replace(/_\d+$/, '').replaceAll('_', '').toLowerCase();
}

// conv2d, conv2d_1, conv2d_2, conv2d_10.
function naturally(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}

function strange({ name, shape }: StoredTensor) {
  return expected(
    'kernels, biases and batch normalisation of a VGG (block1_conv1 … predictions) alone',
    `${name} [${shape.join(', ')}]`,
    name,
  );
}
