// TensorFlow's wheels from PyPI: fetched by pip, held to their SHA-256, and unpacked as far as a build needs them.
// Knows pip and what is where in a wheel; does not compile.

import { spawn } from 'node:child_process';
import { createWriteStream, type Stats } from 'node:fs';
import { mkdir, readdir, readFile, stat, statfs, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import yauzl from 'yauzl';
import { packageRoot } from '../../../proto/package-root.ts';
import { VggError } from '../../../vgg/errors.ts';

/** What can be built: for the CPU, or for NVIDIA's GPUs. */
export type Variant = 'cpu' | 'gpu';

// Wheels, and what is unpacked of them, before the wheels are deleted.
const NEEDED_BYTES: Record<Variant, number> = { cpu: 1.4e9, gpu: 9e9 };
// One Python's wheels, whichever Python runs pip: only their libraries are of interest.
const PYTHON_TAG = '3.11';
const PLATFORMS = ['manylinux_2_27', 'manylinux_2_18', 'manylinux_2_17', 'manylinux2014', 'manylinux2010'];

// Entries of a wheel, and where they go: libraries into lib, headers into include. TensorFlow's libraries look
// for CUDA's in ../nvidia beside their own folder.
const PLACES: readonly (readonly [RegExp, string])[] = [
  [/^tensorflow\/(libtensorflow_(?:cc|framework)\.so\.2)$/, 'lib/$1'],
  [/^tensorflow\/include\/((?:tensorflow|tsl)\/.*\.(?:h|inc))$/, 'include/$1'],
  [/^tensorflow\/include\/(xla\/tsl\/.*\.(?:h|inc))$/, 'include/$1'],
  [/^(nvidia\/.*\/lib\/.*\.so(?:\.\d+)*)$/, '$1'],
  [/^(nvidia\/cuda_nvcc\/(?:bin|nvvm)\/.*)$/, '$1'],
];

/** The file of pinned wheels of a variant. */
export function requirementsFile(variant: Variant): string {
  return join(packageRoot, 'services', 'host', 'tensorflow', `requirements-${variant}.txt`);
}

/** The version of TensorFlow that a variant pins. */
export async function pinnedVersion(variant: Variant): Promise<string> {
  const [, version] =
    /^tensorflow(?:-cpu)?==(\S+)/m.exec(await readFile(requirementsFile(variant), 'utf8')) ?? [];
  if (version === undefined) throw new VggError('INTERNAL', 'Expected a pinned version of TensorFlow');
  return version;
}

/**
 * Downloads the pinned wheels.
 *
 * @param folder where they go; exists
 * @param python the Python whose pip is used
 * @throws VggError UNAVAILABLE or RESOURCE_EXHAUSTED saying what is missing
 */
export async function downloadWheels(
  variant: Variant,
  folder: string,
  python: string,
  say: (line: string) => void,
  requirements = requirementsFile(variant),
): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const needed = NEEDED_BYTES[variant];
  if (bavail * bsize < needed) {
    throw new VggError(
      'RESOURCE_EXHAUSTED',
      `Expected ${gigabytes(needed)} GB of free disk but ${folder} has ${gigabytes(bavail * bsize)}: free some, or set VGG_CACHE to a folder elsewhere`,
    );
  }
  const platforms = PLATFORMS.flatMap((name) => ['--platform', `${name}_x86_64`]);
  const { status, output } = await run(
    python,
    [
      ...['-m', 'pip', 'download', '--no-deps', '--only-binary', ':all:', '--require-hashes'],
      ...['--python-version', PYTHON_TAG, ...platforms, '--dest', folder, '-r', requirements],
    ],
    say,
  );
  if (status !== 0) throw pipFailure(python, output);
}

/**
 * Unpacks libraries and headers of all wheels of a folder.
 *
 * @param target gets lib, include and, of CUDA's wheels, nvidia
 */
