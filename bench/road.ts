// The whole road over sockets against the engine alone, on this machine:
//
//     node dist/bench/road.js [--repeats 9] [--photos 8] [--default-only] [--clients 4] [--d-grid 2] [--d-photos 4] [--d-repeats 2]
//
// The services are three processes; clients ask for one answer after the other. The engine alone is given
// the units of as many of the same planes, in batches as large as it likes, one after the other, in this
// process. Both take turns. D has a coarser grid (24 crops a photo instead of 150), so that it ends in minutes.

import { loadavg } from 'node:os';
import { dirname, basename, join } from 'node:path';
import { openModel } from '../models/store.ts';
import { packageRoot } from '../proto/package-root.ts';
import { createClient, type VggClient } from '../sdk/index.ts';
import type { EngineModel, Unit } from '../services/inference/engine.ts';
import { BATCH_DURATION, VIEWS } from '../services/inference/metrics.ts';
import { startOnnxEngine } from '../services/inference/onnx/engine.ts';
import { sharp } from '../services/preprocess/loaders.ts';
import { preparePhoto } from '../services/preprocess/prepare.ts';
import { meanColour, resolveEvaluation, type Evaluation } from '../vgg/index.ts';
import { median } from './median.ts';
import { randomModel } from './random-model.ts';
import { startService, type ServiceProcess } from './services.ts';
import { parseOptions } from './options.ts';

const { values } = parseOptions(import.meta.url, {
  options: {
    repeats: { type: 'string', default: '9' },
    clients: { type: 'string', default: '4' },
    'default-only': { type: 'boolean', default: false },
    'd-grid': { type: 'string', default: '2' },
    'd-photos': { type: 'string', default: '4' },
    'd-repeats': { type: 'string', default: '2' },
    photos: { type: 'string', default: '8' },
  },
});
const clients = Number(values.clients);
const D = { network: 'D', width: 1, hidden: 4096, classes: 1000, inputSize: 224 } as const;

interface Bench {
  name: string;
  photo: Buffer;
  evaluation: Partial<Evaluation>;
  photos: number;
  repeats: number;
  /** Least views per second of the road, as a part of the engine's. */
  aim: number;
}

interface Road {
  inference: ServiceProcess;
  services: Record<string, ServiceProcess>;
  client: VggClient;
}

/** What one run of the road gave. */
interface RoadRun {
  viewsPerSecond: number;
  /** Part of the time in which the engine had no batch. */
  idle: number;
  /** Views for each second in which the engine had a batch. */
  pace: number;
  viewsPerBatch: number;
  /** Milliseconds of a photo: from its answer, means. */
  prepareMs: number;
  queueMs: number;
  computeMs: number;
  totalMs: number;
  /** Seconds of CPU of each process for each second of the run. */
  cpu: Record<string, number>;
}

// Sizes of the photos that the models were made for: Caltech-101's are about 300 pixels wide.
const small = await photoOf(320, 256);
const large = await photoOf(640, 512);
console.log(`${String(clients)} clients, medians of interleaved runs; load of the machine ${load()}`);

const repeats = Number(values.repeats);
const photos = Number(values.photos);
await benchModel(join(packageRoot, 'models', 'caltech-101-d'), [
  { name: '150 crops', evaluation: { protocol: 'MULTI_CROP' }, photo: small, photos, repeats, aim: 0.9 },
  { name: 'dense', evaluation: { protocol: 'DENSE' }, photo: small, photos: 4 * photos, repeats, aim: 0.9 },
]);
if (!values['default-only']) {
  const few = {
    photo: large,
    photos: Number(values['d-photos']),
    repeats: Number(values['d-repeats']),
    aim: 0.95,
  };
  const grid = Number(values['d-grid']);
  await benchModel(await randomModel(D), [
    {
      name: `${String(6 * grid * grid)} crops (grid ${String(grid)})`,
      evaluation: { protocol: 'MULTI_CROP', grid, scales: [256, 384, 512] },
      ...few,
    },
    { name: 'dense', evaluation: { protocol: 'DENSE', scales: [256, 384, 512] }, ...few },
  ]);
}

