// PyTorch's file format before 1.6: pickles one after the other, then every storage's bytes.
// Knows where things lie; which pickles are let in is torch-tensors.ts's business.

import { VggError, expected } from '../../../vgg/index.ts';
import type { Checkpoint } from '../release.ts';
import type { FileBytes } from './file-bytes.ts';
import { UnfinishedPickle } from './pickle-bytes.ts';
import { PLAIN_RULES, storagesOf, storedTensors, TENSOR_RULES } from './torch-tensors.ts';
import { kindOf, unpickle, type PickleRules } from './unpickler.ts';

const MAGIC = 0x1950a86a20f9469cfc6cn;
const PROTOCOL = 1001;

// Bytes that are read for a pickle at first; the pickle of VGG-19 has 4,000.
const FIRST_READ = 1 << 16;

// Longest pickle; the storages are not in it.
const MAX_PICKLE = 64 << 20;

/**
 * The tensors of a file in PyTorch's format before 1.6, named as storedTensors says. Its first byte is 0x80.
 *
 * @throws VggError INVALID_ARGUMENT naming what is wrong
 */
export async function openTorchLegacy(file: FileBytes): Promise<Checkpoint> {
  let position = 0;
  const next = async (what: string, rules: PickleRules): Promise<unknown> => {
    const { value, end } = await readPickle(file, position, what, rules);
    position = end;
    return value;
  };
  const magic = await next("PyTorch's magic number", PLAIN_RULES);
  if (magic !== MAGIC) {
    throw expected("a pickle that begins with PyTorch's magic number", kindOf(magic), file.path);
  }
  const protocol = await next('the protocol version', PLAIN_RULES);
  if (protocol !== PROTOCOL) throw expected(`protocol ${String(PROTOCOL)}`, kindOf(protocol), file.path);
  const system = await next('sys_info', PLAIN_RULES);
  const littleEndian: unknown = system instanceof Map ? system.get('little_endian') : undefined;
  if (littleEndian !== true) {
    throw expected('little_endian to be True', kindOf(littleEndian ?? null), 'sys_info');
  }
  const root = await next('the pickle', TENSOR_RULES);
  const keys = await next('the list of storages', PLAIN_RULES);
  const starts = await storageStarts(file, position, keys, root);
  return {
    format: 'PyTorch before 1.6',
    tensors: storedTensors(root, file, ({ key }) => starts.get(key) ?? NaN),
    close: () => file.close(),
  };
}

async function readPickle(
  file: FileBytes,
  start: number,
  what: string,
  rules: PickleRules,
): Promise<{ value: unknown; end: number }> {
  for (let length = FIRST_READ; ; length *= 8) {
    const window = Math.min(length, MAX_PICKLE, file.size - start);
    const bytes = await file.read(start, window, what);
    try {
      const { value, end } = unpickle(bytes, 0, what, rules);
      return { value, end: start + end };
    } catch (error) {
      if (!(error instanceof UnfinishedPickle) || window === file.size - start) throw error;
      if (window === MAX_PICKLE) {
        throw new VggError(
          'INVALID_ARGUMENT',
          `Expected ${what} within ${String(MAX_PICKLE)} bytes but it goes on after them (${file.path})`,
        );
      }
    }
  }
}

// Byte of the file where each storage starts, by its key: in the order of the keys, each after its 8 bytes of length.
async function storageStarts(
  file: FileBytes,
  position: number,
  keys: unknown,
  root: unknown,
): Promise<Map<string, number>> {
  const storages = storagesOf(root);
  const starts = new Map<string, number>();
  if (!Array.isArray(keys)) throw expected('a list of storages', kindOf(keys), file.path);
  for (const key of keys.map(String)) {
    const views = storages.filter((storage) => storage.key === key);
    const [first] = views;
    if (!first || starts.has(key)) {
      throw expected('each storage of the pickle once', `storage ${key}${first ? ' twice' : ''}`, file.path);
    }
    if (views.some(({ elements, type }) => elements !== first.elements || type !== first.type)) {
      throw expected('one type and size of each storage', 'several', `storage ${key}`);
    }
    const count = await file.read(position, 8, `the length of storage ${key}`);
    const length = new DataView(count.buffer).getBigInt64(0, true);
    if (length !== BigInt(first.elements)) {
      throw expected(`${String(first.elements)} elements`, length, `storage ${key}`);
    }
    const start = position + 8;
    position = start + first.elements * first.type.bytes;
    if (position > file.size) {
      throw expected(`a file of ${String(position)} bytes or more`, `${String(file.size)}: truncated`, `storage ${key}`);
    }
    starts.set(key, start);
  }
  const missing = storages.find(({ key }) => !starts.has(key));
  if (missing) throw expected('every storage of the pickle', `none of key ${missing.key}`, file.path);
  if (position !== file.size) {
    throw expected(`a file of ${String(position)} bytes`, `${String(file.size)}: bytes after the last storage`, file.path);
  }
  return starts;
}