export async function unpackWheels(
  folder: string,
  target: string,
  say: (line: string) => void,
): Promise<void> {
  for (const name of (await readdir(folder)).filter((each) => each.endsWith('.whl'))) {
    say(`unpacking ${name}`);
    await unpack(join(folder, name), target);
  }
  // The linker asks for names without a number.
  for (const [link, file] of [
    ['libtensorflow.so', 'libtensorflow_cc.so.2'],
    ['libtensorflow_framework.so', 'libtensorflow_framework.so.2'],
  ] as const) {
    const found: Stats | undefined = await stat(join(target, 'lib', file)).catch(() => undefined);
    if (!found) throw new VggError('INTERNAL', `Expected ${file} in TensorFlow's wheel but it is not there`);
    await symlink(file, join(target, 'lib', link));
  }
}

/** Runs a program: its output is shown line by line, and given back. @returns status 127 if there is none */
export function run(
  program: string,
  args: readonly string[],
  say: (line: string) => void,
): Promise<{ status: number; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        for (const line of text.split(/[\r\n]+/)) if (line.trim()) say(line.trimEnd());
      });
    }
    child.on('error', (error) => {
      resolve({ status: 127, output: output + error.message });
    });
    child.on('close', (status) => {
      resolve({ status: status ?? 1, output });
    });
  });
}

function unpack(wheel: string, target: string): Promise<void> {
  return new Promise((resolve, reject) => {
    yauzl.open(wheel, { lazyEntries: true }, (openError, zip) => {
      if (openError) {
        reject(openError);
        return;
      }
      const one = async (entry: yauzl.Entry): Promise<void> => {
        const place = placeOf(entry.fileName);
        if (place === undefined) return;
        const path = join(target, place);
        await mkdir(dirname(path), { recursive: true });
        const source = await new Promise<NodeJS.ReadableStream>((open, fail) => {
          zip.openReadStream(entry, (error, stream) => {
            if (error) fail(error);
            else open(stream);
          });
        });
        const executable = place.includes('/bin/');
        await pipeline(source, createWriteStream(path, { mode: executable ? 0o755 : 0o644 }));
      };
      zip.on('error', reject);
      zip.on('end', resolve);
      zip.on('entry', (entry: yauzl.Entry) => {
        one(entry).then(
          () => {
            zip.readEntry();
          },
          (error: unknown) => {
            zip.close();
            reject(error instanceof Error ? error : new Error(String(error)));
          },
        );
      });
      zip.readEntry();
    });
  });
}

function placeOf(name: string): string | undefined {
  const place = PLACES.find(([pattern]) => pattern.test(name));
  return place && name.replace(place[0], place[1]);
}

// pip says in words what went wrong; each of these is one thing to do for whoever reads it.
function pipFailure(python: string, output: string): VggError {
  const said = (pattern: RegExp) => pattern.test(output);
  if (said(/ENOENT/)) {
    return failure(
      `Python 3 but ${python} is not there: install python3 (it is needed to build, not to run)`,
    );
  }
  if (said(/No module named pip|ensurepip/)) {
    return failure(`pip but ${python} has none: install python3-pip, or run ${python} -m ensurepip`);
  }
  if (said(/DO NOT MATCH THE HASHES|HashMismatch/)) {
    return failure(
      'the wheels whose SHA-256 is on record but PyPI, or what stands in for it, sent others; nothing was kept',
    );
  }
  if (said(/No space left/)) return failure('free disk but it is full');
  if (said(/Max retries|NewConnectionError|ConnectionError|timed out|resolution|ProxyError|SSLError/)) {
    return failure('PyPI but it cannot be reached: check the network, or pip’s settings of index and proxy');
  }
  if (said(/No matching distribution|Could not find a version/)) {
    return failure('the pinned wheels but the index does not have them');
  }
  return failure(`pip to download TensorFlow's wheels but it failed; see its last lines above`);
}

function failure(what: string): VggError {
  return new VggError('UNAVAILABLE', `Expected ${what}`);
}

function gigabytes(bytes: number): string {
  return (bytes / 1e9).toFixed(1);
}
