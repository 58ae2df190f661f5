// `npm run tensorflow [-- --gpu]`: builds the native TensorFlow library. It is compiled like everything else and
// runs after the build, so that it shares errors, archives and types with what it builds for.

import { spawnSync } from 'node:child_process';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { packageRoot } from '../../../proto/package-root.ts';
import { VggError } from '../../../vgg/errors.ts';
import { buildTensorFlow } from './build.ts';

const HELP = `Usage: npm run tensorflow [-- --gpu]

Builds the native TensorFlow library for the tensorflow engine and the trainer:
downloads TensorFlow's libraries from PyPI (CPU: 274 MB; --gpu: 3 GB, with the
CUDA 12 libraries) and compiles the binding of @tensorflow/tfjs-node-gpu.
Needs Python 3 with pip, a C++ compiler and Linux on x86-64, once; nothing of
it is needed to run. Libraries are kept in $VGG_CACHE (default:
$XDG_CACHE_HOME/vgg-serve, or ~/.cache/vgg-serve).
`;

const { env } = process;
try {
  const { values } = parseArgs({ options: { gpu: { type: 'boolean' }, help: { type: 'boolean' } } });
  if (values.help) process.stdout.write(HELP);
  else await build(values.gpu ? 'gpu' : 'cpu');
} catch (error) {
  say(error instanceof VggError ? error.message : String(error));
  process.exitCode = 1;
}

async function build(variant: 'cpu' | 'gpu'): Promise<void> {
  const packageFolder = join(packageRoot, 'node_modules', '@tensorflow', 'tfjs-node-gpu');
  const nodeFolders = [env['npm_config_nodedir'], dirname(dirname(process.execPath))];
  const { version, fresh } = await buildTensorFlow({
    variant,
    packageFolder,
    cache: cacheFolder(),
    headers: nodeFolders.filter((each) => each !== undefined).map((each) => join(each, 'include', 'node')),
    path: env['PATH'] ?? '',
    say,
  });
  if (!fresh) {
    say(`TensorFlow ${version} (${variant}) is already built`);
    return;
  }
  // In a process of its own, as the engine will load it.
  const library = new URL('./library.js', import.meta.url).href;
  const check = `const l = await import('${library}'); console.log(JSON.stringify(l.tensorFlowFacts(await l.loadTensorFlow())))`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', check], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new VggError('INTERNAL', `Expected the library to load but it does not: ${stderr}`);
  const facts = JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}') as { version: string; device: string };
  say(`TensorFlow ${facts.version} (${variant}) is built; here it computes on: ${facts.device}`);
}

function cacheFolder(): string {
  if (env['VGG_CACHE']) return resolve(env['VGG_CACHE']);
  const caches = env['XDG_CACHE_HOME'] ?? '';
  return join(isAbsolute(caches) ? caches : join(homedir(), '.cache'), 'vgg-serve');
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
