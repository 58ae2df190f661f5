// Building the TensorFlow library: what may be missing, and that half a build is none. Python, pip and compiler
// are short programs of the tests; the real ones are run by CI before its tests.

import { access, chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { buildTensorFlow, type BuildOptions } from '../../../services/host/tensorflow/build.ts';
import { pinnedVersion, requirementsFile } from '../../../services/host/tensorflow/wheels.ts';
import { zip } from '../../models/import/torch-bytes.ts';

const LIBRARIES = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'];

let folder: string;
let options: BuildOptions;
let lines: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vgg-tensorflow-'));
  lines = [];
  for (const name of ['package', 'headers', 'bin', 'cache']) await mkdir(join(folder, name));
  await writeFile(join(folder, 'package', 'package.json'), '{"version":"4.22.0"}');
  await writeFile(join(folder, 'headers', 'node_api.h'), '');
  const wheel = zip([
    ...LIBRARIES.map((name) => ({ name: `tensorflow/${name}`, bytes: name })),
    { name: 'tensorflow/include/tensorflow/c/c_api.h', bytes: '// C' },
    { name: 'tensorflow/include/unrelated/x.h', bytes: '// no' },
    { name: 'tensorflow/python/large.so', bytes: 'no' },
    { name: 'nvidia/cudnn/lib/libcudnn.so.9', bytes: 'cudnn' },
  ]);
  await writeFile(join(folder, 'a.whl'), wheel);
  // pip download … --dest FOLDER …
  await program(
    'python3',
    `while [ "$1" != --dest ]; do shift; done; cp ${folder}/a.whl "$2"/; echo pip ran`,
  );
  // c++ … -o FILE …
  await program('c++', 'while [ "$1" != -o ]; do shift; done; echo binding > "$2"');
  options = {
    variant: 'cpu',
    packageFolder: join(folder, 'package'),
    cache: join(folder, 'cache'),
    headers: [join(folder, 'nowhere'), join(folder, 'headers')],
    path: join(folder, 'bin'),
    say: (line) => lines.push(line),
    host: { platform: 'linux', arch: 'x64', node: 'v20.20.0' },
  };
});
afterEach(() => rm(folder, { recursive: true }));

async function program(name: string, body: string): Promise<void> {
  const file = join(folder, 'bin', name);
  await writeFile(file, `#!/bin/sh\n${body}\n`);
  await chmod(file, 0o755);
}

function failure(changes: Partial<BuildOptions> = {}): Promise<string> {
  return buildTensorFlow({ ...options, ...changes }).then(
    () => expect.unreachable('it was built'),
    (error: unknown) => (error as Error).message,
  );
}

const there = (...path: string[]) =>
  access(join(folder, ...path)).then(
    () => true,
    () => false,
  );

test('libraries and headers are unpacked, the binding is compiled; the second time nothing is done', async () => {
  const version = await pinnedVersion('cpu');
  expect(await buildTensorFlow(options)).toEqual({ version, fresh: true });
  const deps = (...path: string[]) => readFile(join(folder, 'package', 'deps', ...path), 'utf8');
  expect(await deps('lib', 'libtensorflow.so')).toBe('libtensorflow_cc.so.2');
  expect(await deps('lib', 'libtensorflow_framework.so')).toBe('libtensorflow_framework.so.2');
  expect(await deps('include', 'tensorflow', 'c', 'c_api.h')).toBe('// C');
  expect(await deps('nvidia', 'cudnn', 'lib', 'libcudnn.so.9')).toBe('cudnn');
  expect(await there('package', 'deps', 'include', 'unrelated')).toBe(false);
  expect(await there('package', 'lib', 'napi-v8', 'tfjs_binding.node')).toBe(true);
  expect(lines).toContain('pip ran');
  lines = [];
  expect(await buildTensorFlow(options)).toEqual({ version, fresh: false });
  expect(lines).toEqual([]);
});

test('after the package was installed anew, the kept libraries are placed again', async () => {
  await buildTensorFlow(options);
  await rm(join(folder, 'package', 'deps'), { recursive: true });
  await rm(join(folder, 'bin', 'python3'));
  expect(await buildTensorFlow(options)).toMatchObject({ fresh: true });
});

