// A session of bench/capacity: what was measured, and what is predicted from it. Knows files' shapes; starts nothing.

import type { ServiceCosts } from '../../loadtest/simulate/costs.ts';
import type { PlannedPhoto } from '../../loadtest/simulate/plans.ts';
import type { TimingTable } from '../../loadtest/simulate/timings.ts';
import type { Protocol } from '../../vgg/views.ts';
import type { CalibrationRow, PauseRow, PhotoRow } from './calibration.ts';
import { comparison, type Comparison } from './comparison.ts';
import { predicted } from './prediction.ts';
import type { Stolen, ThreadTimes } from './threads.ts';
import { wakings } from './tuning.ts';

/** CPU milliseconds by process, of a photo unless something else is said. */
export type Demands = Record<'client' | 'aggregator' | 'preprocess' | 'inference', ThreadTimes>;

/** A few seconds of a load. */
export interface Slice {
  seconds: number;
  /** Photos. */
  prepared: number;
  answered: number;
  /** Computed. */
  views: number;
  /** CPU milliseconds. */
  used: Demands;
}

/** A load that was held. */
export interface Loaded {
  /** Of the most. */
  part: number;
  /** Of an open loop; 0 if it was closed. */
  ratePerSecond: number;
  seconds: number;
  seed: number;
  requests: number;
  failed: number;
  p50: number;
  p90: number;
  p99: number;
  answersPerSecond: number;
  /** Cores that others used meanwhile, of this machine or of its host. */
  othersCores: number;
  demands: Demands;
  /** All of it, warm-up included. */
  slices: Slice[];
  /** When the machine's host had a core for others; milliseconds since the warm-up began. */
  stolen: Record<'engine' | 'others', Stolen[]>;
}

/** What a session measured. */
export interface Measurement {
  /** ISO 8601. */
  measured: string;
  command: string;
  load: number;
  protocol: Protocol;
  /** As the calibration calls it. */
  request: string;
  photo: { width: number; height: number; bytes: number };
  plan: PlannedPhoto;
  calibration: {
    table: TimingTable;
    costs: ServiceCosts;
    rows: CalibrationRow[];
    photos: PhotoRow[];
    pauses: Record<string, PauseRow>;
  };
  /** With {@link CLIENTS} clients in a closed loop. */
  atMost: Loaded;
  steps: Loaded[];
}

/** A kept session. */
export interface Session {
  version: 3;
  measurement: Measurement;
  /** From what was measured before: answers a second at most, and each load. */
  before: { atMost: number; steps: Comparison[] };
  /** With the demands of the loads themselves. */
  meanwhile: { atMost: number; steps: Comparison[] };
}

export const CLIENTS = 16;
export const WARM_UP_SECONDS = 5;
const RUNS = 5;

/** Predicts what was measured. @param tell a line for each load */
export async function compared(measurement: Measurement, tell: (line: string) => void): Promise<Session> {
  const { atMost, steps } = measurement;
  const woken = await wakings(measurement);
  const crowd = { concurrency: CLIENTS, seconds: 60 };
  const most = await predicted(measurement, crowd, 1, woken);
  const mostMeanwhile = await predicted(measurement, crowd, 1, woken, atMost);
  const answers = [most, mostMeanwhile].map(([step]) => step?.answersPerSecond ?? 0);
  const { protocol } = measurement;
  tell(
    `${protocol}, ${String(CLIENTS)} clients: measured ${atMost.answersPerSecond.toFixed(2)}/s, predicted ${answers.map((each) => each.toFixed(2)).join(' and ')}/s; others' cores ${atMost.othersCores.toFixed(2)}`,
  );
  const before: Comparison[] = [];
  const meanwhile: Comparison[] = [];
  for (const step of steps) {
    const { ratePerSecond, seconds, seed } = step;
    const load = { ratePerSecond, seconds, warmUpSeconds: WARM_UP_SECONDS, seed };
    before.push(comparison(step, await predicted(measurement, load, RUNS, woken)));
    meanwhile.push(comparison(step, await predicted(measurement, load, RUNS, woken, step)));
    tell(
      `${protocol} at ${String(Math.round(100 * step.part))} %, ${ratePerSecond.toFixed(1)}/s, ${String(step.requests)} requests; others' cores ${step.othersCores.toFixed(2)}`,
    );
    tell(`  measured before: ${before.at(-1)?.text ?? ''}`);
    tell(`  and meanwhile:   ${meanwhile.at(-1)?.text ?? ''}`);
  }
  return {
    version: 3,
    measurement,
    before: { atMost: answers[0] ?? 0, steps: before },
    meanwhile: { atMost: answers[1] ?? 0, steps: meanwhile },
  };
}
