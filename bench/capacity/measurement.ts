// A session's measurements: services started on cores of their own, their stages timed, then loaded. Knows how to
// measure; predicts nothing.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { steady } from '../../loadtest/arrivals/curve.ts';
import { steadyClock } from '../../loadtest/clock.ts';
import type { PlannedPhoto } from '../../loadtest/simulate/plans.ts';
import type { TimingTable } from '../../loadtest/simulate/timings.ts';
import { watchSelf } from '../../loadtest/saturation.ts';
import { runStep, type StepLoad } from '../../loadtest/step.ts';
import { grpcTarget } from '../../loadtest/targets/grpc.ts';
import { openModel } from '../../models/store.ts';
import { packageRoot } from '../../proto/package-root.ts';
import { meanColour } from '../../vgg/pack.ts';
import { startService } from '../services.ts';
import { VIEWS } from '../../services/inference/metrics.ts';
import { STEP_DURATION } from '../../services/preprocess/metrics.ts';
import { calibrate, clientOf, photoOf, type Running } from './calibration.ts';
import { mapped } from './mapped.ts';
import { optionsOf } from './plans.ts';
import { CLIENTS, WARM_UP_SECONDS, type Core, type Loaded, type Measurement, type Slice } from './session.ts';
import { StolenTime, machineTimes } from './threads.ts';
import { Usage, total } from './usage.ts';
import { Yardstick } from './yardstick.ts';

const SIZE = { width: 320, height: 256 };
const ENGINE_CORE = '0';
const OTHER_CORE = '1';
const SLICE_SECONDS = 5;
const STOLEN_EVERY_MS = 100;
const SETTLE_MS = 3000;
const REST_MS = 10_000;

type Yardsticks = Record<Core, Yardstick>;

/** What to measure. */
export interface SessionOptions {
  protocol: string;
  /** Of what the services can do at most. */
  parts: readonly number[];
  /** So often each part is held, with the same arrivals. */
  rounds: number;
  seconds: number;
  seed: number;
  command: string;
}

/** Measures it all; minutes. This process stays on the core that it shares with all but inference. */
export async function measureSession(options: SessionOptions): Promise<Measurement> {
  const { parts, rounds, seconds, seed, command } = options;
  execFileSync('taskset', ['--all-tasks', '--pid', '--cpu-list', OTHER_CORE, String(process.pid)]);
  const folder = join(packageRoot, 'models', 'caltech-101-d');
  const model = await openModel(folder);
  const scratch = mkdtempSync(join(tmpdir(), 'vgg-capacity-'));
  const timings = join(scratch, 'timings.json');
  const photo = await photoOf(SIZE.width, SIZE.height);
  const { protocol } = optionsOf(options.protocol);
  const preprocess = await startService('preprocess', {}, { cpus: OTHER_CORE });
  const inference = await startService(
    'inference',
    { VGG_MODELS: dirname(folder), VGG_INFERENCE_LOAD: basename(folder) },
    {
      cpus: ENGINE_CORE,
      entry: {
        file: 'bench/capacity/inference-main.js',
        args: [timings, folder, `${String(SIZE.width)}x${String(SIZE.height)}`, options.protocol],
      },
    },
  );
  const aggregator = await startService(
    'aggregator',
    { VGG_AGGREGATOR_PREPROCESS: preprocess.address, VGG_AGGREGATOR_INFERENCE: inference.address },
    { cpus: OTHER_CORE },
  );
  const services = { aggregator, preprocess, inference };
  const client = clientOf(services);
  const usage = new Usage({ client: process.pid, ...mapped(services, ({ pid }) => pid) });
  const yardsticks = {
    engine: await Yardstick.start(ENGINE_CORE),
    others: await Yardstick.start(OTHER_CORE),
  };
  const load = (step: StepLoad, stepSeed: number) =>
    loaded(step, stepSeed, { services, usage, yardsticks }, photo, protocol);
  try {
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    await usage.rest(REST_MS);
    const facts = {
      scales: model.json.scales,
      inputSize: model.spec.inputSize,
      mean: meanColour(model.json.mean),
    };
    const { costs, rows, photos, pauses } = await calibrate(
      options.protocol,
      { services, client, usage },
      facts,
      photo,
    );
    const { table, plans } = JSON.parse(readFileSync(timings, 'utf8')) as {
      table: TimingTable;
      plans: { planes: PlannedPhoto['planes']; views: number }[];
    };
    const [plan] = plans;
    if (!plan) throw new Error('Expected a plan of the engine');
    const yardstickMs = await restWatched(usage, yardsticks);
    const atMost = await load({ loop: 'closed', concurrency: CLIENTS, seconds: 20 }, 0);
    // One after the other, and again: no part has the machine's good minutes for itself.
    const steps: Loaded[] = [];
    for (let round = 0; round < rounds; round++) {
      for (const [i, part] of parts.entries()) {
        const curve = steady(part * atMost.answersPerSecond, seconds);
        steps.push({ ...(await load({ loop: 'open', spread: 'poisson', curve }, seed + i)), part });
      }
    }
    return {
      measured: new Date().toISOString(),
      command,
      load: loadavg()[0] ?? 0,
      protocol,
      request: options.protocol,
      photo: { ...SIZE, bytes: photo.length },
      plan: {
        ...plan,
        megabytes: photo.length / 1e6,
        megapixels: (SIZE.width * SIZE.height) / 1e6,
      },
      idle: usage.idle,
      yardstickMs,
      calibration: { table, costs, rows, photos, pauses },
      atMost,
      steps,
    };
  } finally {
    client.close();
    for (const yardstick of Object.values(yardsticks)) yardstick.stop();
    for (const service of [aggregator, inference, preprocess]) await service.stop();
    rmSync(scratch, { recursive: true });
  }
}

