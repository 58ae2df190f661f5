// vgg models pull: against a host on this machine and a small file of torchvision's layout.

import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi, type MockInstance } from 'vitest';
import { cacheFolder, pull } from '../../cli/pull.ts';
import { CATALOGUE, publishedFor, type PublishedRelease } from '../../models/catalogue.ts';
import { openModel } from '../../models/store.ts';
import { packageRoot } from '../../proto/package-root.ts';
import { FileHost, file } from '../models/file-host.ts';

const MAIN = join(packageRoot, 'dist/cli/main.js');
const SMALL = join(packageRoot, 'test/golden/checkpoints/published/torchvision-vgg16_bn.pth');
const BYTES = new Uint8Array(await readFile(SMALL));
const SHA256 = createHash('sha256').update(BYTES).digest('hex');

let folder: string;
let cache: string;
let to: string;
let host: FileHost;
let small: PublishedRelease;
let said: MockInstance<typeof process.stderr.write>;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vgg-pull-'));
  cache = join(folder, 'cache');
  to = join(folder, 'models');
  host = await FileHost.start(file(BYTES, { etag: '"small"' }));
  const [like] = CATALOGUE.filter(({ name }) => name === 'torchvision-vgg16-bn');
  if (!like) throw new Error('No torchvision-vgg16-bn');
  const digest = { algorithm: 'sha256' as const, hex: SHA256 };
  small = { ...like, name: 'small', url: host.url().href, bytes: BYTES.length, classes: 10, digest };
  said = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  vi.spyOn(process.stdout, 'write').mockReturnValue(true);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await host.close();
  await rm(folder, { recursive: true });
});

