// How long it takes to find out what views share, against computing them: a photo's crops, and crops with whole
// planes, planned afresh and once more, then scored by the onnx engine on this machine and in the same run.
//
//     node dist/bench/plan.js [--repeats 5] [--threads N] [--photo 640x480] [--align 8] [--default-only]

import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { openModel, type OpenModel } from '../models/store.ts';
import { packageRoot } from '../proto/package-root.ts';
import type { EngineModel, PlanePixels, Unit, Wanted } from '../services/inference/engine.ts';
import { startOnnxEngine } from '../services/inference/onnx/engine.ts';
import { SharedPlans } from '../services/inference/worker/shared-plans.ts';
import type { NetworkSpec, View } from '../vgg/index.ts';
import { defaultScales } from '../vgg/pack.ts';
import { evaluationViews, resolveEvaluation } from '../vgg/views.ts';
import { median } from './median.ts';
import { randomModel } from './random-model.ts';
import { parseOptions } from './options.ts';

/** The paper's D. */
const D: NetworkSpec = { network: 'D', width: 1, hidden: 4096, classes: 1000, inputSize: 224 };
/** A plan's time at most, as a part of the time that its views take. */
const AIM = 0.02;
const WANTED: Wanted = { scoreOrder: 'MEAN_THEN_SOFTMAX', scoreMaps: false, share: 'auto' };

const { values } = parseOptions(import.meta.url, {
  options: {
    repeats: { type: 'string', default: '5' },
    threads: { type: 'string', default: String(availableParallelism()) },
    photo: { type: 'string', default: '640x480' },
    align: { type: 'string', default: '8' },
    'default-only': { type: 'boolean', default: false },
  },
});
const repeats = Number(values.repeats);
const [width = 0, height = 0] = values.photo.split('x').map(Number);
const engine = await startOnnxEngine({ threads: Number(values.threads) });
console.log(
  `a photo of ${values.photo}, align ${values.align}; ms, median of ${values.repeats} runs after one that is not counted`,
);

const folders = [join(packageRoot, 'models', 'caltech-101-d')];
if (!values['default-only']) folders.push(await randomModel(D));
for (const folder of folders) await measure(await openModel(folder));
await engine.close();

async function measure(opened: OpenModel): Promise<void> {
  const { spec, name } = opened;
  const model = await engine.load(opened);
  for (const protocol of ['MULTI_CROP', 'DENSE_AND_MULTI_CROP'] as const) {
    console.log(
      `\n${name}, ${protocol}\n${line('plane', 'units', 'afresh', 'again', 'compute', 'afresh / compute')}`,
    );
    // A random model has but one scale.
    const scales = opened.json.scales.length > 1 ? opened.json.scales : defaultScales(spec.inputSize);
    const evaluation = resolveEvaluation({ protocol, scales, align: Number(values.align) }, spec);
    const { planes, views } = evaluationViews({ width, height }, evaluation, spec.inputSize);
    for (const { index, ...size } of planes)
      await measurePlane(
        model,
        noise(size.width, size.height),
        views.filter((view) => view.plane === index),
      );
  }
  await model.unload();
}

async function measurePlane(model: EngineModel, plane: PlanePixels, views: readonly View[]): Promise<void> {
  const times = { afresh: [] as number[], again: [] as number[], compute: [] as number[] };
  const plans = new SharedPlans(model.model.spec);
  for (let repeat = 0; repeat <= repeats; repeat++) {
    // Plans are known by how views follow each other: another order is another plan.
    const turned = [...views.slice(repeat), ...views.slice(0, repeat)];
    const [afresh, again] = [1, 2].map(() => {
      const start = performance.now();
      plan(model, plans, plane, turned);
      return performance.now() - start;
    });
    // The first pass makes the worker's own plan.
    if (repeat === 0) await score(model, plan(model, plans, plane, views));
    const start = performance.now();
    await score(model, plan(model, plans, plane, views));
    if (repeat === 0) continue;
    times.afresh.push(afresh ?? NaN);
    times.again.push(again ?? NaN);
    times.compute.push(performance.now() - start);
  }
  const [afresh, again, compute] = [median(times.afresh), median(times.again), median(times.compute)];
  const part = `${((100 * afresh) / compute).toFixed(2)} %${afresh > AIM * compute ? ' (!)' : ''}`;
  const units = plan(model, plans, plane, views);
  console.log(
    line(
      `${String(plane.width)}×${String(plane.height)}`,
      `${String(units.length)}${units.every(({ shared }) => shared) ? '' : ', alone'}`,
      ...[afresh.toFixed(1), again.toFixed(2), compute.toFixed(0), part],
    ),
  );
}

// What both sides of the engine do: which views are together, then the lists of those that are.
function plan(model: EngineModel, plans: SharedPlans, plane: PlanePixels, views: readonly View[]): Unit[] {
  const units = model.plan(plane, views, WANTED);
  for (const unit of units) if (unit.shared) plans.of(plane, unit.views);
  return units;
}

async function score(model: EngineModel, units: readonly Unit[]): Promise<void> {
  const queue = [...units];
  for (let first = queue[0]; first; first = queue[0]) {
    const { shapeKey } = first;
    const other = queue.findIndex((unit) => unit.shapeKey !== shapeKey);
    await model.score(queue.splice(0, Math.min(model.batchLimit(first), other < 0 ? queue.length : other)));
  }
}

function noise(width: number, height: number): PlanePixels {
  const rgb8 = new Uint8Array(new SharedArrayBuffer(width * height * 3));
  for (let i = 0; i < rgb8.length; i++) rgb8[i] = (i * 7919) % 251;
  return { width, height, rgb8 };
}

function line(...cells: string[]): string {
  return cells.map((cell) => cell.padStart(12)).join('');
}
