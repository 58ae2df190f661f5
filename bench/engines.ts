// Engine against engine, on this machine and in the same run: D's crops in batches of 8, a dense view of D, and
// the 150 crops of the default model.
//
//     node dist/bench/engines.js [--repeats 5] [--threads N] [--default-only]

import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openModel } from '../models/store.ts';
import { packageRoot } from '../proto/package-root.ts';
import type { Engine, EngineModel, Unit } from '../services/inference/engine.ts';
import { startEngine } from '../services/inference/engines.ts';
import type { NetworkSpec } from '../vgg/index.ts';
import { median } from './median.ts';
import { randomModel } from './random-model.ts';

/** The paper's D. */
const D: NetworkSpec = { network: 'D', width: 1, hidden: 4096, classes: 1000, inputSize: 224 };

const { values } = parseArgs({
  options: {
    repeats: { type: 'string', default: '5' },
    threads: { type: 'string', default: String(availableParallelism()) },
    'default-only': { type: 'boolean', default: false },
  },
});
const repeats = Number(values.repeats);
const engines: Engine[] = [];
for (const name of ['onnx', 'tensorflow'] as const) {
  const engine = await startEngine(name, { threads: Number(values.threads) });
  engines.push(engine);
  const { library, version, device, threads } = engine.facts();
  console.log(`${name}: ${library} ${version}, ${device}, ${String(threads)} threads`);
}
console.log(`median of ${String(repeats)} interleaved runs, after one that is not counted\n`);

await compare(join(packageRoot, 'models', 'caltech-101-d'), '150 crops', (model) => crops(model, 150));
if (!values['default-only']) {
  const folder = await randomModel(D);
  await compare(folder, '8 crops', (model) => crops(model, 8));
  await compare(folder, 'dense view of 384×512', (model) => dense(model, 384, 512));
}
for (const engine of engines) await engine.close();

// Engines take turns, so that a busy minute of the machine falls on all of them.
async function compare(folder: string, what: string, unitsOf: (model: EngineModel) => Unit[]): Promise<void> {
  const opened = await openModel(folder);
  const models: EngineModel[] = [];
  for (const engine of engines) models.push(await engine.load(opened));
  const times = models.map((): number[] => []);
  for (let repeat = 0; repeat <= repeats; repeat++) {
    for (const [i, model] of models.entries()) {
      const units = unitsOf(model);
      const start = performance.now();
      const size = units[0] ? model.batchLimit(units[0]) : 1;
      for (let at = 0; at < units.length; at += size) await model.score(units.slice(at, at + size));
      if (repeat > 0) times[i]?.push(performance.now() - start);
    }
  }
  for (const model of models) await model.unload();
  const medians = times.map(median);
  const each = engines.map(({ name }, i) => `${name} ${(medians[i] ?? NaN).toFixed(0)} ms`).join(', ');
  const ratio = (medians[1] ?? NaN) / (medians[0] ?? NaN);
  console.log(`${opened.name}, ${what}: ${each}; ratio ${ratio.toFixed(2)}`);
}

function crops(model: EngineModel, count: number): Unit[] {
  const side = model.model.spec.inputSize;
  const plane = noise(side + count, side);
  const views = Array.from({ length: count }, (_, index) => ({
    ...{ index, plane: 0, x: index, y: 0, width: side, height: side },
    ...{ mirrored: index % 2 === 1, weight: 1 / count },
  }));
  return model.plan(plane, views, { scoreOrder: 'MEAN_THEN_SOFTMAX', scoreMaps: false, share: 'off' });
}

function dense(model: EngineModel, height: number, width: number): Unit[] {
  const view = { index: 0, plane: 0, x: 0, y: 0, width, height, mirrored: false, weight: 1 };
  return model.plan(noise(width, height), [view], {
    scoreOrder: 'MEAN_THEN_SOFTMAX',
    scoreMaps: false,
    share: 'off',
  });
}

function noise(width: number, height: number) {
  const rgb8 = new Uint8Array(new SharedArrayBuffer(width * height * 3));
  for (let i = 0; i < rgb8.length; i++) rgb8[i] = (i * 7919) % 251;
  return { width, height, rgb8 };
}