function texts(): string {
  return said.mock.calls.map(([text]) => String(text)).join('');
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

describe('pull', () => {
  test('downloads, verifies, imports with the facts of the release, and tidies up', async () => {
    await pull('small', { to }, { cache, catalogue: [small] });
    const { json, spec } = await openModel(join(to, 'small'), { verify: true });
    expect(spec).toMatchObject({ network: 'D', classes: 10 });
    expect(json).toMatchObject({
      mean: small.mean,
      kernel: 'linear',
      licence: 'BSD-3-Clause',
      source: { file: 'weights.pth', url: small.url, sha256: SHA256 },
    });
    expect(json.provenance).toContain(`downloaded from ${small.url}, SHA-256 ${SHA256}`);
    expect(json.provenance).toContain('26.6 / 8.5 (one centre crop of 224 at scale 256)');
    expect(publishedFor(json, [small])).toBe(small);
    expect(await readdir(cache)).toEqual([]);
    expect(texts()).toContain(`Verified: SHA-256 ${SHA256}`);
  });

  test('--keep keeps the download; it is not asked for again', async () => {
    await pull('small', { to, keep: true }, { cache, catalogue: [small] });
    expect(await exists(join(cache, 'small', 'weights.pth'))).toBe(true);
    await pull('small', { to, name: 'again' }, { cache, catalogue: [small] });
    expect(host.asked).toHaveLength(1);
    expect((await openModel(join(to, 'again'))).json.name).toBe('again');
  });

  test('--from a mirror', async () => {
    const published = { ...small, url: 'https://publisher.invalid/weights.pth' };
    const from = host.url('/mirror/weights.pth?token=hush').href;
    await pull('small', { to, from }, { cache, catalogue: [published] });
    expect(host.asked.map(({ path }) => path)).toEqual(['/mirror/weights.pth?token=hush']);
    const text = await readFile(join(to, 'small', 'model.json'), 'utf8');
    expect(text).toContain('/mirror/weights.pth');
    expect(text + texts()).not.toContain('hush');
  });

  test('--from a file, which stays where it is', async () => {
    const own = join(folder, 'own.pth');
    await cp(SMALL, own);
    await pull('small', { to, from: own }, { cache, catalogue: [small] });
    expect(await exists(own)).toBe(true);
    expect(host.asked).toEqual([]);
    expect((await openModel(join(to, 'small'))).json.provenance).toContain(`a copy of ${small.url}, SHA-256`);
  });

  test('--from a file that nobody states a digest of says so', async () => {
    const release = { ...small, digest: 'host' as const };
    await pull('small', { to, from: SMALL }, { cache, catalogue: [release] });
    expect(texts()).toContain('Not verified: no digest of small is published');
    expect((await openModel(join(to, 'small'))).json.provenance).toContain('not verified');
  });

  test('a name that is taken is found before the download', async () => {
    await pull('small', { to }, { cache, catalogue: [small] });
    await expect(pull('small', { to }, { cache, catalogue: [small] })).rejects.toThrow(
      'Expected a name that is not taken but received small (name)',
    );
    expect(host.asked).toHaveLength(1);
  });

  test('a download that cannot be imported is kept, and no model is left', async () => {
    await expect(pull('small', { to }, { cache, catalogue: [{ ...small, network: 'E' }] })).rejects.toThrow();
    expect(await exists(join(cache, 'small', 'weights.pth'))).toBe(true);
    expect(await exists(join(to, 'small'))).toBe(false);
  });

  test('a changed file is refused', async () => {
    const changed = BYTES.slice();
    changed.fill(0, changed.length - 100);
    host.answers(file(changed));
    await expect(pull('small', { to }, { cache, catalogue: [small] })).rejects.toThrow(
      `Expected a file with SHA-256 ${SHA256} but received`,
    );
    const own = join(folder, 'own.pth');
    await writeFile(own, changed);
    await expect(pull('small', { to, from: own }, { cache, catalogue: [small] })).rejects.toThrow(
      `Expected small's file with SHA-256 ${SHA256} but ${own} has SHA-256`,
    );
    expect(await exists(to)).toBe(false);
  });
});

describe('the command', () => {
  const run = (args: string[]) =>
    new Promise<{ status: number; stdout: string; stderr: string }>((resolve) => {
      const env = { ...process.env, VGG_CACHE: cache };
      execFile(process.execPath, [MAIN, 'models', 'pull', ...args], { env }, (error, stdout, stderr) => {
        resolve({ status: error ? Number(error.code ?? 1) : 0, stdout, stderr });
      });
    });

  test('an unknown name: the names that there are', async () => {
    const { status, stdout, stderr } = await run(['vgg16']);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toContain('Expected a published release but received vgg16; there are:');
    for (const { name } of CATALOGUE) expect(stderr).toContain(name);
  });

  test.each([
    [
      'torchvision-vgg11',
      /^Expected torchvision-vgg11's file with SHA-256 8a719046… but .* has SHA-256 [0-9a-f]{64}\n$/,
    ],
    [
      'torchvision-vgg16-bn',
      /^Expected torchvision-vgg16-bn's file of 553507836 bytes but received one of \d+ /,
    ],
  ])('a file that is not %s', async (name, message) => {
    const { status, stderr } = await run([name, '--from', SMALL, '--to', to]);
    expect(status).toBe(1);
    expect(stderr).toMatch(message);
    expect(await exists(to)).toBe(false);
  });

  test('--from nothing', async () => {
    const { status, stderr } = await run(['torchvision-vgg11', '--from', join(folder, 'none'), '--to', to]);
    expect(status).toBe(1);
    expect(stderr).toBe(`Expected a file or a web address but received ${join(folder, 'none')} (--from)\n`);
  });

  test('Ctrl-C keeps what came', async () => {
    const half = BYTES.length >> 1;
    host.answers(file(BYTES, { etag: '"small"', upTo: half }));
    const args = ['torchvision-vgg11', '--from', host.url().href, '--to', to];
    const child = spawn(process.execPath, [MAIN, 'models', 'pull', ...args], {
      env: { ...process.env, VGG_CACHE: cache },
    });
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const partial = join(cache, 'torchvision-vgg11', 'vgg11-8a719046.pth.partial');
    await vi.waitUntil(async () => (await stat(partial).catch(() => undefined))?.size === half, {
      timeout: 30_000,
    });
    child.kill('SIGINT');
    const [status] = (await once(child, 'exit')) as [number];
    expect(status).toBe(130);
    expect(stderr).toContain('What came is kept; the same command goes on from there.\nInterrupted\n');
    expect((await readdir(join(cache, 'torchvision-vgg11'))).sort()).toEqual([
      'vgg11-8a719046.pth.partial',
      'vgg11-8a719046.pth.partial.json',
    ]);
    expect(await exists(to)).toBe(false);
    host.answers(file(BYTES, { etag: '"small"' }));
    expect((await run(args)).stderr).toContain('Expected a file with SHA-256 8a719046… but received');
    expect(host.asked.at(-1)?.headers.range).toBe(`bytes=${String(half)}-`);
  });

  test('--help teaches', async () => {
    const { status, stdout } = await run(['--help']);
    expect(status).toBe(0);
    for (const text of ['VGG_CACHE', 'HTTPS_PROXY', 'keras-vgg19', 'vgg models pull torchvision-vgg16\n'])
      expect(stdout).toContain(text);
  });
});

test('where downloads lie', () => {
  expect(cacheFolder({ VGG_CACHE: '/a', XDG_CACHE_HOME: '/b' }, '/home/me')).toBe('/a');
  expect(cacheFolder({ XDG_CACHE_HOME: '/b' }, '/home/me')).toBe('/b/vgg-serve');
  expect(cacheFolder({ XDG_CACHE_HOME: 'relative' }, '/home/me')).toBe('/home/me/.cache/vgg-serve');
  expect(cacheFolder({}, '/home/me')).toBe('/home/me/.cache/vgg-serve');
});
