// Finds the state_dict of a VGG network in a checkpoint, and takes the names of wrappers out of its names.
// Knows how training programs wrap and save a model, not what the layers are.

import { VggError } from '../../../vgg/index.ts';
import type { Checkpoint, StoredTensor } from '../release.ts';

/** A state_dict by the names that the library gave it. */
export interface TorchNames {
  /** By name: `features.0.weight`. */
  tensors: ReadonlyMap<string, StoredTensor>;
  /** Tensors beside the state_dict, such as an optimizer's. */
  beside: readonly StoredTensor[];
}

// What DistributedDataParallel and torch.compile put into a name, in front or in the middle.
const WRAPPERS = /(^|\.)(?:(?:module|_orig_mod)\.)+/g;

// Of several copies the trained one, not its moving average.
const FIRST = ['', 'state_dict', 'model_state_dict', 'model', 'net'];

// The name that every VGG network's first convolution ends in.
const CONV1_1 = /^(|.*\.)features\.0\.weight$/;

/**
 * The state_dict that has `features.0.weight` and the tensors beside it: those of other mappings, before the
 * last `/` of their names.
 *
 * @throws VggError INVALID_ARGUMENT if there is none, or several that are as good
 */
export function torchNames({ tensors, format }: Checkpoint): TorchNames {
  const mappings = new Map<string, Map<string, StoredTensor>>();
  for (const tensor of tensors) {
    const slash = tensor.name.lastIndexOf('/');
    const path = tensor.name.slice(0, Math.max(0, slash));
    const name = tensor.name.slice(slash + 1).replace(WRAPPERS, '$1');
    const mapping = mappings.get(path) ?? new Map<string, StoredTensor>();
    if (mapping.has(name)) throw fault(`one tensor ${name}`, `there are two, one is ${tensor.name}`, format);
    mappings.set(path, mapping.set(name, tensor));
  }
  const found = [...mappings].flatMap(([path, mapping]) =>
    [...mapping.keys()].flatMap((name) => {
      const prefix = CONV1_1.exec(name)?.[1];
      return prefix === undefined ? [] : [{ path, mapping, prefix }];
    }),
  );
  const preferred = FIRST.map((path) => found.filter((each) => each.path === path)).find(({ length }) => length > 0);
  const [chosen, other] = preferred ?? found;
  if (!chosen) {
    const names = tensors.map(({ name }) => name);
    const some = names.slice(0, 3).join(', ') + (names.length > 3 ? ', …' : '');
    throw fault('features.0.weight, that of conv1_1', `its ${String(names.length)} tensors are ${some}`, format);
  }
  if (other) {
    const names = [chosen, other].map(({ path, prefix }) => `${path === '' ? '' : `${path}/`}${prefix}features.0.weight`);
    throw fault('one VGG network', `there are ${names.join(' and ')}`, format);
  }
  const stray = [...chosen.mapping.keys()].find((name) => !name.startsWith(chosen.prefix));
  if (stray !== undefined) {
    throw fault('only layers of a VGG network', `there is also ${stray}`, format);
  }
  return {
    tensors: new Map(
      [...chosen.mapping].map(([name, tensor]) => [name.slice(chosen.prefix.length), tensor]),
    ),
    beside: [...mappings].flatMap(([path, mapping]) => (path === chosen.path ? [] : [...mapping.values()])),
  };
}

function fault(expectation: string, came: string, format: string): VggError {
  return new VggError(
    'INVALID_ARGUMENT',
    `Expected ${expectation} but ${came} (VGG with torchvision's or timm's names, ${format})`,
  );
}
