// PyTorch files, both formats: the numbers that PyTorch reads, however they lie in their storages, and no byte
// more than was asked for.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openFileBytes, type FileBytes } from '../../../models/import/formats/file-bytes.ts';
import { openSafetensors } from '../../../models/import/formats/safetensors.ts';
import { openTorchLegacy } from '../../../models/import/formats/torch-legacy.ts';
import { openTorchZip } from '../../../models/import/formats/torch-zip.ts';
import { torchNames } from '../../../models/import/layouts/torch-names.ts';
import type { Checkpoint, StoredTensor } from '../../../models/import/release.ts';
import { packageRoot } from '../../../proto/package-root.ts';
import { elements } from '../../../vgg/index.ts';
import { numbers } from './torch-bytes.ts';

const FOLDER = join(packageRoot, 'test/golden/checkpoints/torch');

interface Summary {
  shape: number[];
  sum: number;
  first: number[];
  middle: number;
  last: number;
}
interface Values {
  tensors: Record<string, { shape: number[]; elements: number[] }>;
  [file: string]: Record<string, Summary | { shape: number[]; elements: number[] }>;
}
const VALUES = JSON.parse(readFileSync(join(FOLDER, 'values.json'), 'utf8')) as Values;

const opener = (name: string) =>
  name.endsWith('.safetensors') ? openSafetensors : name.includes('legacy') ? openTorchLegacy : openTorchZip;

async function golden(name: string): Promise<Checkpoint> {
  return opener(name)(await openFileBytes(join(FOLDER, name)));
}

describe.each(['tensors.pth', 'tensors-protocol5.pth', 'tensors-legacy.pth'])('%s', (name) => {
  test('every tensor has the elements that PyTorch reads', async () => {
    const checkpoint = await golden(name);
    const read: Values['tensors'] = {};
    for (const tensor of checkpoint.tensors) {
      const bytes = await tensor.read(0, elements(tensor.shape));
      read[tensor.name] = { shape: [...tensor.shape], elements: numbers(bytes, tensor.dtype) };
    }
    await checkpoint.close();
    const wanted = Object.entries(VALUES.tensors).map(([path, value]) => [
      path,
      { ...value, elements: value.elements.map(Number) },
    ]);
    expect(read).toEqual(Object.fromEntries(wanted));
  });

  test('a part of a tensor is that part of the whole, in any order of reading', async () => {
    const checkpoint = await golden(name);
    const whole = new Map<StoredTensor, Buffer>();
    for (const tensor of checkpoint.tensors) {
      whole.set(tensor, Buffer.from(await tensor.read(0, elements(tensor.shape))));
    }
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...checkpoint.tensors),
        fc.nat(),
        fc.nat(),
        async (tensor, from, length) => {
          const total = elements(tensor.shape);
          const bytes = whole.get(tensor) ?? expect.unreachable();
          const start = from % (total + 1);
          const count = length % (total - start + 1);
          const size = total === 0 ? 0 : bytes.length / total;
          const part = Buffer.from(await tensor.read(start, count));
          expect(part).toEqual(bytes.subarray(start * size, (start + count) * size));
        },
      ),
      { numRuns: 500 },
    );
    await checkpoint.close();
  });

  test('elements that a tensor has not are refused', async () => {
    const checkpoint = await golden(name);
    for (const tensor of checkpoint.tensors) {
      await expect(tensor.read(1, 200)).rejects.toThrow('Expected elements up to');
    }
    await checkpoint.close();
  });
});

describe.each(Object.keys(VALUES).filter((name) => name !== 'tensors'))('%s', (name) => {
  test('every tensor of the network has the numbers that PyTorch reads', async () => {
    const checkpoint = await golden(name);
    const { tensors } = torchNames(checkpoint);
    const read: Record<string, Summary> = {};
    for (const [key, tensor] of tensors) {
      const { dtype, shape } = tensor;
      const values = numbers(await tensor.read(0, elements(shape)), dtype);
      read[key] = {
        shape: [...shape],
        sum: values.reduce((sum, value) => sum + value, 0),
        first: values.slice(0, 3),
        middle: values[Math.floor(values.length / 2)] ?? NaN,
        last: values.at(-1) ?? NaN,
      };
    }
    await checkpoint.close();
    const wanted = Object.entries(VALUES[name] ?? {}).map(([key, summary]) => [
      key,
      // Summed in another order.
      { ...summary, sum: expect.closeTo((summary as Summary).sum, 9) as unknown },
    ]);
    expect(read).toEqual(Object.fromEntries(wanted));
  });
});

// A file that notes how many bytes were read of it.
async function watched(name: string): Promise<{ file: FileBytes; taken: () => number }> {
  const file = await openFileBytes(join(FOLDER, name));
  let bytes = 0;
  const read: FileBytes['read'] = (offset, length, what) => {
    bytes += length;
    return file.read(offset, length, what);
  };
  const taken = () => {
    const before = bytes;
    bytes = 0;
    return before;
  };
  return { file: { ...file, read }, taken };
}

describe('no more is read than was asked for', () => {
  test.each([
    'torchvision-vgg13.pth',
    'torchvision-vgg11_bn-legacy.pth',
    'torchvision-vgg16-half-channels_last.pth',
  ])('%s', async (name) => {
    const { file, taken } = await watched(name);
    const checkpoint = await opener(name)(file);
    // The directory of the archive is looked for in the last 64 KiB; pickles are read 64 KiB at once.
    const opened = taken();
    expect(opened).toBeLessThan(name.includes('legacy') ? 5 * 65_536 + 1000 : 65_536 + 22 + 20_000);
    for (const tensor of checkpoint.tensors) {
      const total = elements(tensor.shape);
      const row = total / (tensor.shape[0] ?? 1);
      const size = name.includes('half') ? 2 : tensor.dtype === 'I64' ? 8 : 4;
      await tensor.read(0, row);
      expect(taken()).toBe(row * size);
      await tensor.read(0, total);
      expect(taken()).toBe(total * size);
    }
    await checkpoint.close();
  });

  test('a transposed matrix is read from the file once, whatever the pieces', async () => {
    const { file, taken } = await watched('tensors.pth');
    const checkpoint = await openTorchZip(file);
    const tensor =
      checkpoint.tensors.find(({ name }) => name === 'double_transposed') ?? expect.unreachable();
    taken();
    const total = elements(tensor.shape);
    for (let i = 0; i < total; i += 7) await tensor.read(i, Math.min(7, total - i));
    expect(taken()).toBe(60 * 8);
    await checkpoint.close();
  });
});