async function benchModel(folder: string, benches: readonly Bench[]): Promise<void> {
  const model = await openModel(folder);
  const engine = await startOnnxEngine();
  const loaded = await engine.load(model);
  const road = await startRoad(folder);
  try {
    for (const bench of benches) await compare(bench, loaded, road);
  } finally {
    road.client.close();
    for (const service of Object.values(road.services)) await service.stop();
    await engine.close();
  }
}

async function startRoad(folder: string): Promise<Road> {
  const preprocess = await startService('preprocess', {});
  const inference = await startService('inference', {
    VGG_MODELS: dirname(folder),
    VGG_INFERENCE_LOAD: basename(folder),
  });
  const aggregator = await startService('aggregator', {
    VGG_AGGREGATOR_PREPROCESS: preprocess.address,
    VGG_AGGREGATOR_INFERENCE: inference.address,
  });
  const client = createClient({ aggregator: aggregator.address, deadlineMs: 600_000 });
  return { inference, services: { preprocess, inference, aggregator }, client };
}

async function compare(bench: Bench, model: EngineModel, road: Road): Promise<void> {
  const units = await unitsOf(bench, model);
  const views = units.reduce((sum, unit) => sum + unit.views.length, 0);
  const engineRuns: number[] = [];
  const roadRuns: RoadRun[] = [];
  // The first round warms both up.
  for (let repeat = 0; repeat <= bench.repeats; repeat++) {
    const few = repeat === 0 ? clients : bench.photos;
    const some = repeat === 0 ? units.slice(0, Math.ceil(units.length / bench.photos)) : units;
    const alone = await runEngine(model, some);
    const whole = await runRoad(bench, road, few);
    if (repeat === 0) continue;
    engineRuns.push(alone);
    roadRuns.push(whole);
  }
  const engine = median(engineRuns);
  const middle = (pick: (run: RoadRun) => number) => median(roadRuns.map(pick));
  const rate = middle((run) => run.viewsPerSecond);
  const ratio = median(roadRuns.map((run, i) => run.viewsPerSecond / (engineRuns[i] ?? NaN)));
  const pace = median(roadRuns.map((run, i) => run.pace / (engineRuns[i] ?? NaN)));
  const cpu = Object.keys(road.services).map(
    (name) => `${name} ${middle((run) => run.cpu[name] ?? NaN).toFixed(2)}`,
  );
  console.log(
    [
      `\n${model.model.name}, ${bench.name}: ${String(bench.photos)} photos, ${String(views)} views, ${String(bench.repeats)} runs, load ${load()}`,
      `engine alone     ${engine.toFixed(1)} views/s`,
      `road             ${rate.toFixed(1)} views/s`,
      `road / engine    ${ratio.toFixed(3)} (aim ≥ ${String(bench.aim)}; ${roadRuns.map((run, i) => (run.viewsPerSecond / (engineRuns[i] ?? NaN)).toFixed(2)).join(' ')})`,
      `engine idle      ${(100 * middle((run) => run.idle)).toFixed(1)} % of the road's time`,
      `engine's pace    ${pace.toFixed(3)} of what it is alone; ${middle((run) => run.viewsPerBatch).toFixed(1)} views a batch`,
      `a photo          prepare ${middle((run) => run.prepareMs).toFixed(0)} ms, queue ${middle((run) => run.queueMs).toFixed(0)} ms, compute ${middle((run) => run.computeMs).toFixed(0)} ms, total ${middle((run) => run.totalMs).toFixed(0)} ms`,
      `processors       ${cpu.join(', ')}`,
    ].join('\n'),
  );
}

