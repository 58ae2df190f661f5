// Everything that was found, as one JSON object: what --json prints, and what the tables are made of.
// Knows how counts become numbers with their uncertainty; not how they are laid out.

import type { Protocol } from '../../vgg/views.ts';
import type { ModelFacts } from './models.ts';
import { paperError, type PaperError } from './paper.ts';
import type { Plan, Row } from './plan.ts';
import type { FailedPhoto } from './run.ts';
import { bootstrapInterval, differenceInterval, mcnemar, RESAMPLES } from './statistics.ts';
import type { Tally } from './tally.ts';

/** A row: a model, or several averaged, with a protocol at scales. Errors in %. */
export interface ReportRow {
  /** Several models are joined by "+". */
  model: string;
  network: string;
  protocol: Protocol;
  /** Crop offsets are multiples of so many pixels, where there are crops. */
  align?: number;
  /** Of the first model, in pixels. */
  scales: number[];
  /** Training scales S, where they were told: of the first model. */
  trainScales?: number[];
  photos: number;
  top1Error: number;
  top5Error: number;
  /** 95 %, bootstrap by photo. */
  top1Interval: [number, number];
  top5Interval: [number, number];
  /** Mean of the classes' errors: each class counts the same. */
  classMeanTop1Error: number;
  classMeanTop5Error: number;
  /** Engine time in milliseconds: of a request that serves several rows, the share of this row's views by their area. */
  msPerPhoto: number;
  /** Photos without an answer, which are not counted. */
  failed: number;
  /** The paper's error of the same network, protocol and scales, on ImageNet's validation set. */
  paper?: PaperError;
}

/** Which of a model's rows. */
export type Which = Pick<ReportRow, 'protocol' | 'align' | 'scales'>;

/** Two rows of the same models on the same photos, by their most probable classes: McNemar's exact test. */
export interface ReportTest {
  model: string;
  a: Which;
  b: Which;
  /** Percentage points that the top-1 error of a is above that of b. */
  difference: number;
  /** 95 %, bootstrap by photo. */
  interval: [number, number];
  /** Photos that only a has wrong. */
  onlyA: number;
  /** Photos that only b has wrong. */
  onlyB: number;
  /** Two-sided, 0 to 1. */
  p: number;
}

/** A class taken for another, in the row of these models that has the fewest errors. */
export interface ReportConfusion extends Which {
  model: string;
  truth: string;
  answer: string;
  photos: number;
}

/** A class in the row with the fewest errors. */
export interface ReportClass {
  label: string;
  photos: number;
  top1Error: number;
  top5Error: number;
}

/** What --json prints. */
export interface Report {
  dataset: { path: string; photos: number; classes: number; imagenet: boolean; ignoredClasses: string[] };
  rows: ReportRow[];
  mcnemar: ReportTest[];
  confusions: ReportConfusion[];
  /** With --per-class-table: of the row with the fewest errors. */
  classes?: ReportClass[];
  failures: FailedPhoto[];
  statistics: { interval: string; resamples: number; seed: number };
}

/** What a report is made from. */
export interface Findings {
  path: string;
  imagenet: boolean;
  ignoredClasses: string[];
  models: readonly ModelFacts[];
  plan: Plan;
  tally: Tally;
  failures: FailedPhoto[];
  seed: number;
  /** Training scales of each model, where told. */
  train?: readonly (readonly number[])[] | undefined;
  perClass: boolean;
}

const CONFUSIONS = 20;

