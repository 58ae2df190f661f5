// Time from the start of a process until a model answers, and the memory that it then holds:
//
//     node dist/bench/start.js [--repeats 5]
//
// Each measurement is a process of its own (this file again, with a model's folder).
//
// glibc may keep up to 35 MiB of what loading D has freed; MALLOC_MMAP_THRESHOLD_=1048576 in the
// environment of a process gives it back (660 MiB instead of 680 to 715).

import { execFile } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { memoryUsage, resourceUsage } from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { MODEL_FILES, openModel } from '../models/store.ts';
import { packageRoot } from '../proto/package-root.ts';
import type { EngineModel } from '../services/inference/engine.ts';
import { startOnnxEngine } from '../services/inference/onnx/engine.ts';
import { median } from './median.ts';
import { randomModel } from './random-model.ts';
import { parseOptions } from './options.ts';

/** Resident memory with D loaded, as a multiple of its weights. */
const AIM = 1.3;
const MEBI = 2 ** 20;

interface Measured {
  /** Milliseconds from the start of the process. */
  readyMs: number;
  /** Bytes resident: without a model, with it, while and after it scores a batch, and at the peak so far. */
  emptyBytes: number;
  loadedBytes: number;
  loadPeakBytes: number;
  batchBytes: number;
  batchViews: number;
  peakBytes: number;
}

const { values, positionals } = parseOptions(import.meta.url, {
  options: { repeats: { type: 'string', default: '5' } },
  allowPositionals: true,
});
const [folder] = positionals;
if (folder === undefined) await compare(Number(values.repeats));
else console.log(JSON.stringify(await measure(folder)));

async function compare(repeats: number): Promise<void> {
  const spec = { network: 'D', width: 1, hidden: 4096, classes: 1000, inputSize: 224 } as const;
  for (const model of [join(packageRoot, 'models', 'caltech-101-d'), await randomModel(spec)]) {
    const weights = statSync(join(model, MODEL_FILES.weights)).size;
    const runs: Measured[] = [];
    for (let repeat = 0; repeat < repeats; repeat++) {
      const { stdout } = await promisify(execFile)(process.execPath, [fileURLToPath(import.meta.url), model]);
      runs.push(JSON.parse(stdout) as Measured);
    }
    const middle = (name: keyof Measured) => median(runs.map((run) => run[name]));
    const size = (name: keyof Measured) =>
      `${(middle(name) / MEBI).toFixed(0)} MiB, ${(middle(name) / weights).toFixed(2)} of the weights`;
    console.log(
      `\n${model}: weights ${(weights / MEBI).toFixed(0)} MiB, median of ${String(repeats)} processes`,
    );
    console.log(`ready after        ${middle('readyMs').toFixed(0)} ms`);
    console.log(`process alone      ${size('emptyBytes')}`);
    console.log(`model loaded       ${size('loadedBytes')} (aim for D: ${String(AIM)})`);
    console.log(`peak of loading    ${size('loadPeakBytes')}`);
    console.log(
      `after ${String(middle('batchViews')).padStart(2)} views     ${size('batchBytes')} (aim for D: that, and one batch)`,
    );
    console.log(`peak               ${size('peakBytes')}`);
  }
}

async function measure(model: string): Promise<Measured> {
  const engine = await startOnnxEngine();
  const emptyBytes = memoryUsage.rss();
  const loaded = await engine.load(await openModel(model));
  const readyMs = performance.now();
  const loadedBytes = memoryUsage.rss();
  const loadPeakBytes = peakBytes();
  const batchViews = await scoreBatch(loaded);
  const batchBytes = memoryUsage.rss();
  await engine.close();
  return { readyMs, emptyBytes, loadedBytes, loadPeakBytes, batchViews, batchBytes, peakBytes: peakBytes() };
}

/** Scores as many crops at once as the engine likes; returns how many. */
async function scoreBatch(model: EngineModel): Promise<number> {
  const side = model.model.spec.inputSize;
  const plane = { width: side, height: side, rgb8: new Uint8Array(new SharedArrayBuffer(side * side * 3)) };
  const view = { index: 0, plane: 0, x: 0, y: 0, width: side, height: side, mirrored: false, weight: 1 };
  const wanted = { scoreOrder: 'MEAN_THEN_SOFTMAX', scoreMaps: false, share: 'auto' } as const;
  const [unit] = model.plan(plane, [view], wanted);
  if (!unit) throw new Error('Expected one unit');
  const batch = Array.from({ length: model.batchLimit(unit) }, () => unit);
  await model.score(batch);
  return batch.length;
}

function peakBytes(): number {
  return resourceUsage().maxRSS * 1024;
}
