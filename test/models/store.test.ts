// Models on disk: what is written can be opened; what is wrong has one clear error and leaves nothing behind.

import { copyFile, mkdir, mkdtemp, open, readFile, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { importWeights } from '../../models/import.ts';
import { listModels, openModel, readTensors, sha256OfFile } from '../../models/store.ts';
import { packageRoot } from '../../proto/package-root.ts';
import { fromFloat32, parseSafetensors, tensorParameters, toFloat32 } from '../../vgg/index.ts';

const golden = (network: string) => join(packageRoot, 'test/golden/networks', network, 'weights.safetensors');

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'vgg-store-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

const importD = async (more = {}) =>
  (await importWeights(golden('D'), { name: 'd', to: directory, ...more })).folder;

// A copy of D's weights that the test may damage.
async function damaged(change: (path: string) => Promise<void>): Promise<string> {
  const path = join(directory, 'damaged.safetensors');
  await copyFile(golden('D'), path);
  await change(path);
  return path;
}

describe('import', () => {
  test('the network follows from the tensors; every byte is kept', async () => {
    const folder = await importD({
      labels: Array.from({ length: 10 }, (_, i) => `class ${String(i)}`),
      mean: [1, 2, 3],
    });
    const model = await openModel(folder, { verify: true });
    expect(model.spec).toEqual({ network: 'D', width: 1 / 16, hidden: 64, classes: 10, inputSize: 224 });
    expect(model.json).toMatchObject({ mean: [1, 2, 3], scales: [256, 384, 512], kernel: 'linear' });
    expect(model.labels).toHaveLength(10);
    expect(tensorParameters(model.tensors)).toBe(tensorParameters(await readTensors(golden('D'))));
    const original = await readFile(golden('D'));
    const copy = await readFile(model.weightsPath);
    for (const tensor of await readTensors(golden('D'))) {
      const same = model.tensors.find(({ name }) => name === tensor.name);
      expect(copy.subarray(same?.offset, (same?.offset ?? 0) + (same?.bytes ?? 0))).toEqual(
        original.subarray(tensor.offset, tensor.offset + tensor.bytes),
      );
    }
    expect(await listModels(directory)).toEqual(['d']);
  });

  test('half precision halves the file and stays within its rounding', async () => {
    const model = await openModel(await importD({ dtype: 'F16' }));
    const values = async (path: string, name: string) => {
      const tensor = (await readTensors(path)).find((each) => each.name === name);
      if (!tensor) throw new Error(name);
      const bytes = await readFile(path);
      return toFloat32(bytes.subarray(tensor.offset, tensor.offset + tensor.bytes), tensor.dtype);
    };
    const exact = await values(golden('D'), 'fc6.weight');
    const rounded = await values(model.weightsPath, 'fc6.weight');
    const excess = exact.map(
      (value, i) => Math.abs((rounded[i] ?? NaN) - value) - Math.max(Math.abs(value) * 2 ** -11, 2 ** -25),
    );
    expect(Math.max(...excess.subarray(0, 100_000))).toBeLessThanOrEqual(0);
  });

  test('A and A-LRN have the same tensors: the caller says which', async () => {
    const options = { name: 'a', to: directory };
    await expect(importWeights(golden('A'), options)).rejects.toThrow(
      'Expected a network to be named but received tensors that fit A and A-LRN (network)',
    );
    const model = await openModel(
      (await importWeights(golden('A'), { ...options, network: 'A-LRN' })).folder,
    );
    expect(model.spec.network).toBe('A-LRN');
  });

  test('a network that contradicts the tensors: both are named', async () => {
    await expect(importD({ network: 'E' })).rejects.toThrow(
      'Expected the tensors of network E, as told but received those of D (network)',
    );
  });

  test.each([
    [
      'a truncated file',
      (path: string) => truncate(path, 100_000),
      /safetensors file of 654976 bytes but received 100000: truncated/,
    ],
    [
      'an empty file',
      (path: string) => truncate(path, 0),
      /Expected a weights file but received an empty one/,
    ],
    [
      'a text',
      (path: string) => writeFile(path, 'These are no weights at all.'),
      /but received a file that begins with "These are no"/,
    ],
    [
      'bytes after the end',
      async (path: string) => writeFile(path, 'x', { flag: 'a' }),
      /bytes after the last tensor/,
    ],
    [
      'a value that is not a number',
      async (path: string) => {
        const tensor = (await readTensors(path)).find(({ name }) => name === 'conv2_1.weight');
        const file = await open(path, 'r+');
        await file.write(Buffer.from([0, 0, 0xc0, 0x7f]), 0, 4, tensor?.offset);
        await file.close();
      },
      /Expected finite weights but received NaN \(conv2_1.weight\)/,
    ],
  ])('%s is refused and nothing is left behind', async (_, change, message) => {
    const path = await damaged(change);
    await expect(importWeights(path, { name: 'bad', to: directory })).rejects.toThrow(message);
    expect(await readdir(directory)).toEqual(['damaged.safetensors']);
  });

  test('a folder and a missing file', async () => {
    await expect(importWeights(directory, { name: 'x', to: directory })).rejects.toThrow(
      /Expected a weights file but received a folder/,
    );
    await expect(importWeights(join(directory, 'none'), { name: 'x', to: directory })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  test('an interruption leaves nothing behind', async () => {
    const controller = new AbortController();
    const importing = importD({
      signal: controller.signal,
      onProgress: () => {
        controller.abort(new Error('stopped'));
      },
    });
    await expect(importing).rejects.toThrow('stopped');
    expect(await readdir(directory)).toEqual([]);
  });

  test.each(['../up', 'Upper', '', '.hidden', 'a/b'])('the name %j is refused', async (name) => {
    await expect(importD({ name })).rejects.toThrow(/Expected name of 1 to 64/);
  });

  test('a name that is taken is refused, the old model stays', async () => {
    const folder = await importD();
    await expect(importD()).rejects.toThrow('Expected a name that is not taken but received d (name)');
    await openModel(folder, { verify: true });
  });
});

describe('open', () => {
  const edit = async (change: (json: Record<string, unknown>) => void) => {
    const folder = await importD();
    const path = join(folder, 'model.json');
    const json = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
    change(json);
    await writeFile(path, JSON.stringify(json));
    return folder;
  };

  test.each([
    [{ network: 'VGG16' }, /Expected network to be one of A, A-LRN/],
    [{ width: '1' }, /Expected 0 < width ≤ 8 but received/],
    [{ mean: [0, 0] }, /Expected mean of three levels/],
    [{ mean: [0, 0, 256] }, /Expected mean levels from 0 to 255 but received 256 \(mean\[2\]\)/],
    [{ scales: [100] }, /Expected scales from 224 to 4096 but received 100 \(scales\[0\]\)/],
    [{ kernel: 'box' }, /Expected kernel to be one of/],
    [{ color: 'bgr' }, /Expected fields name, network/],
    [
      { hidden: 128 },
      /Expected shape \[128,32,7,7\] for network D but received \[64,32,7,7\] \(fc6.weight\)/,
    ],
    [{ name: 'other' }, /Expected name d, the folder's, but received other|Expected name d/],
    [{ classes: 9 }, /Expected 9 labels but received 10/],
  ])('model.json with %o', async (wrong, message) => {
    await expect(openModel(await edit((json) => Object.assign(json, wrong)))).rejects.toThrow(message);
  });

  test('weights that are not the ones that were imported', async () => {
    const folder = await importD();
    const path = join(folder, 'weights.safetensors');
    const file = await open(path, 'r+');
    await file.write(Buffer.from([1, 2, 3]), 0, 3, 500_000);
    await file.close();
    await openModel(folder);
    await expect(openModel(folder, { verify: true })).rejects.toThrow(
      new RegExp(`Expected weights with SHA-256 [0-9a-f]{64} but received ${await sha256OfFile(path)}`),
    );
  });

  test('no model there', async () => {
    await expect(openModel(join(directory, 'none'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(listModels(join(directory, 'none'))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await mkdir(join(directory, 'not-a-model'));
    expect(await listModels(directory)).toEqual([]);
  });
});

describe('safetensors', () => {
  const header = (json: object | string) =>
    new TextEncoder().encode(typeof json === 'string' ? json : JSON.stringify(json));

  test.each([
    ['{', /does not parse/],
    [[], /header to be an object/],
    [
      { a: { dtype: 'I8', shape: [1], data_offsets: [0, 1] } },
      /Expected types F32, F16, BF16 but received I8 \(a\)/,
    ],
    [{ a: { dtype: 'F32', shape: [-1], data_offsets: [0, 4] } }, /a shape of whole numbers/],
    [
      { a: { dtype: 'F32', shape: [2], data_offsets: [0, 4] } },
      /Expected 8 bytes for F32 \[2\] but received 4 \(a\)/,
    ],
    [{ a: { dtype: 'F32', shape: [1], data_offsets: [4, 8] } }, /tensor to start at byte/],
    [{ a: 1 }, /Expected types/],
  ])('header %j', (json, message) => {
    expect(() => parseSafetensors(header(json), 1000)).toThrow(message);
  });

  test('half and brain floats widen as IEEE 754 says', () => {
    const halves = new Uint16Array([0x3c00, 0xc000, 0x7bff, 0x0001, 0x0400, 0x7c00, 0x7e00]);
    expect([...toFloat32(new Uint8Array(halves.buffer), 'F16')]).toEqual([
      1,
      -2,
      65504,
      2 ** -24,
      2 ** -14,
      Infinity,
      NaN,
    ]);
    const brains = new Uint16Array([0x3f80, 0xc000, 0x7f80]);
    expect([...toFloat32(new Uint8Array(brains.buffer), 'BF16')]).toEqual([1, -2, Infinity]);
  });

  test('rounding to half: ties to even, carry into the exponent, every half is itself', () => {
    const round = (value: number) => toFloat32(fromFloat32(new Float32Array([value]), 'F16', 'w'), 'F16')[0];
    expect(round(1 + 2 ** -11)).toBe(1);
    expect(round(1 + 3 * 2 ** -11)).toBe(1 + 2 ** -9);
    expect(round(2 - 2 ** -12)).toBe(2);
    expect(round(2 ** -25)).toBe(0);
    const all = new Uint16Array(0x7c00).map((_, i) => i);
    const values = toFloat32(new Uint8Array(all.buffer), 'F16');
    expect(new Uint16Array(fromFloat32(values, 'F16', 'w').buffer)).toEqual(all);
    expect(() => fromFloat32(new Float32Array([70000]), 'F16', 'w')).toThrow(
      'Expected weights within ±65504 for F16',
    );
  });
});
