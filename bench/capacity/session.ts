// A session of bench/capacity: what was measured, and what is predicted from it. Knows files' shapes; starts nothing.

import type { ServiceCosts } from '../../loadtest/simulate/costs.ts';
import type { PlannedPhoto } from '../../loadtest/simulate/plans.ts';
import type { TimingTable } from '../../loadtest/simulate/timings.ts';
import type { Protocol } from '../../vgg/views.ts';
import type { CalibrationRow, PauseRow, PhotoRow } from './calibration.ts';
import { comparison, textOf, timesOf, type Comparison, type Held } from './comparison.ts';
import { predicted } from './prediction.ts';
import type { Stolen } from './threads.ts';
import { wakings } from './tuning.ts';
import type { Demands } from './usage.ts';

/** A core of the machine, by what computes there: inference, or all the others. */
export type Core = 'engine' | 'others';

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
  answersPerSecond: number;
  /** Cores that others used meanwhile, of this machine or of its host. */
  othersCores: number;
  /** In the order of their ends. */
  answers: Held['answers'];
  demands: Demands;
  /** All of it, warm-up included. */
  slices: Slice[];
  /** How long each core took for the same piece of work, by half seconds since the warm-up began; 0: nobody knows. */
  pace: Record<Core, number[]>;
  /** When the machine's host had a core for others; milliseconds since the warm-up began. */
  stolen: Record<Core, Stolen[]>;
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
  /** CPU milliseconds a second while nobody asks; not in any other figure. */
  idle: Demands;
  /** The same of the yardsticks of the cores' pace. */
  yardstickMs: Record<Core, number>;
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

/** Rounds of one part of the most, and what is predicted of them. */
export interface Row {
  part: number;
  ratePerSecond: number;
  /** Rounds that count, of those that were held. */
  rounds: number;
  held: number;
  /** Answered in the rounds that count. */
  answers: number;
  /** Of the rounds that count: the smallest 99th percentile of one, and the largest. */
  p99: { least: number; most: number };
  /** From what was measured before. */
  before: Comparison;
  /** With the demands of the loads themselves. */
  meanwhile: Comparison;
}

/** A kept session. */
export interface Session {
  version: 5;
  measurement: Measurement;
  /** Answers a second at most, predicted from what was measured before, and with the load's demands. */
  atMost: { before: number; meanwhile: number };
  rows: Row[];
}

export const CLIENTS = 16;
export const WARM_UP_SECONDS = 5;
/** Cores that others may use beside a round; more, and it proves nothing. */
export const MOST_OTHERS = 0.1;
const RUNS = 5;

/** Rounds of a part of the most beside which others used little. */
export function countedRounds({ steps }: Measurement, part: number): Loaded[] {
  return steps.filter((step) => step.part === part && step.othersCores <= MOST_OTHERS);
}

/** Predicts what was measured. @param tell a line for each load */
export async function compared(measurement: Measurement, tell: (line: string) => void): Promise<Session> {
  const { atMost, steps, protocol } = measurement;
  const woken = await wakings(measurement);
  const crowd = { concurrency: CLIENTS, seconds: 60 };
  const most = async (loaded?: Loaded) => {
    const [held] = await predicted(measurement, crowd, 1, woken, loaded);
    return held?.answersPerSecond ?? 0;
  };
  const answers = { before: await most(), meanwhile: await most(atMost) };
  tell(
    `${protocol}, ${String(CLIENTS)} clients: measured ${atMost.answersPerSecond.toFixed(2)}/s, predicted ${answers.before.toFixed(2)} and ${answers.meanwhile.toFixed(2)}/s; others' cores ${atMost.othersCores.toFixed(2)}`,
  );
  const rows: Row[] = [];
  for (const part of new Set(steps.map((step) => step.part))) {
    const held = steps.filter((step) => step.part === part);
    const rounds = countedRounds(measurement, part);
    const [first] = rounds;
    if (!first) {
      tell(`${protocol} at ${percent(part)}: others computed beside all rounds`);
      continue;
    }
    const { ratePerSecond, seconds, seed } = first;
    const load = { ratePerSecond, seconds, warmUpSeconds: WARM_UP_SECONDS, seed };
    const meanwhile: Held[] = [];
    for (const round of rounds) meanwhile.push(...(await predicted(measurement, load, RUNS, woken, round)));
    const each = rounds.map((round) => timesOf([round]).at(0.99));
    const row: Row = {
      ...{ part, ratePerSecond, rounds: rounds.length, held: held.length },
      answers: rounds.reduce((sum, round) => sum + round.answers.length, 0),
      p99: { least: Math.min(...each), most: Math.max(...each) },
      before: comparison(rounds, await predicted(measurement, load, RUNS, woken)),
      meanwhile: comparison(rounds, meanwhile),
    };
    rows.push(row);
    tell(
      `${protocol} at ${percent(part)}, ${ratePerSecond.toFixed(1)}/s, ${String(row.rounds)} of ${String(row.held)} rounds, ${String(row.answers)} answers; p99 of a round ${row.p99.least.toFixed(1)} to ${row.p99.most.toFixed(1)}`,
    );
    tell(`  measured before: ${textOf(row.before)}`);
    tell(`  and meanwhile:   ${textOf(row.meanwhile)}`);
  }
  return { version: 5, measurement, atMost: answers, rows };
}

function percent(part: number): string {
  return `${String(Math.round(100 * part))} %`;
}