test('the other variant replaces the first', async () => {
  await buildTensorFlow(options);
  lines = [];
  expect(await buildTensorFlow({ ...options, variant: 'gpu' })).toMatchObject({ fresh: true });
  expect(lines).toContain('pip ran');
  expect(await buildTensorFlow({ ...options, variant: 'gpu' })).toMatchObject({ fresh: false });
  expect(await buildTensorFlow(options)).toMatchObject({ fresh: true });
});

test('what an interrupted build left is not taken for built', async () => {
  const aside = join(folder, 'cache', `tensorflow-${await pinnedVersion('cpu')}-cpu.partial`, 'deps', 'lib');
  await mkdir(aside, { recursive: true });
  await writeFile(join(aside, LIBRARIES[0] ?? ''), 'half');
  await program('c++', 'exit 1');
  expect(await failure()).toMatch(/to compile the binding but it failed/);
  expect(await there('package', 'deps', 'vgg-serve.json')).toBe(false);
  expect(await there('package', 'lib', 'napi-v8', 'tfjs_binding.node')).toBe(false);
  await program('c++', 'while [ "$1" != -o ]; do shift; done; echo binding > "$2"');
  expect(await buildTensorFlow(options)).toMatchObject({ fresh: true });
  const library = await readFile(join(folder, 'package', 'deps', 'lib', LIBRARIES[0] ?? ''), 'utf8');
  expect(library).toBe(LIBRARIES[0]);
});

describe('one clear error for each thing that is missing', () => {
  const host = { platform: 'linux', arch: 'x64', node: 'v20.20.0' };
  test.each<[string, Partial<BuildOptions>, RegExp]>([
    ['another system', { host: { ...host, platform: 'darwin' } }, /^Expected Linux on x86-64.*darwin x64$/],
    ['another processor', { host: { ...host, arch: 'arm64' } }, /^Expected Linux on x86-64.*linux arm64$/],
    ['a newer Node', { host: { ...host, node: 'v24.1.0' } }, /^Expected Node 20 or 22 but this is v24\.1\.0/],
    ['the package', { packageFolder: '/nowhere' }, /is not installed: run npm ci --include=optional/],
    ['a compiler', { path: '' }, /^Expected a C\+\+ compiler .* install g\+\+/],
    ['headers', { headers: ['/nowhere'] }, /^Expected Node's headers .* \/nowhere/],
  ])('%s', async (_, changes, message) => {
    expect(await failure(changes)).toMatch(message);
    expect(lines).toEqual([]);
  });

  test('Python', async () => {
    await rm(join(folder, 'bin', 'python3'));
    expect(await failure()).toMatch(/^Expected Python 3 .* install python3 and python3-pip$/);
  });

  test.each([
    ['pip', '/usr/bin/python3: No module named pip', /^Expected pip .* install python3-pip/],
    ['the network', 'Max retries exceeded with url: /simple/tensorflow-cpu/', /^Expected PyPI but it cannot/],
    [
      'the right bytes',
      'ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM',
      /^Expected the wheels whose SHA-256/,
    ],
    ['the wheel', 'ERROR: No matching distribution found for', /^Expected the pinned wheels but the index/],
    ['disk', 'OSError: [Errno 28] No space left on device', /^Expected free disk/],
    ['anything else', 'Segmentation fault', /^Expected pip to download/],
  ])('%s, as pip says it', async (_, words, message) => {
    await program('python3', `echo '${words}' >&2; exit 1`);
    expect(await failure()).toMatch(message);
    expect(lines).toContain(words);
    expect(await there('cache', `tensorflow-${await pinnedVersion('cpu')}-cpu.partial`)).toBe(false);
  });
});

test.each(['cpu', 'gpu'] as const)('wheels of %s are pinned by version and SHA-256', async (variant) => {
  const text = await readFile(requirementsFile(variant), 'utf8');
  const pins = text.split('\n').filter((line) => line && !line.startsWith('#'));
  expect(pins.length).toBe(variant === 'cpu' ? 1 : 13);
  for (const pin of pins) expect(pin).toMatch(/^[a-z0-9-]+==[\d.]+ --hash=sha256:[0-9a-f]{64}$/);
});
