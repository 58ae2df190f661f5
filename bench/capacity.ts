// What the simulation predicts against what the services do, here and now:
//
//     node dist/bench/capacity.js --protocol multi-crop [--parts 0.3,0.6,0.85] [--seconds 60] [--out FILE]
//
// First everything is measured that the simulation needs, one stage at a time (engine, paces of shared cores, CPU of
// each service); then what the services can do at most; then at parts of that an open loop of Poisson arrivals is
// held, and simulated with the same arrivals. Services, engine and generator share this machine.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { dirname, basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { steady } from '../loadtest/arrivals/curve.ts';
import { steadyClock } from '../loadtest/clock.ts';
import type { Step } from '../loadtest/result.ts';
import type { PlannedPhoto } from '../loadtest/simulate/plans.ts';
import { runStep, type StepLoad } from '../loadtest/step.ts';
import { grpcTarget } from '../loadtest/targets/grpc.ts';
import { openModel } from '../models/store.ts';
import { packageRoot } from '../proto/package-root.ts';
import { meanColour } from '../vgg/pack.ts';
import { calibrate, clientOf, photoOf } from './capacity/calibration.ts';
import { optionsOf } from './capacity/plans.ts';
import { predicted, type Measured } from './capacity/prediction.ts';
import { comparison, type Comparison } from './capacity/comparison.ts';
import { machineTimes, threadTimes } from './capacity/threads.ts';
import { startService } from './services.ts';

const { values } = parseArgs({
  options: {
    protocol: { type: 'string', default: 'multi-crop' },
    parts: { type: 'string', default: '0.3,0.6,0.85' },
    seconds: { type: 'string', default: '60' },
    out: { type: 'string', default: '' },
    seed: { type: 'string', default: '1' },
  },
});
const seed = Number(values.seed);
const seconds = Number(values.seconds);
const WARM_UP = 5;
const SIZE = { width: 320, height: 256 };
const RUNS = 5;

const folder = join(packageRoot, 'models', 'caltech-101-d');
const model = await openModel(folder);
const scratch = mkdtempSync(join(tmpdir(), 'vgg-capacity-'));
const timings = join(scratch, 'timings.json');
const photo = await photoOf(SIZE.width, SIZE.height);
const { protocol } = optionsOf(values.protocol);

const preprocess = await startService('preprocess', {});
const inference = await startService(
  'inference',
  { VGG_MODELS: dirname(folder), VGG_INFERENCE_LOAD: basename(folder) },
  {
    entry: {
      file: 'bench/capacity/inference-main.js',
      args: [timings, folder, `${String(SIZE.width)}x${String(SIZE.height)}`, values.protocol],
    },
  },
);
const aggregator = await startService('aggregator', {
  VGG_AGGREGATOR_PREPROCESS: preprocess.address,
  VGG_AGGREGATOR_INFERENCE: inference.address,
});
const services = { aggregator, preprocess, inference };
const client = clientOf(services);
try {
  const facts = {
    scales: model.json.scales,
    inputSize: model.spec.inputSize,
    mean: meanColour(model.json.mean),
  };
  const { costs, rows, photos } = await calibrate({ services, client }, facts, photo);
  const { table, sharing, plans } = JSON.parse(readFileSync(timings, 'utf8')) as Pick<
    Measured,
    'table' | 'sharing'
  > & {
    plans: { planes: PlannedPhoto['planes']; views: number }[];
  };
  const pixelsMs = rows.find(({ request }) => request === 'center-crop')?.others['preprocess'] ?? 0;
  const measured: Measured = { table, sharing, costs, photos, pixelsMs };
  const [plan] = plans;
  if (!plan) throw new Error('Expected a plan of the engine');
  const planned: PlannedPhoto = {
    ...plan,
    megabytes: photo.length / 1e6,
    megapixels: (SIZE.width * SIZE.height) / 1e6,
  };
  const most = await measure({ loop: 'closed', concurrency: 16, seconds: 10 }, 0);
  const capacity = most.answersPerSecond;
  const full = await predicted(measured, protocol, planned, { concurrency: 16, seconds: 60 }, 1);
  console.log(
    `at most (16 clients): measured ${capacity.toFixed(2)}/s, predicted ${String(full[0]?.answersPerSecond.toFixed(2))}/s`,
  );
  const comparisons: (Comparison & { othersCores: number })[] = [];
  const steps: Step[] = [];
  for (const [i, part] of values.parts.split(',').map(Number).entries()) {
    const ratePerSecond = part * capacity;
    const before = everybody();
    const step = await measure(
      { loop: 'open', spread: 'poisson', curve: steady(ratePerSecond, seconds) },
      seed + i,
    );
    const foreign = othersCores(before, everybody());
    const load = { ratePerSecond, seconds, warmUpSeconds: WARM_UP, seed: seed + i };
    const runs = await predicted(measured, protocol, planned, load, RUNS);
    const row = comparison(values.protocol, part, step, runs);
    comparisons.push({ ...row, othersCores: foreign });
    steps.push(step);
    console.log(`${row.text}; others' cores ${foreign.toFixed(2)}`);
  }
  if (values.out !== '') {
    const session = {
      version: 1,
      measured: new Date().toISOString(),
      command: `node dist/bench/capacity.js --protocol ${values.protocol} --parts ${values.parts} --seconds ${values.seconds}`,
      load: loadavg()[0],
      protocol: values.protocol,
      photo: { ...SIZE, bytes: photo.length },
      plan: planned,
      capacity: { measured: capacity, predicted: full[0]?.answersPerSecond },
      calibration: { table, sharing, costs, rows, photos, pixelsMs },
      comparisons: comparisons.map((row) => ({ ...row, text: undefined })),
    };
    writeFileSync(values.out, `${JSON.stringify(session, null, 1)}\n`);
  }
} finally {
  client.close();
  for (const service of [aggregator, inference, preprocess]) await service.stop();
  rmSync(scratch, { recursive: true });
}

// What everything on the machine used, and what of it is ours.
function everybody() {
  const pids = [process.pid, aggregator.pid, preprocess.pid, inference.pid];
  const own = pids.map(threadTimes).reduce((sum, { main, others }) => sum + main + others, 0);
  const { used, stolen } = machineTimes();
  return { at: performance.now(), others: used + stolen - own };
}

// Cores that others used meanwhile, of this machine or of its host.
function othersCores(before: ReturnType<typeof everybody>, after: ReturnType<typeof everybody>): number {
  return (after.others - before.others) / (after.at - before.at);
}

async function measure(load: StepLoad, stepSeed: number): Promise<Step> {
  const target = grpcTarget({
    address: aggregator.address,
    deadlineMs: 60_000,
    attempts: 1,
    clock: steadyClock,
  });
  try {
    return await runStep({
      load,
      warmUpSeconds: WARM_UP,
      workload: {
        kinds: [{ what: { protocol, model: '' }, weight: 1 }],
        photos: [{ name: 'photo', bytes: photo }],
      },
      target,
      seed: stepSeed,
    });
  } finally {
    await target.close();
  }
}