function photoOf(width: number, height: number): Promise<Buffer> {
  const base = sharp(join(packageRoot, 'test/golden/photo.png'));
  return base.resize(width, height, { fit: 'fill', kernel: 'cubic' }).jpeg({ quality: 90 }).toBuffer();
}

// All photos' units, planes shared: the engine sees neither photos nor calls.
async function unitsOf({ evaluation, photo, photos: count }: Bench, model: EngineModel): Promise<Unit[]> {
  const { spec, json } = model.model;
  const resolved = resolveEvaluation(evaluation, { ...json, inputSize: spec.inputSize });
  const preparation = { evaluation: resolved, mean: meanColour(json.mean), inputSize: spec.inputSize };
  const units: Unit[] = [];
  for await (const { plane, views } of preparePhoto(photo, preparation)) {
    const rgb8 = new Uint8Array(new SharedArrayBuffer(plane.rgb8.length));
    rgb8.set(plane.rgb8);
    const pixels = { width: plane.width, height: plane.height, rgb8 };
    units.push(
      ...model.plan(pixels, views, { scoreOrder: 'MEAN_THEN_SOFTMAX', scoreMaps: false, share: 'auto' }),
    );
  }
  return Array.from({ length: count }, () => units).flat();
}

/** Views per second. */
async function runEngine(model: EngineModel, units: readonly Unit[]): Promise<number> {
  const groups = new Map<string, Unit[]>();
  for (const unit of units) groups.set(unit.shapeKey, [...(groups.get(unit.shapeKey) ?? []), unit]);
  let views = 0;
  const start = performance.now();
  for (const group of groups.values()) {
    const limit = group[0] ? model.batchLimit(group[0]) : 1;
    for (let at = 0; at < group.length; at += limit) {
      for (const { scores } of await model.score(group.slice(at, at + limit))) views += scores.length;
    }
  }
  return (1000 * views) / (performance.now() - start);
}

async function runRoad({ evaluation, photo }: Bench, road: Road, count: number): Promise<RoadRun> {
  const { inference, services, client } = road;
  const before = await readings(inference, services);
  let left = count;
  const timings: { prepareMs: number; queueMs: number; computeMs: number; totalMs: number }[] = [];
  const start = performance.now();
  const ask = async () => {
    while (left-- > 0) timings.push((await client.classify(photo, evaluation)).timing);
  };
  await Promise.all(Array.from({ length: clients }, ask));
  const seconds = (performance.now() - start) / 1000;
  const after = await readings(inference, services);
  const mean = (pick: (timing: (typeof timings)[number]) => number) =>
    timings.reduce((sum, timing) => sum + pick(timing), 0) / timings.length;
  const views = after.views - before.views;
  const batchSeconds = after.batchSeconds - before.batchSeconds;
  return {
    viewsPerSecond: views / seconds,
    idle: 1 - batchSeconds / seconds,
    pace: views / batchSeconds,
    viewsPerBatch: views / (after.batches - before.batches),
    prepareMs: mean((timing) => timing.prepareMs),
    queueMs: mean((timing) => timing.queueMs),
    computeMs: mean((timing) => timing.computeMs),
    totalMs: mean((timing) => timing.totalMs),
    cpu: Object.fromEntries(
      Object.entries(after.cpu).map(([name, cpu]) => [name, (cpu - (before.cpu[name] ?? 0)) / seconds]),
    ),
  };
}

async function readings(inference: ServiceProcess, services: Record<string, ServiceProcess>) {
  const cpu: Record<string, number> = {};
  for (const [name, service] of Object.entries(services)) {
    cpu[name] = await service.metric('process_cpu_seconds_total');
  }
  return {
    views: await inference.metric(VIEWS),
    batchSeconds: await inference.metric(`${BATCH_DURATION}_sum`),
    batches: await inference.metric(`${BATCH_DURATION}_count`),
    cpu,
  };
}

function load(): string {
  return loadavg()
    .map((each) => each.toFixed(1))
    .join(' ');
}
