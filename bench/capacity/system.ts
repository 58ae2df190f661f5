// The system that a session was measured on, as it is simulated: its services, cores and costs. Knows a session's
// measurements, and how costs are tuned; not what for.

import { steady } from '../../loadtest/arrivals/curve.ts';
import type { LoopCost } from '../../loadtest/simulate/costs.ts';
import { serviceLimits } from '../../loadtest/simulate/limits.ts';
import type { Outcome } from '../../loadtest/request.ts';
import type { SystemSettings } from '../../loadtest/simulate/settings.ts';
import { simulate, type Simulation } from '../../loadtest/simulate/simulate.ts';
import { tableTiming, type EngineTiming } from '../../loadtest/simulate/timings.ts';
import { mapped } from './mapped.ts';
import { paceOf } from './pace.ts';
import type { Loaded, Measurement } from './session.ts';
import type { Process } from './usage.ts';

/** A load to predict. */
export type PredictedLoad =
  | { ratePerSecond: number; seconds: number; warmUpSeconds: number; seed: number }
  | { concurrency: number; seconds: number };

/** How what was measured of single stages is fitted to the whole. */
export interface Tuning {
  loops: Record<Process, LoopTuning>;
  /** Factor of the time of engines' batches. */
  engine: number;
}

/** Of a process's JavaScript thread. */
export interface LoopTuning {
  /** Factor of its costs. */
  work: number;
  /** CPU milliseconds that it takes to wake it. */
  wake: number;
  /** Factors of how much work is between two pauses, and of how long they are. */
  pauses: { everyMs: number; ms: number };
}

// Of all but the engine.
const SHARED_CORES = 1;

const PLAIN: LoopTuning = { work: 1, wake: 0, pauses: { everyMs: 1, ms: 1 } };

/** Everything as it was measured. */
export const UNTUNED: Tuning = {
  loops: { client: PLAIN, aggregator: PLAIN, preprocess: PLAIN, inference: PLAIN },
  engine: 1,
};

/** Simulates a load of a session's system. @param run which run of chance, over the same arrivals */
export function simulated(
  measurement: Measurement,
  load: PredictedLoad,
  tuning: Tuning,
  loaded?: Loaded,
  run = 0,
  onOutcome?: (outcome: Outcome) => void,
): Promise<Simulation> {
  const { plan, protocol } = measurement;
  return simulate({
    settings: settingsOf(measurement, tuning, loaded),
    kinds: [{ what: { protocol, model: '' }, weight: 1 }],
    photos: ['photo'],
    plan: () => plan,
    onOutcome,
    ...('concurrency' in load
      ? { load: { loop: 'closed', ...load }, warmUpSeconds: 2, seed: run }
      : {
          load: { loop: 'open', spread: 'poisson', curve: steady(load.ratePerSecond, load.seconds) },
          warmUpSeconds: load.warmUpSeconds,
          seed: load.seed,
          engineSeed: run,
        }),
  });
}

/** What the threads of a simulation did for each photo. */
export function perPhoto({ system, client, ends }: Simulation): {
  loops: Record<Process, { mainMs: number; wakes: number }>;
  engineMs: number;
} {
  const [inference] = system.inference.tasks;
  return {
    loops: mapped(UNTUNED.loops, (_, name) => {
      const loop = name === 'client' ? client : system[name].tasks[0]?.loop;
      return { mainMs: (loop?.mainMs ?? 0) / ends.answered, wakes: (loop?.wakes ?? 0) / ends.answered };
    }),
    engineMs: inference ? (inference.cores.usedMs - inference.loop.workedMs) / ends.answered : NaN,
  };
}

/** Garbage collection's and compilers' threads: their work beside each millisecond of a process's own. */
export function helpersOf({ calibration }: Measurement, name: Process, loaded?: Loaded): number {
  // Where others compute or decode, nobody can tell whose time it was: as the aggregator's.
  const alike = name === 'client' ? name : 'aggregator';
  if (!loaded) return calibration.costs[alike].helpers;
  const { main, others } = loaded.demands[alike];
  return others / main;
}

function settingsOf(measurement: Measurement, tuning: Tuning, loaded?: Loaded): SystemSettings {
  const { table, costs, photos, rows } = measurement.calibration;
  const fleet = { tasks: 1, vcpu: undefined, start: [] };
  const cost = (name: Process): LoopCost => {
    const known = costs[name];
    const { work, wake, pauses } = tuning.loops[name];
    return {
      call: work * known.call,
      plane: work * known.plane,
      megabyte: work * known.megabyte,
      view: work * known.view,
      wake,
      pauses: known.pauses?.map(({ everyMs, ms }) => ({
        everyMs: pauses.everyMs * everyMs,
        ms: pauses.ms * ms,
      })),
      helpers: helpersOf(measurement, name, loaded),
    };
  };
  // The photo that is sent was measured itself: its CPU time, in the proportion of its steps.
  const [own] = photos;
  const row = rows.find(({ request }) => request === 'center-crop');
  const prepared = loaded?.demands.preprocess ?? {
    main: row?.main['preprocess'] ?? 0,
    others: row?.others['preprocess'] ?? 0,
  };
  const pixelsMs = Math.max(
    0,
    prepared.others - helpersOf(measurement, 'preprocess', loaded) * prepared.main,
  );
  const scale = own ? pixelsMs / (own.decodeMs + own.planes * own.resizeMs) : 1;
  return {
    fleets: {
      ...{ gateway: fleet, aggregator: fleet, preprocess: fleet },
      inference: { ...fleet, vcpu: 1, pace: paceOf(measurement, 'engine', loaded) },
    },
    engine: paced(tableTiming(table), tuning.engine),
    costs: {
      client: cost('client'),
      gateway: costs.gateway,
      aggregator: cost('aggregator'),
      preprocess: cost('preprocess'),
      inference: cost('inference'),
      pixels: own
        ? {
            decode: { call: scale * own.decodeMs, megapixel: 0 },
            resize: { call: scale * own.resizeMs, megapixel: 0 },
          }
        : costs.pixels,
    },
    limits: serviceLimits({}, { decodes: SHARED_CORES, replicaStart: 0 }),
    sharedCores: SHARED_CORES,
    sharedPace: paceOf(measurement, 'others', loaded),
    gateway: false,
    networkMs: 0.1,
    interruptionsPerHour: 0,
    metricsDelaySeconds: 0,
  };
}

function paced(engine: EngineTiming, pace: number): EngineTiming {
  return { ...engine, batchMs: (batch, random) => pace * engine.batchMs(batch, random) };
}
