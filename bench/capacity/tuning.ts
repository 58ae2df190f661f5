// Fits what was measured of single stages to processes that run: what it takes to wake a loop, and the pace of the day.
// Knows simulations and CPU times; no latency and no rate.
//
// A process that is woken for every message by itself takes half as much CPU time again as one that always has
// something to do: so a photo costs less the more of them come, and a crowd is over sooner than its photos one by one.

import { CALIBRATION_CLIENTS } from './calibration.ts';
import { mapped } from './mapped.ts';
import type { Loaded, Measurement } from './session.ts';
import { UNTUNED, helpersOf, perPhoto, simulated } from './system.ts';
import type { LoopTuning, PredictedLoad, Tuning } from './system.ts';

const SECONDS = 20;
const ROUNDS = 3;
// Of what a process does for many clients: where both are woken as often, what it takes is not to be told.
const MOST_WAKING = 0.5;

/** What waking costs: from CPU times with one client, whose every message wakes, and with several. */
export async function wakings(measurement: Measurement): Promise<Tuning> {
  const { rows, pauses } = measurement.calibration;
  const wakesWith = async (concurrency: number) =>
    perPhoto(await simulated(measurement, { concurrency, seconds: SECONDS }, UNTUNED)).loops;
  const [few, many] = [await wakesWith(1), await wakesWith(CALIBRATION_CLIENTS)];
  const row = rows.find(({ request }) => request === measurement.request);
  const loops = mapped(UNTUNED.loops, (untuned, name): LoopTuning => {
    const { mainMs = 0, requests = 0 } = pauses[name] ?? {};
    const manyMs = row?.main[name] ?? 0;
    if (requests === 0 || manyMs === 0) return untuned;
    const fewMs = mainMs / requests;
    const [fewWakes, manyWakes] = [few[name].wakes, many[name].wakes];
    const more = fewWakes > manyWakes ? Math.max(0, (fewMs - manyMs) / (fewWakes - manyWakes)) : 0;
    const wake = Math.min(more, (MOST_WAKING * manyMs) / manyWakes);
    const work = 1 - (wake * manyWakes) / manyMs;
    // Pauses were counted with one client, by all of its time; they come with the work.
    return { work, wake, pauses: { everyMs: (work * manyMs) / fewMs, ms: 1 } };
  });
  return { loops, engine: 1 };
}

/** What makes a load's simulation spend the CPU time that the load itself did. */
export async function tunedTo(
  measurement: Measurement,
  load: PredictedLoad,
  loaded: Loaded,
  start: Tuning,
): Promise<Tuning> {
  const { demands } = loaded;
  let tuning = start;
  for (let round = 0; round < ROUNDS; round++) {
    const { loops, engineMs } = perPhoto(await simulated(measurement, load, tuning, loaded));
    const { main, others } = demands.inference;
    const own = others - helpersOf(measurement, 'inference', loaded) * main;
    tuning = {
      loops: mapped(tuning.loops, ({ work, wake, pauses }, name) => {
        const more = demands[name].main / loops[name].mainMs;
        return {
          ...{ work: more * work, wake: more * wake },
          pauses: { everyMs: more * pauses.everyMs, ms: more * pauses.ms },
        };
      }),
      engine: (tuning.engine * own) / engineMs,
    };
  }
  return tuning;
}