/** The report. */
export function reportOf(findings: Findings): Report {
  const { path, imagenet, ignoredClasses, models, plan, tally, failures, seed, perClass } = findings;
  const labels = models[0]?.labels ?? [];
  const label = (index: number) => labels[index] ?? String(index);
  const rows = plan.rows.map((row, place) => reportRow(row, place, findings));
  const best = bestRows(plan, tally);
  const [overall = 0] = [...best].sort((a, b) => tally.errors(a).top1 - tally.errors(b).top1 || a - b);
  return {
    dataset: { path, photos: tally.photos, classes: tally.classes(0).length, imagenet, ignoredClasses },
    rows,
    mcnemar: tests(plan, rows, tally, seed),
    confusions: best.flatMap((place) => {
      const row = rows[place];
      if (!row) return [];
      return tally.confusions(place, CONFUSIONS).map(({ truth, answer, photos }) => {
        return { model: row.model, ...which(row), truth: label(truth), answer: label(answer), photos };
      });
    }),
    ...(perClass && {
      classes: tally.classes(overall).map(({ classIndex, photos, top1, top5 }) => {
        return {
          label: label(classIndex),
          photos,
          top1Error: percent(top1 / photos),
          top5Error: percent(top5 / photos),
        };
      }),
    }),
    failures,
    statistics: {
      interval: '95 % bootstrap by photo, percentile method, each resample a binomial draw',
      resamples: RESAMPLES,
      seed,
    },
  };
}

function reportRow(row: Row, place: number, findings: Findings): ReportRow {
  const { models, tally, failures, seed, train } = findings;
  const facts = row.models.flatMap((model) => models[model] ?? []);
  const { top1, top5 } = tally.errors(place);
  const { photos } = tally;
  const classes = tally.classes(place);
  const interval = (count: number): [number, number] => {
    if (photos === 0) return [NaN, NaN];
    const [low, high] = bootstrapInterval(count, photos, seed);
    return [percent(low), percent(high)];
  };
  const classMean = (errors: 'top1' | 'top5') =>
    percent(classes.reduce((sum, each) => sum + each[errors] / each.photos, 0) / classes.length);
  const trained = train && row.models.flatMap((model) => [train[model] ?? []]);
  const paper = paperError({
    networks: facts.map(({ network }) => network),
    protocol: row.protocol,
    scales: row.scales,
    inputSizes: facts.map(({ inputSize }) => inputSize),
    ...(trained && { train: trained }),
  });
  return {
    model: facts.map(({ name }) => name).join('+'),
    network: facts.map(({ network }) => network).join('+'),
    protocol: row.protocol,
    ...(row.align !== undefined && { align: row.align }),
    scales: [...(row.scales[0] ?? [])],
    ...(trained && { trainScales: [...(trained[0] ?? [])] }),
    photos,
    top1Error: percent(top1 / photos),
    top5Error: percent(top5 / photos),
    top1Interval: interval(top1),
    top5Interval: interval(top5),
    classMeanTop1Error: classMean('top1'),
    classMeanTop5Error: classMean('top5'),
    msPerPhoto: Number(tally.ms(place).toFixed(3)),
    failed: failures.length,
    ...(paper && { paper }),
  };
}

function tests(plan: Plan, rows: readonly ReportRow[], tally: Tally, seed: number): ReportTest[] {
  return plan.rows.flatMap((first, i) =>
    plan.rows.flatMap((second, j): ReportTest[] => {
      const [a, b] = [rows[i], rows[j]];
      if (j <= i || first.models.join() !== second.models.join() || !a || !b) return [];
      const [onlyA, onlyB] = tally.discordant(i, j);
      const { photos } = tally;
      const [low, high] = photos > 0 ? differenceInterval(onlyA, onlyB, photos, seed) : [NaN, NaN];
      return [
        {
          ...{ model: a.model, a: which(a), b: which(b) },
          ...{ difference: percent((onlyA - onlyB) / photos), interval: [percent(low), percent(high)] },
          ...{ onlyA, onlyB, p: mcnemar(onlyA, onlyB) },
        },
      ];
    }),
  );
}

function which({ protocol, align, scales }: ReportRow): Which {
  return { protocol, ...(align !== undefined && { align }), scales };
}

// For each set of models the row with the fewest errors; of equal ones the first.
function bestRows(plan: Plan, tally: Tally): number[] {
  const best = new Map<string, number>();
  for (const [place, { models }] of plan.rows.entries()) {
    const before = best.get(models.join());
    if (before === undefined || tally.errors(place).top1 < tally.errors(before).top1)
      best.set(models.join(), place);
  }
  return [...best.values()];
}

// A share as %, to four decimals.
function percent(share: number): number {
  return Number((share * 100).toFixed(4));
}
