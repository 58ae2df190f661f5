// Small systems to simulate: an engine of a given time, services that cost nothing unless told. For tests.

import { steady } from '../../../loadtest/arrivals/curve.ts';
import { FREE } from '../../../loadtest/simulate/costs.ts';
import type { PlannedPhoto } from '../../../loadtest/simulate/plans.ts';
import type { SystemSettings } from '../../../loadtest/simulate/settings.ts';
import type { SimulationOptions } from '../../../loadtest/simulate/simulate.ts';
import type { EngineTiming } from '../../../loadtest/simulate/timings.ts';

/** A photo of so many views, each a unit, on so many planes. */
export function photoOf(views: number, planes = 1, limit = 1): PlannedPhoto {
  const unit = () => ({
    ...{ shapeKey: 'crop', cost: 1, views: { length: 1 }, pixels: 1, shared: false },
    limit,
  });
  return {
    ...{ megabytes: 0, megapixels: 0, views },
    planes: Array.from({ length: planes }, (_, plane) => ({
      ...{ megabytes: 0, megapixels: 0 },
      units: Array.from(
        { length: Math.floor(((plane + 1) * views) / planes) - Math.floor((plane * views) / planes) },
        unit,
      ),
    })),
  };
}

/** A system in which only the engine takes time. */
export function systemOf(engine: EngineTiming, some: Partial<SystemSettings> = {}): SystemSettings {
  const fleet = { tasks: 1, vcpu: 1, start: [] };
  const nothing = { call: 0, megapixel: 0 };
  return {
    fleets: { gateway: fleet, aggregator: fleet, preprocess: fleet, inference: fleet },
    engine,
    costs: {
      ...{ client: FREE, gateway: FREE, aggregator: FREE, preprocess: FREE, inference: FREE },
      pixels: { decode: nothing, resize: nothing },
    },
    limits: {
      ...{ queueViews: 1e6, decodes: 1e6, waitingPhotos: 1e6, streams: 1e6 },
      ...{ attempts: { gateway: 3, aggregator: 3 }, replicaStartMs: 0, modelsAgeMs: 30_000 },
      deadlineMs: 6e5,
    },
    ...{ gateway: false, networkMs: 0, interruptionsPerHour: 0, metricsDelaySeconds: 30 },
    ...some,
  };
}

/** Poisson arrivals of one kind of photo. */
export function poisson(
  settings: SystemSettings,
  photo: PlannedPhoto,
  { rate, seconds, seed = 1 }: { rate: number; seconds: number; seed?: number },
): SimulationOptions {
  return {
    settings,
    kinds: [{ what: { protocol: 'CENTER_CROP', model: '' }, weight: 1 }],
    photos: ['photo'],
    plan: () => photo,
    load: { loop: 'open', spread: 'poisson', curve: steady(rate, seconds) },
    warmUpSeconds: 10,
    seed,
  };
}

/** An engine that takes always as long. */
export const fixed = (ms: number): EngineTiming => ({ threads: 0, batchMs: () => ms });
/** An engine whose times are exponential. */
export const exponential = (ms: number): EngineTiming => ({
  threads: 0,
  batchMs: (_batch, random) => -ms * Math.log(1 - random.next()),
});
