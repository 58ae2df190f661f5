// Batch size against time per view, on this machine, through the engine as it is served:
//
//     node dist/bench/batch.js [--repeats 5] [--threads N] [--sizes 1,2,4,8,16,32,50] [--default-only] [--engine onnx]
//         [--device any] [--precision float32] [--json FILE]
//
// With --json also a timing table of the last model as it is served, which `vgg simulate --timings` reads: of crops, and
// of dense views of photos of 500 × 375.

import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { integer, named } from '../cli/options.ts';
import type { TimingTable } from '../loadtest/simulate/timings.ts';
import { openModel } from '../models/store.ts';
import { packageRoot } from '../proto/package-root.ts';
import type { EngineModel, Unit } from '../services/inference/engine.ts';
import { DEVICES, ENGINE_CHOICES, PRECISIONS, startEngine } from '../services/inference/engines.ts';
import type { NetworkSpec } from '../vgg/index.ts';
import { timeBatches } from './batch/timing.ts';
import { evaluationOf, plannedBy, unitsByKind } from './capacity/plans.ts';
import { median } from './median.ts';
import { parseOptions } from './options.ts';
import { randomModel } from './random-model.ts';

/** The paper's D. */
const D: NetworkSpec = { network: 'D', width: 1, hidden: 4096, classes: 1000, inputSize: 224 };
const PHOTO = { width: 500, height: 375 };

const { values } = parseOptions(import.meta.url, {
  options: {
    repeats: { type: 'string', default: '5' },
    threads: { type: 'string', default: String(availableParallelism()) },
    sizes: { type: 'string', default: '1,2,4,8,16,32,50' },
    'default-only': { type: 'boolean', default: false },
    engine: { type: 'string', default: 'onnx' },
    device: { type: 'string', default: 'any' },
    precision: { type: 'string', default: 'float32' },
    json: { type: 'string', default: '' },
  },
});
const sizes = values.sizes.split(',').map((text) => integer(text, '--sizes', 1, 256));
const repeats = integer(values.repeats, '--repeats', 1, 1000);
const bounds = { pixels: Infinity, units: Math.max(...sizes), bytes: 2 ** 40 };
const choice = named(ENGINE_CHOICES, values.engine, '--engine');
const wishes = {
  threads: integer(values.threads, '--threads', 1, 1024),
  device: named(DEVICES, values.device, '--device'),
  precision: named(PRECISIONS, values.precision, '--precision'),
};
const engine = await startEngine(choice, { ...wishes, bounds });
const { library, version, device, threads } = engine.facts();
console.log(
  `${library} ${version}, ${device}, ${String(threads)} threads, median of ${String(repeats)} interleaved runs`,
);

const folders = [join(packageRoot, 'models', 'caltech-101-d')];
if (!values['default-only']) folders.push(await randomModel(D));
for (const folder of folders) {
  const model = await engine.load(await openModel(folder));
  await measure(model);
  await model.unload();
}
await engine.close();
if (values.json !== '')
  writeFileSync(values.json, `${JSON.stringify(await served(folders.at(-1) ?? ''), null, 1)}\n`);

// Batches within the bounds that the engine has in a service.
async function served(folder: string): Promise<TimingTable> {
  const own = await startEngine(choice, wishes);
  const model = await own.load(await openModel(folder));
  const scales = model.model.spec.inputSize === D.inputSize ? ':256,384,512' : '';
  const [crop] = cropsOf(model, 1);
  const crops = crop ? cropsOf(model, model.batchLimit(crop)) : [];
  const dense = unitsByKind(
    model,
    () => plannedBy(model, PHOTO, evaluationOf(`dense${scales}`, model)).units,
  );
  const table = await timeBatches(own, model, [crops, ...dense], { rounds: repeats, mostMs: 300_000 });
  await own.close();
  return table;
}

async function measure(model: EngineModel): Promise<void> {
  const units = cropsOf(model, Math.max(...sizes));
  const times = new Map(sizes.map((size) => [size, [] as number[]]));
  // Sizes take turns, so that a busy minute of the machine falls on all of them.
  for (let repeat = 0; repeat < repeats; repeat++) {
    for (const size of sizes) {
      const start = performance.now();
      await model.score(units.slice(0, size));
      times.get(size)?.push((performance.now() - start) / size);
    }
  }
  const { name, spec } = model.model;
  console.log(`\n${name}: ${spec.network} at ${String(spec.inputSize)}\nviews a batch   ms a view   least`);
  const rows = [...times].map(([size, each]) => ({ size, middle: median(each), least: Math.min(...each) }));
  for (const { size, middle, least } of rows) {
    console.log(
      `${String(size).padStart(13)}${middle.toFixed(1).padStart(12)}${least.toFixed(1).padStart(8)}`,
    );
  }
  const best = rows.reduce((a, b) => (b.middle < a.middle ? b : a));
  console.log(`quickest: ${String(best.size)} views, ${best.middle.toFixed(1)} ms a view`);
}

function cropsOf(model: EngineModel, count: number): Unit[] {
  const side = model.model.spec.inputSize;
  const rgb8 = new Uint8Array(new SharedArrayBuffer((side + count) * side * 3));
  for (let i = 0; i < rgb8.length; i++) rgb8[i] = (i * 7919) % 251;
  const views = Array.from({ length: count }, (_, index) => ({
    ...{ index, plane: 0, x: index, y: 0, width: side, height: side },
    ...{ mirrored: index % 2 === 1, weight: 1 / count },
  }));
  const plane = { width: side + count, height: side, rgb8 };
  return model.plan(plane, views, { scoreOrder: 'MEAN_THEN_SOFTMAX', scoreMaps: false, share: 'off' });
}
