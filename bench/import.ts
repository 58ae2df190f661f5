// Time and peak memory of importing a full-size D from each publisher's layout:
//
//     node dist/bench/import.js [--repeats 3] [--layouts torch,safetensors,keras,caffe] [--dtype F16]
//
// Each measurement is a process of its own (this file again, with a checkpoint). The same process copies
// the file and hashes both, which is the least that any import does: the ratio is of the two.

import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resourceUsage } from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { importWeights } from '../models/import.ts';
import { openModel, sha256OfFile } from '../models/store.ts';
import { checkpointOf, LAYOUTS } from './checkpoints.ts';
import { median } from './median.ts';
import { randomModel } from './random-model.ts';
import { parseOptions } from './options.ts';

/** Peak resident memory of an import, as a multiple of the file. */
const AIM = 1.3;
const MEBI = 2 ** 20;

interface Measured {
  importMs: number;
  copyMs: number;
  peakBytes: number;
}

const { values, positionals } = parseOptions(import.meta.url, {
  options: {
    repeats: { type: 'string', default: '3' },
    layouts: { type: 'string', default: LAYOUTS.join(',') },
    dtype: { type: 'string', default: 'F32' },
  },
  allowPositionals: true,
});
const [checkpoint] = positionals;
if (checkpoint === undefined) await compare(Number(values.repeats), values.layouts.split(','));
else console.log(JSON.stringify(await measure(checkpoint, values.dtype === 'F16' ? 'F16' : 'F32')));

async function compare(repeats: number, layouts: readonly string[]): Promise<void> {
  const spec = { network: 'D', width: 1, hidden: 4096, classes: 1000, inputSize: 224 } as const;
  const model = await openModel(await randomModel(spec));
  for (const layout of LAYOUTS.filter((each) => layouts.includes(each))) {
    const { path, bytes } = await checkpointOf(model, layout);
    const runs: Measured[] = [];
    for (let repeat = 0; repeat < repeats; repeat++) {
      const again = [fileURLToPath(import.meta.url), path, '--dtype', values.dtype];
      const { stdout } = await promisify(execFile)(process.execPath, again);
      runs.push(JSON.parse(stdout) as Measured);
    }
    const middle = (name: keyof Measured) => median(runs.map((run) => run[name]));
    console.log(`\n${layout}: ${(bytes / MEBI).toFixed(0)} MiB, median of ${String(repeats)} processes`);
    console.log(`import        ${(middle('importMs') / 1000).toFixed(1)} s`);
    console.log(
      `copy, hashes  ${(middle('copyMs') / 1000).toFixed(1)} s: import takes ${(middle('importMs') / middle('copyMs')).toFixed(1)} of that`,
    );
    console.log(
      `peak memory   ${(middle('peakBytes') / MEBI).toFixed(0)} MiB, ${(middle('peakBytes') / bytes).toFixed(2)} of the file (aim: ≤ ${String(AIM)})`,
    );
  }
}

async function measure(path: string, dtype: 'F32' | 'F16'): Promise<Measured> {
  const to = await mkdtemp(join(tmpdir(), 'vgg-import-'));
  try {
    const started = performance.now();
    await importWeights(path, { name: 'imported', to, dtype });
    const importMs = performance.now() - started;
    const peakBytes = resourceUsage().maxRSS * 1024;
    const copying = performance.now();
    const copy = join(to, 'copy');
    await copyFile(path, copy);
    await sha256OfFile(path);
    await sha256OfFile(copy);
    return { importMs, copyMs: performance.now() - copying, peakBytes };
  } finally {
    await rm(to, { recursive: true });
  }
}
