// Builds the native TensorFlow library: tfjs-node's own C++ source against the libraries and headers of a wheel.
// Knows folders and stamps; wheels.ts knows PyPI, build-main.ts the terminal.

import { accessSync, constants, existsSync } from 'node:fs';
import { cp, link, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { VggError } from '../../../vgg/errors.ts';
import { downloadWheels, pinnedVersion, run, unpackWheels, type Variant } from './wheels.ts';

/** What a build is told. */
export interface BuildOptions {
  variant: Variant;
  /** Folder of @tensorflow/tfjs-node-gpu; the library is built into it. */
  packageFolder: string;
  /** Folder that libraries are kept in, for the next build. */
  cache: string;
  /** Node's headers, `node_api.h` among them: the first folder that has them. */
  headers: readonly string[];
  /** PATH, to look for programs in. */
  path: string;
  /** Called with each line of progress. */
  say: (line: string) => void;
  /** Where the build is to run; this process by default. */
  host?: { platform: string; arch: string; node: string };
  /** Replaces the pinned wheels' file. */
  requirements?: string;
}

/** What was built. */
export interface Built {
  /** Of TensorFlow. */
  version: string;
  /** False if it had been built before. */
  fresh: boolean;
}

// Written last: without it, nothing is taken for built.
const STAMP = 'vgg-serve.json';

/**
 * Builds the library, unless that has been done. What is half done is never taken for done: libraries are
 * unpacked aside and renamed, and the package is stamped last.
 *
 * @throws VggError UNAVAILABLE, RESOURCE_EXHAUSTED or INVALID_ARGUMENT saying what is missing
 */
export async function buildTensorFlow(options: BuildOptions): Promise<Built> {
  const { variant, packageFolder, cache, say, path } = options;
  checkHost(options.host ?? { platform: process.platform, arch: process.arch, node: process.version });
  const tfjs = await packageVersion(packageFolder);
  const version = await pinnedVersion(variant);
  const deps = join(packageFolder, 'deps');
  const stamp = JSON.stringify({ tensorflow: version, variant, tfjs, napi: NAPI });
  if ((await readText(join(deps, STAMP))) === stamp && existsSync(bindingFile(packageFolder))) {
    return { version, fresh: false };
  }
  // Before anything is downloaded.
  const compiler = programOf(
    ['c++', 'g++', 'clang++'],
    path,
    'a C++ compiler',
    'install g++ (build-essential)',
  );
  const headers = headersOf(options.headers);
  const kept = join(cache, `tensorflow-${version}-${variant}`);
  if (!existsSync(kept)) {
    const python = programOf(['python3', 'python'], path, 'Python 3', 'install python3 and python3-pip');
    await fetchLibraries(options, kept, python);
  }

  const file = bindingFile(packageFolder);
  say('compiling');
  await compile({ compiler, headers, packageFolder, kept, file: `${file}.partial` }, say);
  say(`placing libraries in ${deps}`);
  await rm(`${deps}.partial`, { recursive: true, force: true });
  await place(kept, `${deps}.partial`);
  // A library without a binding is none, so the moment without either is no half build.
  await rm(file, { force: true });
  await rm(deps, { recursive: true, force: true });
  await rename(`${deps}.partial`, deps);
  await rename(`${file}.partial`, file);
  await writeFile(join(deps, STAMP), stamp);
  return { version, fresh: true };
}

// The binding's own bound; every Node that can run it has it.
const NAPI = 8;
const SOURCES = ['tfjs_backend.cc', 'tfjs_binding.cc'];

function bindingFile(packageFolder: string): string {
  return join(packageFolder, 'lib', `napi-v${String(NAPI)}`, 'tfjs_binding.node');
}

function checkHost({ platform, arch, node }: { platform: string; arch: string; node: string }): void {
  if (platform !== 'linux' || arch !== 'x64') {
    throw failure(
      `Linux on x86-64, for which PyPI has TensorFlow's libraries, but this is ${platform} ${arch}`,
    );
  }
  const major = Number(/\d+/.exec(node)?.[0]);
  if (major >= 23) throw failure(`Node 20 or 22 but this is ${node}: TensorFlow.js 4.22 does not run on it`);
}

async function packageVersion(folder: string): Promise<string> {
  const text = await readText(join(folder, 'package.json'));
  if (text === undefined) {
    throw failure(
      '@tensorflow/tfjs-node-gpu but it is not installed: run npm ci --include=optional, then npm run tensorflow',
    );
  }
  return (JSON.parse(text) as { version: string }).version;
}

async function fetchLibraries(options: BuildOptions, kept: string, python: string): Promise<void> {
  const { variant, say, cache, requirements } = options;
  const aside = `${kept}.partial`;
  // Of a build that was interrupted.
  await rm(aside, { recursive: true, force: true });
  const wheels = join(aside, 'wheels');
  await mkdir(wheels, { recursive: true });
  say(`downloading TensorFlow (${variant}) into ${cache}`);
  try {
    await downloadWheels(variant, wheels, python, say, requirements);
    const deps = join(aside, 'deps');
    await unpackWheels(wheels, deps, say);
    await rename(deps, kept);
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

// Hard links where cache and package share a disk, copies elsewhere.
async function place(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const source = join(from, entry.name);
    const target = join(to, entry.name);
    if (entry.isDirectory()) await place(source, target);
    else if (entry.isSymbolicLink()) await cp(source, target, { verbatimSymlinks: true });
    else await link(source, target).catch(() => cp(source, target));
  }
}

interface Compilation {
  compiler: string;
  headers: string;
  packageFolder: string;
  /** Libraries and headers of TensorFlow. */
  kept: string;
  /** What is made. */
  file: string;
}

async function compile(
  { compiler, headers, packageFolder, kept, file }: Compilation,
  say: (line: string) => void,
): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const { status } = await run(
    compiler,
    [
      ...['-std=c++17', '-O3', '-fPIC', '-shared', '-pthread', '-w', '-s'],
      ...[`-DNAPI_VERSION=${String(NAPI)}`, '-DBUILDING_NODE_EXTENSION'],
      ...['-I', headers, '-I', packageFolder, '-I', join(kept, 'include')],
      ...SOURCES.map((source) => join(packageFolder, 'binding', source)),
      ...['-o', file, '-L', join(kept, 'lib'), '-ltensorflow', '-ltensorflow_framework'],
      '-Wl,-rpath,$ORIGIN/../../deps/lib',
      // Node unloads an addon when the last thread that loaded it ends. TensorFlow's own threads go on, and
      // would end the process.
      '-Wl,-z,nodelete',
    ],
    say,
  );
  if (status !== 0) {
    await rm(file, { force: true });
    throw failure(`${compiler} to compile the binding but it failed; see its lines above`);
  }
}

function headersOf(folders: readonly string[]): string {
  for (const folder of folders) if (existsSync(join(folder, 'node_api.h'))) return folder;
  throw failure(
    `Node's headers but there is no node_api.h in ${folders.join(' or ')}: take Node from nodejs.org or its image, or install libnode-dev`,
  );
}

function programOf(names: readonly string[], path: string, what: string, remedy: string): string {
  for (const folder of path.split(delimiter).filter(Boolean)) {
    for (const name of names) {
      const file = join(folder, name);
      try {
        accessSync(file, constants.X_OK);
        return file;
      } catch {
        // Not in this folder.
      }
    }
  }
  throw failure(`${what} but there is no ${names.join(', ')} in PATH: ${remedy}`);
}

function readText(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch(() => undefined);
}

function failure(what: string): VggError {
  return new VggError('UNAVAILABLE', `Expected ${what}`);
}
