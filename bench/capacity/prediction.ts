// A load test's step as it is predicted from what was measured. Knows a session's measurements; of the step that is
// predicted only its load, its seed, and, where they are given, its demands.
//
// The demands of a load, CPU milliseconds a photo by process, are what queueing networks are usually given (the service
// demand law): no latency is in them, and they change with the machine's pace, which here is not the same every minute.

import type { Held } from './comparison.ts';
import type { Loaded, Measurement } from './session.ts';
import { simulated, type PredictedLoad, type Tuning } from './system.ts';
import { tunedTo } from './tuning.ts';

/**
 * What is predicted, in several runs of chance over the same arrivals.
 *
 * @param wakings as the session's own measurements have them
 * @param loaded what the load itself demanded; without it all is as it was measured before
 */
export async function predicted(
  measurement: Measurement,
  load: PredictedLoad,
  runs: number,
  wakings: Tuning,
  loaded?: Loaded,
): Promise<Held[]> {
  const tuning = loaded ? await tunedTo(measurement, load, loaded, wakings) : wakings;
  const held: Held[] = [];
  for (let run = 0; run < runs; run++) {
    const answers: [number, number][] = [];
    const { step } = await simulated(measurement, load, tuning, loaded, run, (outcome) => {
      if (outcome.end === 'answered' && outcome.intendedMs >= 0)
        answers.push([outcome.intendedMs, outcome.endedMs - outcome.intendedMs]);
    });
    held.push({ answers, answersPerSecond: step.answersPerSecond });
  }
  return held;
}
