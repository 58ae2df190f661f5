// VGG networks by the names that torchvision and timm give their tensors.
// Knows names, ranks and the order of modules; which row of the paper it is, the shapes say later.

import { VggError } from '../../../vgg/index.ts';
import {
  TORCH_PREPROCESSING,
  type BatchNorm,
  type Checkpoint,
  type Release,
  type SourceLayer,
  type StoredTensor,
} from '../release.ts';
import { torchNames, type TorchNames } from './torch-names.ts';

// torch.nn.BatchNorm2d's, which neither library changes.
const EPSILON = 1e-5;

/** Tensors of a module by their names: weight, bias, running_mean … */
type Module = ReadonlyMap<string, StoredTensor>;

/**
 * The layers of a checkpoint with torchvision's names (features.N, classifier.N) or timm's (features.N,
 * pre_logits.fc1, pre_logits.fc2, head.fc), whatever it was saved in: a bare state_dict, one in a mapping
 * beside an optimizer's, one with the prefixes of wrappers. Blocks follow from the gaps between
 * convolutions: ReLU, pooling and batch normalisation modules have numbers, too.
 *
 * @throws VggError INVALID_ARGUMENT naming what was looked for and what there is
 */
export function torchRelease(checkpoint: Checkpoint): Release {
  const names = torchNames(checkpoint);
  const fault = (expectation: string, came: string) =>
    new VggError(
      'INVALID_ARGUMENT',
      `Expected ${expectation} but ${came} (VGG with torchvision's or timm's names, ${checkpoint.format})`,
    );
  const modules = modulesOf(names);
  const body = convolutions(modules, fault);
  const { layers: head, library } = connected(modules, fault);
  const layers = [...body.layers, ...head];
  const taken = new Set(layers.flatMap(({ weight, bias, batchNorm }) => [weight, bias, ...tensorsOf(batchNorm)]));
  const counters: StoredTensor[] = [];
  for (const [name, tensor] of names.tensors) {
    if (taken.has(tensor)) continue;
    if (!body.counters.has(tensor)) throw fault('only layers of a VGG network', `there is also ${name}`);
    counters.push(tensor);
  }
  for (const group of [body.layers, head]) checkBiases(group, fault);
  const network = body.lrn ? 'A-LRN' : body.blocks.join() === '1,1,2,2,2' ? 'A' : undefined;
  return {
    layout: `${library} names, ${checkpoint.format}`,
    ...(network && { network }),
    layers,
    flatten: 'CHW',
    preprocessing: TORCH_PREPROCESSING,
    ignored: [...counters, ...names.beside],
    close: () => checkpoint.close(),
  };
}

type Fault = (expectation: string, came: string) => VggError;

function modulesOf({ tensors }: TorchNames): Map<string, Map<string, StoredTensor>> {
  const modules = new Map<string, Map<string, StoredTensor>>();
  for (const [name, tensor] of tensors) {
    const dot = name.lastIndexOf('.');
    const module = name.slice(0, Math.max(0, dot));
    const members = modules.get(module) ?? new Map<string, StoredTensor>();
    modules.set(module, members.set(name.slice(dot + 1), tensor));
  }
  return modules;
}

// Modules `features.N` or `classifier.N` in their order.
function numbered(modules: ReadonlyMap<string, Module>, parent: string): [number, Module][] {
  return [...modules]
    .flatMap(([name, members]): [number, Module][] => {
      const number = name.startsWith(`${parent}.`) ? name.slice(parent.length + 1) : '';
      return /^\d{1,6}$/.test(number) ? [[Number(number), members]] : [];
    })
    .sort(([a], [b]) => a - b);
}

interface Body {
  layers: SourceLayer[];
  /** Convolutions of each block. */
  blocks: number[];
  lrn: boolean;
  /** num_batches_tracked of each batch normalisation. */
  counters: Set<StoredTensor>;
}

