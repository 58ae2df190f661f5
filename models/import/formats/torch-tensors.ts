// PyTorch's tensors as its pickles describe them: what may stand in such a pickle, and the tensors it names.
// Knows types, shapes and names; where a storage's bytes lie is the archive's business.

import { VggError, elements, expected } from '../../../vgg/index.ts';
import type { StoredTensor } from '../release.ts';
import type { FileBytes } from './file-bytes.ts';
import { stridedTensor } from './torch-strides.ts';
import { kindOf, PickleGlobal, Tuple, type Fault, type PickleRules } from './unpickler.ts';

/** A run of elements that tensors are views of. */
export class PickledStorage {
  readonly key: string;
  readonly type: ElementType;
  /** Elements of the whole storage of this key. */
  readonly elements: number;
  /** The part of it that this one is, in elements; older files have such. */
  readonly view: { offset: number; elements: number } | undefined;

  constructor(key: string, type: ElementType, count: number, view: PickledStorage['view']) {
    this.key = key;
    this.type = type;
    this.elements = count;
    this.view = view;
  }
}

/** Name of an element type, and its bytes. */
export interface ElementType {
  dtype: string;
  bytes: number;
}

// A tensor before its storage was found; offset and strides in elements.
class PickledTensor {
  readonly storage: PickledStorage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];

  constructor(storage: PickledStorage, offset: number, shape: readonly number[], strides: readonly number[]) {
    this.storage = storage;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
  }
}

const STORAGES: Record<string, ElementType> = {
  DoubleStorage: { dtype: 'F64', bytes: 8 },
  FloatStorage: { dtype: 'F32', bytes: 4 },
  HalfStorage: { dtype: 'F16', bytes: 2 },
  BFloat16Storage: { dtype: 'BF16', bytes: 2 },
  LongStorage: { dtype: 'I64', bytes: 8 },
  IntStorage: { dtype: 'I32', bytes: 4 },
  ShortStorage: { dtype: 'I16', bytes: 2 },
  CharStorage: { dtype: 'I8', bytes: 1 },
  ByteStorage: { dtype: 'U8', bytes: 1 },
  BoolStorage: { dtype: 'BOOL', bytes: 1 },
};

const TYPES = new Map(
  Object.entries(STORAGES).flatMap(([name, type]) => [
    [`torch.${name}`, type],
    [`torch.cuda.${name}`, type],
  ]),
);

const GLOBALS = new Map<string, PickleGlobal>(
  [
    ...[...TYPES.keys()].map((name) => new PickleGlobal(name)),
    new PickleGlobal('collections.OrderedDict', orderedDict),
    new PickleGlobal('torch.Size', (args, fault) => new Tuple(sides(args[0], fault))),
    new PickleGlobal('torch._utils._rebuild_tensor', rebuiltTensor),
    new PickleGlobal('torch._utils._rebuild_tensor_v2', rebuiltTensor),
    new PickleGlobal('torch._utils._rebuild_parameter', parameter),
    new PickleGlobal('torch._utils._rebuild_parameter_with_state', parameter),
  ].map((global) => [global.name, global]),
);

// PyTorch's own bound.
const MAX_AXES = 64;

// Characters of a tensor's name.
const MAX_NAME = 1024;

/** Pickles that hold tensors: plain data, and the Python names that rebuild tensors and state_dicts. */
export const TENSOR_RULES: PickleRules = { globals: GLOBALS, persistent: storage };

/** Pickles that hold plain data alone. */
export const PLAIN_RULES: PickleRules = {
  globals: new Map(),
  persistent(_id, fault) {
    throw fault('plain data', 'a storage');
  },
};

// Views that repeat elements (strides of 0) and tensors that share storages claim more than the file has.
const MAX_CLAIM = 8;

/** Every storage in a pickle's value, once. */
export function storagesOf(root: unknown): PickledStorage[] {
  return [...new Set([...namedTensors(root)].map(([, tensor]) => tensor.storage))];
}

/**
 * The tensors of a pickle's value. A tensor's name is its path, its keys in order with `/` between:
 * `features.0.weight` of a bare state_dict, `state_dict/module.features.0.weight` of one in a mapping.
 *
 * @param locate byte of the file where a storage starts, after it checked that all of it is in the file
 * @throws VggError INVALID_ARGUMENT naming the tensor whose elements are not in its storage
 */
export function storedTensors(
  root: unknown,
  file: FileBytes,
  locate: (storage: PickledStorage) => number,
): StoredTensor[] {
  const tensors = new Map<string, StoredTensor>();
  let claimed = 0;
  for (const [name, { storage, offset, shape, strides }] of namedTensors(root)) {
    if (tensors.has(name)) throw expected('tensors of different names', 'two of the same', name);
    const { dtype, bytes } = storage.type;
    claimed += elements(shape) * bytes;
    if (claimed > MAX_CLAIM * file.size) {
      throw expected(
        `tensors that a file of ${String(file.size)} bytes can hold`,
        `one of shape [${shape.join(', ')}]`,
        name,
      );
    }
    const end = offset + shape.reduce((reach, side, i) => reach + (side - 1) * (strides[i] ?? 0), 1);
    const length = storage.view?.elements ?? storage.elements;
    if (elements(shape) > 0 && end > length) {
      throw expected(`elements within the ${String(length)} of its storage`, `up to ${String(end)}`, name);
    }
    const start = locate(storage) + ((storage.view?.offset ?? 0) + offset) * bytes;
    tensors.set(name, stridedTensor(file, { name, dtype, bytes, shape, strides, start }));
  }
  if (tensors.size === 0) {
    throw expected('a state_dict', `${kindOf(root)} without tensors`, file.path);
  }
  return [...tensors.values()];
}

