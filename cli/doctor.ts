// vgg doctor: what works on this machine, and what does not.

import type { Command } from 'commander';
import { access } from 'node:fs/promises';
import { createServer } from 'node:net';
import { availableParallelism, freemem, totalmem } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { listModels, openModel } from '../models/store.ts';
import { nvidiaGpus, startEngine, type EngineChoice } from '../services/inference/engines.ts';
import { modelsFolder } from './models-folder.ts';
import { print, size } from './terminal.ts';

/** One thing that was looked at. */
interface Finding {
  what: string;
  /** bad: something will not work; note: worth knowing. */
  state: 'good' | 'note' | 'bad';
  found: string;
}

const FORMATS = ['jpeg', 'png', 'webp', 'heif', 'tiff', 'gif'] as const;
const PORTS: [string, number][] = [
  ['gateway', 8080],
  ['aggregator', 50051],
  ['preprocess', 50052],
  ['inference', 50053],
];
const MARKS = { good: '✓', note: '·', bad: '✗' };

/** Adds the command. */
export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description('say what works here: Node, image formats, engines, GPU, memory, models, ports')
    .option('--models <dir>', 'folder of models (default: $VGG_MODELS, or the one in the package)')
    .option('--json', 'print one JSON object a finding')
    .action(async (flags: { models?: string; json?: boolean }) => {
      const findings = await examine(modelsFolder(flags.models));
      for (const finding of findings) {
        print(
          flags.json
            ? JSON.stringify(finding)
            : `${MARKS[finding.state]} ${finding.what.padEnd(18)} ${finding.found}`,
        );
      }
      if (findings.some(({ state }) => state === 'bad')) process.exitCode = 1;
    });
}

async function examine(folder: string): Promise<Finding[]> {
  return [
    node(),
    imaging(),
    ...(await engines()),
    memory(),
    ...(await models(folder)),
    ...(await Promise.all(PORTS.map(([service, port]) => portFinding(service, port)))),
  ];
}

function node(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const good = major > 20 || (major === 20 && minor >= 19);
  return {
    what: 'Node',
    state: good ? 'good' : 'bad',
    found: `${process.version}${good ? '' : '; 20.19 or newer is needed'}`,
  };
}

function imaging(): Finding {
  const missing = FORMATS.filter((format) => !sharp.format[format].input.buffer);
  const versions = `sharp ${sharp.versions.sharp}, libvips ${sharp.versions.vips}`;
  return missing.length === 0
    ? { what: 'images', state: 'good', found: `${versions}: JPEG, PNG, WebP, AVIF, TIFF, GIF` }
    : { what: 'images', state: 'bad', found: `${versions} cannot read ${missing.join(', ')}` };
}

async function engines(): Promise<Finding[]> {
  const findings: Finding[] = [];
  const gpus = nvidiaGpus();
  for (const choice of ['onnx', 'tensorflow'] as const) {
    const what = `engine ${choice}`;
    try {
      const { engine, refused } = await started(choice, gpus);
      const { library, version, device, providers, threads } = engine.facts();
      await engine.close();
      const found = `${library} ${version} on ${device} of ${providers.join(', ')}; ${String(threads)} threads`;
      findings.push(
        refused === undefined
          ? { what, state: 'good', found }
          : { what, state: 'note', found: `${found}; not on the GPU: ${refused}` },
      );
    } catch (error) {
      // One engine is enough; without onnx there is none on the CPU.
      findings.push({ what, state: choice === 'onnx' ? 'bad' : 'note', found: (error as Error).message });
    }
  }
  return [...findings, gpuFinding(gpus, findings)];
}

// On the GPU if there is one, else on the CPU, and why.
async function started(choice: EngineChoice, gpus: readonly string[]) {
  if (gpus.length === 0) return { engine: await startEngine(choice), refused: undefined };
  try {
    return { engine: await startEngine(choice, { device: 'gpu' }), refused: undefined };
  } catch (error) {
    return { engine: await startEngine(choice, { device: 'cpu' }), refused: (error as Error).message };
  }
}

function gpuFinding(gpus: readonly string[], engines: readonly Finding[]): Finding {
  const what = 'GPU';
  if (gpus.length === 0) return { what, state: 'note', found: 'none; networks are computed on the CPU' };
  const used = engines.filter(({ found }) => found.includes(' on gpu ')).map((engine) => engine.what);
  return {
    what,
    state: used.length > 0 ? 'good' : 'note',
    found: `${gpus.join(', ')}; ${
      used.length > 0
        ? `${used.join(' and ')} can compute on it`
        : 'no engine computes on it: npm run tensorflow -- --gpu builds the one that does, or onnxruntime’s install script fetches its CUDA provider'
    }`,
  };
}

function memory(): Finding {
  return {
    what: 'memory, threads',
    state: freemem() > 1024 ** 3 ? 'good' : 'note',
    found: `${size(freemem())} free of ${size(totalmem())}, ${String(availableParallelism())} threads`,
  };
}

async function models(folder: string): Promise<Finding[]> {
  try {
    await access(folder);
    const names = await listModels(folder);
    if (names.length === 0) return [{ what: 'models', state: 'bad', found: `none in ${folder}` }];
    return await Promise.all(
      names.map(async (name): Promise<Finding> => {
        const what = `model ${name}`;
        try {
          const { spec } = await openModel(join(folder, name), { verify: true });
          return {
            what,
            state: 'good',
            found: `network ${spec.network}, ${String(spec.classes)} classes, weights as recorded`,
          };
        } catch (error) {
          return { what, state: 'bad', found: (error as Error).message };
        }
      }),
    );
  } catch (error) {
    return [{ what: 'models', state: 'bad', found: (error as Error).message }];
  }
}

async function portFinding(service: string, port: number): Promise<Finding> {
  const free = await new Promise<boolean>((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(false);
    });
    server.listen(port, '127.0.0.1', () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
  return {
    what: `port ${String(port)}`,
    state: free ? 'good' : 'note',
    found: `${service}: ${free ? 'free' : 'taken'}`,
  };
}
