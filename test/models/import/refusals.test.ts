// What is no VGG checkpoint: one clear error each, nothing left behind, whatever the file's name says.

import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { importWeights } from '../../../models/import.ts';
import { packageRoot } from '../../../proto/package-root.ts';
import { formatSafetensorsHeader } from '../../../vgg/index.ts';

const published = (file: string) => join(packageRoot, 'test/golden/checkpoints/published', file);
const FILES = [
  'torchvision-vgg11.pth',
  'torchvision-vgg19-legacy.pth',
  'timm-vgg16.safetensors',
  'keras-vgg16.h5',
  'caffe-vgg16-v1.caffemodel',
  '../onnx/vgg16-torchscript.onnx',
];

let folder: string;
let path: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vgg-refusals-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});
beforeEach(() => {
  path = join(folder, 'checkpoint.bin');
});

const importing = (more = {}) => importWeights(path, { name: 'model', to: join(folder, 'models'), ...more });

async function refused(message: RegExp, code = 'INVALID_ARGUMENT'): Promise<void> {
  const error = await importing().then(
    () => expect.unreachable('it was imported'),
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({ name: 'VggError', code });
  expect((error as Error).message).toMatch(message);
  // One line that a person can read.
  expect((error as Error).message).not.toMatch(/\n|undefined|\[object/);
  expect(await readdir(join(folder, 'models')).catch(() => [])).toEqual([]);
}

describe.each(FILES)('%s', (file) => {
  test.each([0.02, 0.3, 0.9, 0.999])('cut off at %f', async (share) => {
    const whole = await readFile(published(file));
    await writeFile(path, whole.subarray(0, Math.floor(whole.length * share)));
    await refused(/./);
  });

  test('with a NaN among the weights', async () => {
    const whole = await readFile(published(file));
    // Weights are most of the file: past its middle there is nothing else.
    const middle = Math.floor(whole.length / 2);
    for (let i = 0; i < 16; i++) whole.writeUInt8(0xff, middle + i);
    await writeFile(path, whole);
    await refused(/Expected finite weights but received (NaN|-?Infinity)|checksum|CRC/i);
  });

  test('is recognised by content, whatever its name', async () => {
    await writeFile(path, await readFile(published(file)));
    const { folder: model } = await importing();
    await rm(model, { recursive: true });
  });
});

test('a folder, an empty file, nothing', async () => {
  await rm(path, { force: true });
  await mkdir(path);
  await refused(/Expected a weights file but received a folder/);
  await rm(path, { recursive: true });
  await refused(/cannot read/, 'NOT_FOUND');
  await writeFile(path, '');
  await refused(/received an empty one/);
  await rm(path);
});

test.each([
  ['an HTML page', '<!DOCTYPE html><title>404</title>', /received an HTML page/],
  ['a Git LFS pointer', 'version https://git-lfs.github.com/spec/v1\noid sha256:0', /a Git LFS pointer/],
  ['a gzip file', Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0]), /gzip file: decompress it first/],
  [
    'a tar archive',
    Buffer.concat([Buffer.alloc(257), Buffer.from('ustar')]),
    /a tar archive \(PyTorch before/,
  ],
  ['text', 'weights, honestly', /begins with "weights, hon"/],
  ['zeros', Buffer.alloc(1000), /begins with 0x0000/],
])('%s', async (_, content, message) => {
  await writeFile(path, content);
  await refused(message);
});

interface Named {
  name: string;
  shape: number[];
}

async function safetensorsOf(tensors: readonly Named[]): Promise<void> {
  const entries = tensors.map((tensor) => ({ ...tensor, dtype: 'F32' as const }));
  const bytes = tensors.reduce((sum, { shape }) => sum + 4 * shape.reduce((a, b) => a * b, 1), 0);
  await writeFile(path, Buffer.concat([formatSafetensorsHeader(entries), Buffer.alloc(bytes)]));
}

describe('other networks', () => {
  test('AlexNet as torchvision names it', async () => {
    const conv = (i: number, outputs: number, inputs: number, kernel: number): Named[] => [
      { name: `features.${String(i)}.weight`, shape: [outputs, inputs, kernel, kernel] },
      { name: `features.${String(i)}.bias`, shape: [outputs] },
    ];
    const linear = (i: number, outputs: number, inputs: number): Named[] => [
      { name: `classifier.${String(i)}.weight`, shape: [outputs, inputs] },
      { name: `classifier.${String(i)}.bias`, shape: [outputs] },
    ];
    await safetensorsOf([
      ...[...conv(0, 64, 3, 11), ...conv(3, 192, 64, 5), ...conv(6, 384, 192, 3)],
      ...[...conv(8, 256, 384, 3), ...conv(10, 256, 256, 3)],
      ...[...linear(1, 4, 9216), ...linear(4, 4, 4), ...linear(6, 10, 4)],
    ]);
    await refused(/five blocks of convolutions.* but features has 3, of 1, 1, 3 .*not a VGG network/);
  });

  test('ResNet as torchvision and timm name it', async () => {
    await safetensorsOf([
      { name: 'conv1.weight', shape: [64, 3, 7, 7] },
      { name: 'bn1.weight', shape: [64] },
      { name: 'layer1.0.conv1.weight', shape: [64, 64, 3, 3] },
      { name: 'fc.weight', shape: [10, 64] },
    ]);
    await refused(/Expected features.0.weight, that of conv1_1 but its 4 tensors are conv1.weight/);
  });
});

test('Ctrl-C leaves nothing', async () => {
  await writeFile(path, await readFile(published('keras-vgg16.h5')));
  const controller = new AbortController();
  const seen: number[] = [];
  await expect(
    importing({
      signal: controller.signal,
      onProgress: (done: number, total: number) => {
        seen.push(done / total);
        if (done > 0.7 * total) controller.abort(new Error('enough'));
      },
    }),
  ).rejects.toThrow('enough');
  expect(seen.at(-1)).toBeLessThan(1);
  expect(await readdir(join(folder, 'models'))).toEqual([]);
});
