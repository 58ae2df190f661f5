// Everything that was found, as numbers: rows with errors and intervals, claims with verdicts, curves. Knows how
// outcomes become them; lays nothing out but the files.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { paperError, type PaperError } from '../../cli/evaluate/paper.ts';
import { bootstrapInterval } from '../../cli/evaluate/statistics.ts';
import type { Protocol } from '../../vgg/views.ts';
import { CLAIMS, type Claim, type RowName } from './claims.ts';
import { compare, type Comparison, type Ranks } from './comparison.ts';
import { rowKey } from './outcomes.ts';
import { claimsSvg, curvesSvg } from './plot.ts';
import type { Epoch, SeedResults } from './runs.ts';
import { markdown } from './tables.ts';
import { BUDGET, SITTINGS, TRIALS, trainScales, trialTestScales, type Trial } from './trials.ts';

/** A row of the tables. Errors in %. */
export interface ResultRow {
  trials: string[];
  network: string;
  /** Training scales S, pixels. */
  train: number[];
  /** Test scales Q, pixels. */
  test: number[];
  protocol: Protocol;
  /** Mean of the seeds. */
  top1Error: number;
  top5Error: number;
  /** 95 %, bootstrap by photo. */
  interval: [low: number, high: number];
  /** Top-1 error in each seed. */
  seeds: number[];
  /** Photos of all seeds that have an answer. */
  photos: number;
  paper?: PaperError;
}

/** What became of a claim. */
export const VERDICTS = ['reproduced', 'open', 'not reproduced'] as const;
/** See {@link VERDICTS}. */
export type Verdict = (typeof VERDICTS)[number];

/** A claim and the comparison of its rows. */
export interface ClaimResult extends Comparison {
  claim: Claim;
  verdict: Verdict;
}

/** A trial's training. */
export interface TrainingResult {
  trial: string;
  seed: number;
  minutes: number;
  epochs: Epoch[];
}

/** All of it. */
export interface Results {
  /** Name of the folder of photos. */
  dataset: string;
  budget: typeof BUDGET & { epochs: number };
  seeds: number[];
  /** Photos that rows are measured on, in each seed. */
  photos: number;
  rows: ResultRow[];
  claims: ClaimResult[];
  training: TrainingResult[];
}

/** Writes results.json, README.md and the plots. Claims and rows whose trials are not finished are left out. */
export async function writeResults(
  seeds: readonly SeedResults[],
  { dataset, epochs }: { dataset: string; epochs: number },
  folder: string,
): Promise<void> {
  const results: Results = { dataset, ...resultsOf(seeds, epochs) };
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'results.json'), `${JSON.stringify(results, undefined, 1)}\n`);
  await writeFile(join(folder, 'claims.svg'), claimsSvg(results.claims));
  await writeFile(join(folder, 'curves.svg'), curvesSvg(results));
  await writeFile(join(folder, 'README.md'), markdown(results));
}

function resultsOf(seeds: readonly SeedResults[], epochs: number): Omit<Results, 'dataset'> {
  const rows = SITTINGS.flatMap(({ trials, protocols, fuse }) => {
    const names = [...trials.map((trial) => [trial]), ...(fuse ? [[...trials]] : [])];
    return names.flatMap((group) =>
      (['one', 'three'] as const).flatMap((scales) =>
        protocols.flatMap((kebab): ResultRow[] => {
          const protocol = kebab.replaceAll('-', '_').toUpperCase() as Protocol;
          const row = resultRow({ trials: group, protocol, scales }, seeds);
          return row ? [row] : [];
        }),
      ),
    );
  });
  return {
    budget: { ...BUDGET, epochs },
    seeds: seeds.map(({ seed }) => seed),
    photos: Math.max(...seeds.flatMap((each) => [...each.rows.values()].map(({ size }) => size)), 0),
    rows,
    claims: CLAIMS.flatMap((claim) => claimResult(claim, seeds) ?? []),
    training: seeds.flatMap(({ seed, logs }) =>
      [...logs].map(([trial, epochs]) => {
        const minutes = epochs.reduce((sum, { seconds }) => sum + seconds, 0) / 60;
        const brief = epochs.map(({ epoch, loss, validation, seconds }) => ({
          epoch,
          loss,
          validation,
          seconds,
        }));
        return { trial, seed, minutes: Number(minutes.toFixed(1)), epochs: brief };
      }),
    ),
  };
}

function resultRow(name: RowName, seeds: readonly SeedResults[]): ResultRow | undefined {
  const ranks = ranksOf(name, seeds);
  if (ranks.length === 0) return undefined;
  const trials = name.trials.map(trialNamed);
  const [first] = trials;
  if (!first) return undefined;
  const train = trainScales(first);
  const test = trialTestScales(first)[name.scales];
  const errors = (most: number) =>
    ranks.map((each) => [...each.values()].filter((rank) => rank > most).length);
  const photos = ranks.map(({ size }) => size);
  const share = (counts: readonly number[]) => percent(sum(counts) / sum(photos));
  const [low, high] = bootstrapInterval(sum(errors(1)), sum(photos), 1);
  const networks = trials.map(({ network }) => network);
  const paper = paperError({
    networks,
    protocol: name.protocol,
    scales: trials.map(() => test),
    inputSizes: trials.map(() => BUDGET.inputSize),
    train: trials.map(() => train),
  });
  return {
    ...{ trials: [...name.trials], network: networks.join('+'), train, test, protocol: name.protocol },
    ...{ top1Error: share(errors(1)), top5Error: share(errors(5)), interval: [percent(low), percent(high)] },
    seeds: errors(1).map((count, i) => percent(count / (photos[i] ?? 1))),
    photos: sum(photos),
    ...(paper && { paper }),
  };
}

function claimResult(claim: Claim, seeds: readonly SeedResults[]): ClaimResult | undefined {
  const pairs = seeds.flatMap((seed): [Ranks, Ranks][] => {
    const [row, than] = [ranksOf(claim.row, [seed])[0], ranksOf(claim.than, [seed])[0]];
    return row && than ? [[row, than]] : [];
  });
  if (pairs.length === 0) return undefined;
  const comparison = compare(pairs);
  return { claim, ...comparison, verdict: verdictOf(claim, comparison) };
}

/** A claim that one row has not fewer errors is open as long as nothing speaks for either. */
function verdictOf({ says }: Claim, { interval: [low, high] }: Comparison): Verdict {
  if (low <= 0 && high >= 0) return 'open';
  return (says === 'fewer') === low > 0 ? 'reproduced' : 'not reproduced';
}

function ranksOf({ trials, protocol, scales }: RowName, seeds: readonly SeedResults[]): Ranks[] {
  const [first = ''] = trials;
  const key = rowKey(trials, protocol, trialTestScales(trialNamed(first))[scales]);
  return seeds.flatMap(({ rows }) => rows.get(key) ?? []);
}

function trialNamed(name: string): Trial {
  const trial = TRIALS.find((each) => each.name === name);
  if (!trial) throw new Error(`No trial ${name}`);
  return trial;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function percent(share: number): number {
  return Number((100 * share).toFixed(2));
}
