// A load test's step as it is predicted from what was measured one stage at a time. Knows calibrations; nothing of the
// test that it is compared with but its load and its seed.

import { steady } from '../../loadtest/arrivals/curve.ts';
import type { CoreSharing } from '../../loadtest/simulate/cores.ts';
import type { ServiceCosts } from '../../loadtest/simulate/costs.ts';
import type { PlannedPhoto } from '../../loadtest/simulate/plans.ts';
import type { SystemSettings } from '../../loadtest/simulate/settings.ts';
import { simulate, type SimulationOptions } from '../../loadtest/simulate/simulate.ts';
import { tableTiming, type TimingTable } from '../../loadtest/simulate/timings.ts';
import type { Step } from '../../loadtest/result.ts';
import { aggregatorVariables } from '../../services/aggregator/config.ts';
import { inferenceVariables } from '../../services/inference/config.ts';
import { preprocessVariables } from '../../services/preprocess/config.ts';
import type { Protocol } from '../../vgg/views.ts';
import type { PhotoRow } from './calibration.ts';

/** What a session measured before it was loaded. */
export interface Measured {
  table: TimingTable;
  sharing: { engine: { alone: number; beside: number }; burst: { alone: number; beside: number } };
  costs: ServiceCosts;
  photos: readonly PhotoRow[];
  /** CPU milliseconds of all of preprocess's other threads for the photo that is sent. */
  pixelsMs: number;
}

/** How this machine's cores are shared, from paces beside one busy process. */
export function sharingOf(
  { engine, burst }: Measured['sharing'],
  cores: number,
  threads: number,
): CoreSharing {
  const fair = cores / (threads + 1);
  const preference = Math.min(1, Math.max(0, (burst.alone / burst.beside - fair) / (1 - fair)));
  const left = (cores - fair) / threads;
  const barrier = Math.max(1, Math.log(engine.alone / engine.beside) / Math.log(left));
  return { preference, barrier };
}

/** The services of this machine, one process each. */
export function settingsOf(measured: Measured): SystemSettings {
  const { table, sharing, costs, photos, pixelsMs } = measured;
  const engine = tableTiming(table);
  const { cores } = table.machine;
  // The photo that is sent was measured itself: its CPU time, in the proportion of its steps.
  const [own] = photos;
  const scale = own ? pixelsMs / (own.decodeMs + own.planes * own.resizeMs) : 1;
  const pixels = own
    ? {
        decode: { call: scale * own.decodeMs, megapixel: 0 },
        resize: { call: scale * own.resizeMs, megapixel: 0 },
      }
    : costs.pixels;
  const fleet = { tasks: 1, vcpu: undefined, start: [] };
  return {
    fleets: { gateway: fleet, aggregator: fleet, preprocess: fleet, inference: fleet },
    engine,
    costs: { ...costs, pixels },
    limits: {
      queueViews: inferenceVariables.queue.default,
      decodes: preprocessVariables.decodes.default,
      waitingPhotos: preprocessVariables.queue.default,
      streams: preprocessVariables.maxStreams.default,
      attempts: aggregatorVariables.attempts.default,
      deadlineMs: 60_000,
    },
    sharing: sharingOf(sharing, cores, table.engine.threads),
    sharedCores: cores,
    gateway: false,
    networkMs: 0.1,
    interruptionsPerHour: 0,
    metricsDelaySeconds: 0,
  };
}

/** Predicted steps of several runs of chance over the same arrivals. */
export async function predicted(
  measured: Measured,
  protocol: Protocol,
  photo: PlannedPhoto,
  load:
    | { ratePerSecond: number; seconds: number; warmUpSeconds: number; seed: number }
    | { concurrency: number; seconds: number },
  runs: number,
): Promise<Step[]> {
  const steps: Step[] = [];
  for (let run = 0; run < runs; run++) {
    const options: SimulationOptions = {
      settings: settingsOf(measured),
      kinds: [{ what: { protocol, model: '' }, weight: 1 }],
      photos: ['photo'],
      plan: () => photo,
      ...('concurrency' in load
        ? { load: { loop: 'closed', ...load }, warmUpSeconds: 2, seed: run }
        : {
            load: { loop: 'open', spread: 'poisson', curve: steady(load.ratePerSecond, load.seconds) },
            warmUpSeconds: load.warmUpSeconds,
            seed: load.seed,
            engineSeed: run,
          }),
    };
    steps.push((await simulate(options)).step);
  }
  return steps;
}