// What processes use while nobody asks, this one as watchful as under load: more than while stages are measured.
async function restWatched(usage: Usage, yardsticks: Yardsticks): Promise<Measurement['yardstickMs']> {
  const seen = watchSelf();
  const { stop } = watchStolen();
  const before = mapped(yardsticks, (yardstick) => yardstick.usedMs());
  await usage.rest(REST_MS);
  stop();
  seen();
  return mapped(yardsticks, (yardstick, core) => (yardstick.usedMs() - before[core]) / (REST_MS / 1000));
}

function watchStolen() {
  const began = performance.now();
  const stolen = { engine: new StolenTime(ENGINE_CORE, began), others: new StolenTime(OTHER_CORE, began) };
  const timer = setInterval(() => {
    stolen.engine.read();
    stolen.others.read();
  }, STOLEN_EVERY_MS);
  const stop = () => {
    clearInterval(timer);
  };
  return { stolen, stop };
}

async function loaded(
  load: StepLoad,
  seed: number,
  { services, usage, yardsticks }: Pick<Running, 'services' | 'usage'> & { yardsticks: Yardsticks },
  photo: Buffer,
  protocol: Measurement['protocol'],
): Promise<Loaded> {
  const { aggregator, preprocess, inference } = services;
  const target = grpcTarget({
    address: aggregator.address,
    deadlineMs: 60_000,
    attempts: 1,
    clock: steadyClock,
  });
  const read = async () => ({
    ...usage.read(),
    machine: machineTimes(),
    photos: { answered, prepared: await preprocess.metric(`${STEP_DURATION}_count`, 'step="decode"') },
    views: await inference.metric(VIEWS),
  });
  let answered = 0;
  const answers: [number, number][] = [];
  for (const yardstick of Object.values(yardsticks)) await yardstick.take(0);
  const measuring = mapped(yardsticks, (yardstick) => yardstick.usedMs());
  const readings = [await read()];
  const began = performance.now();
  const { stolen, stop } = watchStolen();
  const reader = setInterval(() => {
    void read().then((reading) => readings.push(reading));
  }, 1000 * SLICE_SECONDS);
  try {
    const step = await runStep({
      load,
      warmUpSeconds: WARM_UP_SECONDS,
      workload: {
        kinds: [{ what: { protocol, model: '' }, weight: 1 }],
        photos: [{ name: 'photo', bytes: photo }],
      },
      target,
      seed,
      onOutcome: (outcome) => {
        answered++;
        if (outcome.end !== 'answered' || outcome.intendedMs < 0) return;
        const { intendedMs, endedMs } = outcome;
        answers.push([tenth(intendedMs), tenth(endedMs - intendedMs)]);
      },
    });
    clearInterval(reader);
    stop();
    // What little is left over belongs to the last slice.
    const lastAt = readings.at(-1)?.at ?? 0;
    if (readings.length > 1 && performance.now() - lastAt < 500 * SLICE_SECONDS) readings.pop();
    readings.push(await read());
    const [before, after] = [readings[0], readings.at(-1)];
    if (!before || !after) throw new Error('Expected two readings');
    const spent = usage.between(before, after);
    const yardstickMs = mapped(yardsticks, (yardstick, core) => yardstick.usedMs() - measuring[core]);
    const ownMs = total(after.own) - total(before.own) + yardstickMs.engine + yardstickMs.others;
    const machineMs = after.machine.used + after.machine.stolen - before.machine.used - before.machine.stolen;
    return {
      part: 1,
      ratePerSecond: step.load.loop === 'open' ? step.load.ratePerSecond : 0,
      seconds: step.seconds,
      seed,
      requests: step.requests.intended,
      failed: step.requests.failed,
      answersPerSecond: step.answersPerSecond,
      othersCores: (machineMs - ownMs) / (after.at - before.at),
      answers,
      demands: mapped(spent, ({ main, others }) => ({ main: main / answered, others: others / answered })),
      slices: readings.slice(1).map((reading, i): Slice => {
        const last = readings[i] ?? before;
        const photos = (key: 'prepared' | 'answered') => reading.photos[key] - last.photos[key];
        return {
          seconds: (reading.at - last.at) / 1000,
          prepared: photos('prepared'),
          answered: photos('answered'),
          views: reading.views - last.views,
          used: usage.between(last, reading),
        };
      }),
      stolen: mapped(stolen, ({ spans }) =>
        spans.map(({ from, to, ms }) => ({ from: tenth(from), to: tenth(to), ms })),
      ),
      pace: {
        engine: await yardsticks.engine.take(began),
        others: await yardsticks.others.take(began),
      },
    };
  } finally {
    clearInterval(reader);
    stop();
    await target.close();
  }
}

function tenth(ms: number): number {
  return Math.round(10 * ms) / 10;
}
