// Engine against engine, and each view by itself against views together, on this machine and in the same run: D's
// crops in batches of 8, a dense view of D, a grid of D's crops that overlap, and the 150 crops of the default model.
//
//     node dist/bench/engines.js [--repeats 5] [--threads N] [--default-only]

import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { openModel } from '../models/store.ts';
import { packageRoot } from '../proto/package-root.ts';
import type { Engine, EngineModel, PlanePixels, Unit } from '../services/inference/engine.ts';
import { startEngine } from '../services/inference/engines.ts';
import type { NetworkSpec, View } from '../vgg/index.ts';
import { evaluationViews, resolveEvaluation } from '../vgg/views.ts';
import { median } from './median.ts';
import { randomModel } from './random-model.ts';
import { parseOptions } from './options.ts';

/** The paper's D. */
const D: NetworkSpec = { network: 'D', width: 1, hidden: 4096, classes: 1000, inputSize: 224 };

/** Views of one plane, and whether they are also computed together. */
interface Work {
  what: string;
  plane: PlanePixels;
  views: readonly View[];
  shared: boolean;
}

const { values } = parseOptions(import.meta.url, {
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
console.log(`median of ${String(repeats)} interleaved runs, after one that is not counted`);

await compare(join(packageRoot, 'models', 'caltech-101-d'), [crops(64, 150)]);
if (!values['default-only']) {
  await compare(await randomModel(D), [crops(224, 8), dense(384, 512), grid(341, 256)]);
}
for (const engine of engines) await engine.close();

async function compare(folder: string, works: Work[]): Promise<void> {
  const opened = await openModel(folder);
  const models: EngineModel[] = [];
  for (const engine of engines) models.push(await engine.load(opened));
  for (const work of works) {
    console.log(`\n${opened.name}, ${work.what}`);
    const [alone = [], together] = await race(models, work);
    console.log(`  each view by itself: ${told(alone)}`);
    if (!together) continue;
    const parts = together.map((ms, i) => (ms / (alone[i] ?? NaN)).toFixed(2)).join(' and ');
    console.log(`  views together: ${told(together)}; ${parts} of the time by themselves`);
  }
  for (const model of models) await model.unload();
}

// Medians in ms: [each view by itself, together][engine]. All take turns, so that a busy minute of the machine falls
// on all of them.
async function race(models: readonly EngineModel[], { plane, views, shared }: Work): Promise<number[][]> {
  const ways = shared ? (['off', 'on'] as const) : (['off'] as const);
  const times = ways.map(() => models.map((): number[] => []));
  for (let repeat = 0; repeat <= repeats; repeat++) {
    for (const [way, share] of ways.entries()) {
      for (const [i, model] of models.entries()) {
        const units = model.plan(plane, views, { scoreOrder: 'MEAN_THEN_SOFTMAX', scoreMaps: false, share });
        const start = performance.now();
        await scoreAll(model, units);
        if (repeat > 0) times[way]?.[i]?.push(performance.now() - start);
      }
    }
  }
  return times.map((each) => each.map(median));
}

async function scoreAll(model: EngineModel, units: readonly Unit[]): Promise<void> {
  const size = units[0] ? model.batchLimit(units[0]) : 1;
  for (let at = 0; at < units.length; at += size) await model.score(units.slice(at, at + size));
}

function told(ms: readonly number[]): string {
  const each = engines.map(({ name }, i) => `${name} ${(ms[i] ?? NaN).toFixed(0)} ms`).join(', ');
  return `${each}, ratio ${((ms[1] ?? NaN) / (ms[0] ?? NaN)).toFixed(2)}`;
}

function crops(side: number, count: number): Work {
  const views = Array.from({ length: count }, (_, index) => ({
    ...{ index, plane: 0, x: index, y: 0, width: side, height: side },
    ...{ mirrored: index % 2 === 1, weight: 1 / count },
  }));
  return { what: `${String(count)} crops`, plane: noise(side + count, side), views, shared: false };
}

function dense(height: number, width: number): Work {
  const view = { index: 0, plane: 0, x: 0, y: 0, width, height, mirrored: false, weight: 1 };
  const what = `dense view of ${String(height)}×${String(width)}`;
  return { what, plane: noise(width, height), views: [view], shared: true };
}

// The unmirrored crops of a plane, so far apart that they share much.
function grid(width: number, height: number): Work {
  const asked = { protocol: 'MULTI_CROP', scales: [height], grid: 5, align: 8 } as const;
  const { views } = evaluationViews({ width, height }, resolveEvaluation(asked, { inputSize: 224 }), 224);
  const some = views.filter(({ mirrored }) => !mirrored);
  const what = `${String(some.length)} crops of a plane of ${String(height)}×${String(width)}, 5 × 5, aligned to 8`;
  return { what, plane: noise(width, height), views: some, shared: true };
}

function noise(width: number, height: number): PlanePixels {
  const rgb8 = new Uint8Array(new SharedArrayBuffer(width * height * 3));
  for (let i = 0; i < rgb8.length; i++) rgb8[i] = (i * 7919) % 251;
  return { width, height, rgb8 };
}
