// A load test's step as it is predicted from what was measured. Knows a session's measurements; of the step that is
// predicted only its load, its seed, and, where they are given, its demands.
//
// The demands of a load, CPU milliseconds a photo by process, are what queueing networks are usually given (the service
// demand law): no latency is in them, and they change with the machine's pace, which here is not the same every minute.

import { steady } from '../../loadtest/arrivals/curve.ts';
import type { Pace } from '../../loadtest/simulate/cores.ts';
import type { LoopCost } from '../../loadtest/simulate/costs.ts';
import type { PlannedPhoto } from '../../loadtest/simulate/plans.ts';
import type { SystemSettings } from '../../loadtest/simulate/settings.ts';
import { simulate, type Simulation, type SimulationOptions } from '../../loadtest/simulate/simulate.ts';
import { tableTiming, type EngineTiming } from '../../loadtest/simulate/timings.ts';
import type { Step } from '../../loadtest/result.ts';
import { aggregatorVariables } from '../../services/aggregator/config.ts';
import { inferenceVariables } from '../../services/inference/config.ts';
import { preprocessVariables } from '../../services/preprocess/config.ts';
import type { Demands, Loaded, Measurement, Slice } from './session.ts';

/** A load to predict. */
export type PredictedLoad =
  | { ratePerSecond: number; seconds: number; warmUpSeconds: number; seed: number }
  | { concurrency: number; seconds: number };

/** Predicted steps of several runs of chance over the same arrivals. */
export async function predicted(
  measurement: Measurement,
  load: PredictedLoad,
  runs: number,
  loaded?: Loaded,
): Promise<Step[]> {
  const steps: Step[] = [];
  for (let run = 0; run < runs; run++) {
    const first = await simulated(measurement, load, run, loaded, 1);
    if (!loaded) steps.push(first.step);
    else {
      // Batches are as full as the simulation makes them; what one takes is what the engine's CPU time says.
      const { main, others } = loaded.demands.inference;
      const own = others - helpersOf(measurement, loaded) * main;
      const pace = own / engineDemand(first);
      steps.push((await simulated(measurement, load, run, loaded, pace)).step);
    }
  }
  return steps;
}

// CPU milliseconds of the engine a photo.
function engineDemand({ system, ends }: Simulation): number {
  const [task] = system.inference.tasks;
  return task ? (task.cores.usedMs - task.loop.workedMs) / ends.answered : NaN;
}

// Nobody can tell the inference process's garbage collection from its engine: as the aggregator's.
function helpersOf({ calibration }: Measurement, loaded: Loaded | undefined): number {
  if (!loaded) return calibration.costs.inference.helpers;
  const { demands } = loaded;
  return demands.aggregator.others / demands.aggregator.main;
}

async function simulated(
  measurement: Measurement,
  load: PredictedLoad,
  run: number,
  loaded: Loaded | undefined,
  pace: number,
): Promise<Simulation> {
  const { plan, protocol } = measurement;
  const options: SimulationOptions = {
    settings: settingsOf(measurement, loaded, pace),
    kinds: [{ what: { protocol, model: '' }, weight: 1 }],
    photos: ['photo'],
    plan: () => plan,
    ...('concurrency' in load
      ? { load: { loop: 'closed', ...load }, warmUpSeconds: 2, seed: run }
      : {
          load: { loop: 'open', spread: 'poisson', curve: steady(load.ratePerSecond, load.seconds) },
          warmUpSeconds: load.warmUpSeconds,
          seed: load.seed,
          engineSeed: run,
        }),
  };
  return simulate(options);
}