// A container that stands in several places is walked once: it has as many paths as it likes.
function* namedTensors(
  value: unknown,
  path = '',
  walked = new Set<unknown>(),
): Generator<[string, PickledTensor]> {
  if (path.length > MAX_NAME) {
    throw expected(`names of at most ${String(MAX_NAME)} characters`, path.slice(0, 60), 'name');
  }
  if (value instanceof PickledTensor) {
    yield [path === '' ? 'tensor' : path, value];
    return;
  }
  if (walked.has(value)) return;
  walked.add(value);
  const entries =
    value instanceof Map
      ? [...value].map(([key, child], i): [string, unknown] => [keyText(key, i), child])
      : Array.isArray(value)
        ? value.map((child, i): [string, unknown] => [String(i), child])
        : value instanceof Tuple
          ? value.items.map((child, i): [string, unknown] => [String(i), child])
          : [];
  for (const [key, child] of entries) {
    yield* namedTensors(child, path === '' ? key : `${path}/${key}`, walked);
  }
}

function keyText(key: unknown, place: number): string {
  return typeof key === 'string' || typeof key === 'number' ? String(key) : `#${String(place)}`;
}

// ('storage', type, key, location, elements, view)
function storage(id: unknown, fault: Fault): PickledStorage {
  const [kind, global, key, , count, view] = id instanceof Tuple ? id.items : [];
  if (kind === 'module') {
    throw new VggError(
      'INVALID_ARGUMENT',
      "Expected a state_dict but the file is a whole pickled model, with its program: nothing in a file is executed. Save the state_dict alone: torch.save(model.state_dict(), 'weights.pth')",
    );
  }
  const type = global instanceof PickleGlobal ? TYPES.get(global.name) : undefined;
  const name = typeof key === 'number' ? String(key) : key;
  if (kind !== 'storage' || !type || typeof name !== 'string') {
    throw fault('the type, key and size of a storage', kindOf(id));
  }
  const total = whole(count, 'a number of elements', fault);
  if (!(view instanceof Tuple)) return new PickledStorage(name, type, total, undefined);
  const offset = whole(view.items[1], 'the offset of a view', fault);
  const length = whole(view.items[2], 'the size of a view', fault);
  if (offset + length > total) throw fault(`a view within ${String(total)} elements`, offset + length);
  return new PickledStorage(name, type, total, { offset, elements: length });
}

// (storage, offset, shape, strides, requires_grad, backward_hooks, metadata)
function rebuiltTensor(args: readonly unknown[], fault: Fault): PickledTensor {
  const [of, offset, size, stride, , , metadata] = args;
  if (!(of instanceof PickledStorage)) throw fault('the storage of a tensor', kindOf(of));
  const shape = sides(size, fault);
  const strides = sides(stride, fault);
  if (strides.length !== shape.length) {
    throw fault(`${String(shape.length)} strides`, String(strides.length));
  }
  if (!Number.isSafeInteger(elements(shape.filter((side) => side > 0)))) {
    throw fault('a shape that a file can hold', `[${shape.join(', ')}]`);
  }
  if (metadata instanceof Map && metadata.size > 0) throw fault('a plain tensor', 'a negated or conjugate view');
  return new PickledTensor(of, whole(offset, 'the offset of a tensor', fault), shape, strides);
}

function parameter([tensor]: readonly unknown[], fault: Fault): PickledTensor {
  if (!(tensor instanceof PickledTensor)) throw fault('the tensor of a parameter', kindOf(tensor));
  return tensor;
}

// () or, from Python 2, ([[key, value], …],)
function orderedDict([pairs]: readonly unknown[], fault: Fault): Map<unknown, unknown> {
  if (pairs === undefined) return new Map();
  if (!Array.isArray(pairs)) throw fault('a list of keys and values', kindOf(pairs));
  return new Map(
    pairs.map((pair: unknown): [unknown, unknown] => {
      const items: readonly unknown[] = pair instanceof Tuple ? pair.items : Array.isArray(pair) ? pair : [];
      if (items.length !== 2) throw fault('a key and a value', kindOf(pair));
      return [items[0], items[1]];
    }),
  );
}

function sides(value: unknown, fault: Fault): number[] {
  if (!(value instanceof Tuple) || value.items.length > MAX_AXES) {
    throw fault(`a tuple of at most ${String(MAX_AXES)} sizes`, kindOf(value));
  }
  return value.items.map((side) => whole(side, 'a size', fault));
}

function whole(value: unknown, what: string, fault: Fault): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw fault(`${what} ≥ 0`, kindOf(value));
}
