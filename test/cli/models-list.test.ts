// vgg models list and show: what a person reads in 80 columns, and what a program reads.

import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cut, table, wrap } from '../../cli/terminal.ts';
import { CATALOGUE } from '../../models/catalogue.ts';
import { packageRoot } from '../../proto/package-root.ts';

const MAIN = join(packageRoot, 'dist/cli/main.js');
const LONG = 'a-name-that-is-as-long-as-a-name-may-be-which-is-a-lot-but-legal';

async function vgg(...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  try {
    return { status: 0, ...(await promisify(execFile)(process.execPath, [MAIN, 'models', ...args])) };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { status: code, stdout, stderr };
  }
}

function objects(stdout: string): Record<string, unknown>[] {
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

function widest(text: string): number {
  return Math.max(...text.split('\n').map((line) => line.length));
}

let folder: string;
let models: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vgg-list-'));
  models = join(folder, 'models');
  await mkdir(models);
  await cp(join(packageRoot, 'models/caltech-101-d'), join(models, 'caltech-101-d'), { recursive: true });
  await cp(join(packageRoot, 'models/caltech-101-d'), join(models, LONG), { recursive: true });
  const json = join(models, LONG, 'model.json');
  await writeFile(json, (await readFile(json, 'utf8')).replace('"caltech-101-d"', `"${LONG}"`));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

describe('list', () => {
  test('shows what is installed, then what can be pulled, in 80 columns', async () => {
    const { status, stdout, stderr } = await vgg('list', '--models', models);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(widest(stdout)).toBeLessThanOrEqual(80);
    expect(stdout).toMatch(/^caltech-101-d +D 0\.25 +100 +64 +1\.5 M +2\.9 MiB +F16 +CC-BY$/m);
    expect(stdout).toMatch(/^a-name-that-[a-z-]*…[a-z-]*-legal +D 0\.25/m);
    expect(stdout).toMatch(
      /^torchvision-vgg16-bn +torchvision +D \+ BN +528 MiB +26\.6 \/ 8\.5 +BSD-3-Clause$/m,
    );
    expect(stdout).toMatch(/^oxford-vgg19 +Oxford VGG +E +548 MiB +24\.8 \/ 7\.5 +CC-BY-4\.0$/m);
    const lines = stdout.split('\n').filter((line) => / \/ /.test(line));
    expect(lines).toHaveLength(CATALOGUE.length);
  });

  test('--json: one object a line, installed or not', async () => {
    const all = objects((await vgg('list', '--models', models, '--json')).stdout);
    expect(all.map(({ installed }) => installed)).toEqual([...[true, true], ...CATALOGUE.map(() => false)]);
    expect(all[1]).toMatchObject({
      name: 'caltech-101-d',
      network: 'D',
      parameters: 1_497_396,
      dtypes: ['F16'],
      licence: 'CC-BY-4.0',
    });
    expect(all.find(({ name }) => name === 'keras-vgg16')).toMatchObject({
      publisher: 'Keras',
      parameters: 138_357_544,
      bytes: 553_467_096,
      digest: { algorithm: 'md5', hex: '64373286793e3c8b2b4e3219cbf3544b' },
      file: 'vgg16_weights_tf_dim_ordering_tf_kernels.h5',
    });
    const installed = objects((await vgg('list', '--models', models, '--json', '--installed')).stdout);
    expect(installed).toEqual(all.slice(0, 2));
    const available = objects((await vgg('list', '--models', models, '--json', '--available')).stdout);
    expect(available).toEqual(all.slice(2));
  });

  test('a folder that does not exist yet has no models, but there is what can be pulled', async () => {
    const nowhere = join(folder, 'nowhere');
    const { status, stdout, stderr } = await vgg('list', '--models', nowhere);
    expect({ status, stderr }).toEqual({ status: 0, stderr: `No models in ${nowhere}\n` });
    expect(stdout).toContain('timm-vgg19-bn');
    expect(await vgg('list', '--models', nowhere, '--installed')).toEqual({
      status: 1,
      stdout: '',
      stderr: `Expected a folder of models but cannot read ${nowhere}\n`,
    });
  });

  test('a model that is broken is named, and hides no other', async () => {
    const some = join(folder, 'some');
    await cp(join(models, 'caltech-101-d'), join(some, 'caltech-101-d'), { recursive: true });
    await mkdir(join(some, 'broken'));
    await writeFile(join(some, 'broken', 'model.json'), '{');
    const { status, stdout, stderr } = await vgg('list', '--models', some, '--installed');
    expect(status).toBe(1);
    expect(stdout).toContain('caltech-101-d');
    expect(stderr).toBe('broken: Expected model.json to be JSON but it does not parse\n');
  });
});

describe('show', () => {
  test('a model that is installed', async () => {
    const { stdout } = await vgg('show', 'caltech-101-d', '--models', models);
    expect(widest(stdout)).toBeLessThanOrEqual(80);
    for (const line of [
      /^size +2\.9 MiB, stored as F16$/m,
      /^licence +CC-BY-4\.0$/m,
      /^scales +72, 92, 112$/m,
      /^kernel +linear$/m,
      /^network +column D of the paper's Table 1, 16 weight layers, 0\.25 of its width$/m,
      /^parameters +1,497,396$/m,
      /^sees +244 pixels square/m,
      /^costs +0\.080 GMAC a view of 64 × 64$/m,
    ])
      expect(stdout).toMatch(line);
  });

  test('a release that is not installed, and how to have it', async () => {
    const { status, stdout } = await vgg('show', 'oxford-vgg16', '--models', models);
    expect(status).toBe(0);
    for (const line of [
      /^name +oxford-vgg16 \(not installed\)$/m,
      /^digest +SHA-1 9363e1f6d65f7dba68c4f27a1e62105cdf6c4e24$/m,
      /^reported +error 24\.8 % top-1, 7\.5 % top-5 \(Oxford VGG; dense, scales 256, 384$/m,
      /^parameters +138,357,544$/m,
      /^sees +404 pixels square/m,
      /^costs +15\.470 GMAC a view of 224 × 224$/m,
      /^fc6 +conv 7×7/m,
      /^To have it: vgg models pull oxford-vgg16$/m,
    ])
      expect(stdout).toMatch(line);
    const [shown] = objects((await vgg('show', 'oxford-vgg16', '--models', models, '--json')).stdout);
    expect(shown).toMatchObject({ installed: false, name: 'oxford-vgg16', parameters: 138_357_544 });
  });

  test('a digest of which only the first digits are published, and one that the host states', async () => {
    expect((await vgg('show', 'torchvision-vgg11')).stdout).toMatch(/^digest +SHA-256 8a719046…$/m);
    expect((await vgg('show', 'timm-vgg11')).stdout).toMatch(/^digest +what the host states/m);
  });
});

describe('text', () => {
  test('what is too long loses its middle', () => {
    expect(cut('torchvision-vgg16-bn', 20)).toBe('torchvision-vgg16-bn');
    expect(cut('torchvision-vgg16-bn', 12)).toBe('torchvis…-bn');
    const lines = table(['name', 'n'], [['x'.repeat(50), 1]], 30);
    expect(widest(lines.join('\n'))).toBe(30);
  });

  test('lines break at spaces; a word is never broken', () => {
    expect(wrap('one two three', 7)).toEqual(['one two', 'three']);
    expect(wrap('0123456789 x', 4)).toEqual(['0123456789', 'x']);
    expect(wrap('', 4)).toEqual(['']);
  });
});