function convolutions(modules: ReadonlyMap<string, Module>, fault: Fault): Body {
  const features = numbered(modules, 'features').filter(([, { size }]) => size > 0);
  const byNumber = new Map(features);
  const convs = features.filter(([number, module]) => !isNorm(module, byNumber.get(number - 1)));
  const normed = convs.some(([number]) => isNorm(byNumber.get(number + 1), byNumber.get(number)));
  const body: Body = { layers: [], blocks: [0], lrn: false, counters: new Set() };
  // Modules from a convolution to the next of its block: itself, batch normalisation, ReLU.
  const step = normed ? 3 : 2;
  for (const [i, [number, module]] of convs.entries()) {
    const before = convs[i - 1]?.[0];
    const gap = before === undefined ? step : number - before;
    const lrn = i === 1 && gap === step + 2;
    if (gap === step + 1 || lrn) body.blocks.push(0);
    else if (gap !== step) {
      const place = `features.${String((before ?? 0) + step)} or, after a pooling, features.${String((before ?? 0) + step + 1)}`;
      throw fault(`the convolution after features.${String(before)} at ${place}`, `the next one is features.${String(number)}`);
    }
    body.lrn ||= lrn;
    const block = body.blocks.length;
    const position = (body.blocks[block - 1] ?? 0) + 1;
    body.blocks[block - 1] = position;
    const name = `conv${String(block)}_${String(position)}`;
    const weight = weightOf(`features.${String(number)}`, name, module, [4], fault);
    const bias = module.get('bias');
    const layer: SourceLayer = { name, weight, axes: 'OIHW', ...(bias && { bias }) };
    if (normed) {
      const norm = byNumber.get(number + 1);
      layer.batchNorm = batchNormOf(`features.${String(number + 1)}`, name, norm, fault);
      const counter = norm?.get('num_batches_tracked');
      if (counter) body.counters.add(counter);
    }
    body.layers.push(layer);
  }
  if (body.blocks.length !== 5) {
    throw fault(
      'five blocks of convolutions, each ending in a pooling',
      `features has ${String(body.blocks.length)}, of ${body.blocks.join(', ')} convolutions: not a VGG network, or layers are missing`,
    );
  }
  return body;
}

// Batch normalisation: it has running statistics, or vectors alone right after a convolution.
function isNorm(module: Module | undefined, before: Module | undefined): boolean {
  if (!module) return false;
  if (module.has('running_mean') || module.has('running_var')) return true;
  return module.get('weight')?.shape.length === 1 && before?.get('weight')?.shape.length === 4;
}

function batchNormOf(path: string, after: string, module: Module | undefined, fault: Fault): BatchNorm {
  const mean = module?.get('running_mean');
  const variance = module?.get('running_var');
  if (!mean || !variance) {
    const missing = `${path}.${mean ? 'running_var' : 'running_mean'}`;
    throw fault(`${missing}, the statistics of batch normalisation after ${after}`, 'it is not there');
  }
  const scale = module?.get('weight');
  const shift = module?.get('bias');
  if (!scale !== !shift) throw fault(`${path}.${scale ? 'bias' : 'weight'}`, 'it is not there');
  return { mean, variance, epsilon: EPSILON, ...(scale && { scale }), ...(shift && { shift }) };
}

function connected(
  modules: ReadonlyMap<string, Module>,
  fault: Fault,
): { layers: SourceLayer[]; library: 'torchvision' | 'timm' } {
  const timm = modules.has('pre_logits.fc1') || modules.has('pre_logits.fc2') || modules.has('head.fc');
  const paths = timm
    ? ['pre_logits.fc1', 'pre_logits.fc2', 'head.fc']
    : numbered(modules, 'classifier').map(([number]) => `classifier.${String(number)}`);
  if (paths.length !== 3) {
    const there = paths.length === 0 ? 'there is none' : `there are ${paths.join(', ')}`;
    throw fault('three fully connected layers, classifier.0, .3 and .6 or pre_logits.fc1, .fc2 and head.fc', there);
  }
  const layers = paths.map((path, i): SourceLayer => {
    const name = `fc${String(6 + i)}`;
    const module = modules.get(path) ?? new Map<string, StoredTensor>();
    const weight = weightOf(path, name, module, [2, 4], fault);
    const bias = module.get('bias');
    return { name, weight, axes: weight.shape.length === 2 ? 'OI' : 'OIHW', ...(bias && { bias }) };
  });
  return { layers, library: timm ? 'timm' : 'torchvision' };
}

function weightOf(path: string, layer: string, module: Module, ranks: number[], fault: Fault): StoredTensor {
  const weight = module.get('weight');
  if (!weight) throw fault(`${path}.weight, that of ${layer}`, 'it is not there');
  if (ranks.includes(weight.shape.length)) return weight;
  throw fault(
    `${path}.weight, that of ${layer}, to have ${ranks.join(' or ')} axes`,
    `its shape is [${weight.shape.join(', ')}]`,
  );
}

// A file in which only some layers have a bias has lost the others.
function checkBiases(layers: readonly SourceLayer[], fault: Fault): void {
  const without = layers.find(({ bias }) => !bias);
  if (without && layers.some(({ bias }) => bias)) {
    throw fault(`the bias of ${without.name} beside ${without.weight.name}`, 'it is not there');
  }
}

function tensorsOf(batchNorm: BatchNorm | undefined): (StoredTensor | undefined)[] {
  return batchNorm ? [batchNorm.scale, batchNorm.shift, batchNorm.mean, batchNorm.variance] : [];
}