function settingsOf(measurement: Measurement, loaded: Loaded | undefined, pace: number): SystemSettings {
  const demands = loaded?.demands;
  const { calibration, plan } = measurement;
  const { table, costs, photos, rows } = calibration;
  const fleet = { tasks: 1, vcpu: undefined, start: [] };
  const cost = (name: keyof Demands, megabytes: number): LoopCost => {
    const known = costs[name];
    const helpers = name === 'inference' ? helpersOf(measurement, loaded) : known.helpers;
    if (!demands) return { ...known, helpers };
    const { main, others } = demands[name];
    const factor = main / costOf(known, plan, megabytes);
    return {
      call: factor * known.call,
      plane: factor * known.plane,
      megabyte: factor * known.megabyte,
      view: factor * known.view,
      pauses: known.pauses?.map(({ everyMs, ms }) => ({ everyMs: factor * everyMs, ms: factor * ms })),
      helpers: name === 'client' || name === 'aggregator' ? others / main : helpers,
    };
  };
  const planes = plan.planes.reduce((sum, { megabytes }) => sum + megabytes, 0);
  // The photo that is sent was measured itself: its CPU time, in the proportion of its steps.
  const [own] = photos;
  const pixelsMs = demands
    ? demands.preprocess.others
    : (rows.find(({ request }) => request === 'center-crop')?.others['preprocess'] ?? 0);
  const scale = own ? pixelsMs / (own.decodeMs + own.planes * own.resizeMs) : 1;
  return {
    fleets: {
      ...{ gateway: fleet, aggregator: fleet, preprocess: fleet },
      inference: { ...fleet, vcpu: 1, ...(loaded && { pace: paceOf(loaded, ENGINE) }) },
    },
    engine: paced(tableTiming(table), pace),
    costs: {
      client: cost('client', plan.megabytes),
      gateway: costs.gateway,
      aggregator: cost('aggregator', plan.megabytes + planes),
      preprocess: cost('preprocess', plan.megabytes + planes),
      inference: cost('inference', planes),
      pixels: own
        ? {
            decode: { call: scale * own.decodeMs, megapixel: 0 },
            resize: { call: scale * own.resizeMs, megapixel: 0 },
          }
        : costs.pixels,
    },
    limits: {
      queueViews: inferenceVariables.queue.default,
      decodes: preprocessVariables.decodes.default,
      waitingPhotos: preprocessVariables.queue.default,
      streams: preprocessVariables.maxStreams.default,
      attempts: aggregatorVariables.attempts.default,
      deadlineMs: 60_000,
    },
    sharedCores: 1,
    ...(loaded && { sharedPace: paceOf(loaded, OTHERS) }),
    gateway: false,
    networkMs: 0.1,
    interruptionsPerHour: 0,
    metricsDelaySeconds: 0,
  };
}

// Work goes on, if hardly.
const MOST_STOLEN = 0.98;

const ENGINE = {
  core: 'engine',
  processes: ['inference'],
  work: ({ views }: Slice) => views,
} as const;
const OTHERS = {
  core: 'others',
  processes: ['client', 'aggregator', 'preprocess'],
  // A photo that was prepared and not yet answered is half done.
  work: ({ prepared, answered }: Slice) => (prepared + answered) / 2,
} as const;

// How much more CPU time the same work took, slice by slice, than on the whole; and when the host had the core.
function paceOf({ slices, stolen }: Loaded, { core, processes, work }: typeof ENGINE | typeof OTHERS): Pace {
  const times = (slice: Slice) =>
    processes.reduce((sum, name) => sum + slice.used[name].main + slice.used[name].others, 0);
  const whole = slices.reduce((sum, slice) => sum + times(slice), 0);
  const all = slices.reduce((sum, slice) => sum + work(slice), 0);
  let until = 0;
  const steps = slices.map((slice) => {
    until += 1000 * slice.seconds;
    return { until, factor: work(slice) > 0 ? times(slice) / work(slice) / (whole / all) : 1 };
  });
  const spans = stolen[core];
  let next = 0;
  return {
    slowness: (now) => steps.find((step) => now < step.until)?.factor ?? 1,
    stolen: (now) => {
      while ((spans[next]?.to ?? Infinity) <= now) next++;
      const span = spans[next];
      if (!span || now < span.from) return { part: 0, until: span?.from ?? Infinity };
      return { part: Math.min(MOST_STOLEN, span.ms / (span.to - span.from)), until: span.to };
    },
  };
}

function paced(engine: EngineTiming, pace: number): EngineTiming {
  return { ...engine, batchMs: (batch, random) => pace * engine.batchMs(batch, random) };
}

// CPU milliseconds of a photo, as loadtest/simulate/road.ts spends them.
function costOf(
  { call, plane, megabyte, view }: LoopCost,
  { planes, views }: PlannedPhoto,
  megabytes: number,
): number {
  return call + plane * planes.length + megabyte * megabytes + view * views;
}
