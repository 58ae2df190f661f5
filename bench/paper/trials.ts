// Which networks are trained and how, and what is measured of them, so that each of the paper's comparisons has
// its two sides. Knows recipes; trains nothing.

import { paperRecipe, testScales, type Recipe } from '../../services/trainer/recipe.ts';
import type { NetworkName } from '../../vgg/networks.ts';

/** One trained network of a seed. */
export interface Trial {
  /** Of the model: the network, and what tells it from its siblings. */
  name: string;
  network: NetworkName;
  /** Training scales S in units of an input of 224. */
  scales: readonly [least: number, most: number];
  /** Without batch normalisation, as the paper's own networks are. */
  plain: boolean;
  /** Trial whose layers it begins with: the paper's pre-initialisation (Section 3.1). */
  from?: string;
}

/** Models whose rows share protocols and test scales, and are computed in one go. */
export interface Sitting {
  name: string;
  trials: readonly string[];
  protocols: readonly string[];
  fuse: boolean;
}

const FIXED = [256, 256] as const;
const LARGER = [384, 384] as const;
const JITTERED = [256, 512] as const;

/** In the order of training: what others begin with goes first. */
export const TRIALS: readonly Trial[] = [
  { name: 'a', network: 'A', scales: FIXED, plain: false },
  { name: 'b', network: 'B', scales: FIXED, plain: false },
  { name: 'b-5x5', network: 'B-5x5', scales: FIXED, plain: false },
  { name: 'c', network: 'C', scales: FIXED, plain: false },
  { name: 'd', network: 'D', scales: FIXED, plain: false },
  { name: 'e', network: 'E', scales: FIXED, plain: false },
  { name: 'd-jitter', network: 'D', scales: JITTERED, plain: false },
  { name: 'e-jitter', network: 'E', scales: JITTERED, plain: false },
  { name: 'a-plain', network: 'A', scales: FIXED, plain: true },
  { name: 'a-lrn-plain', network: 'A-LRN', scales: FIXED, plain: true },
  { name: 'd-plain', network: 'D', scales: FIXED, plain: true },
  { name: 'd-plain-from-a', network: 'D', scales: FIXED, plain: true, from: 'a-plain' },
  { name: 'c-jitter', network: 'C', scales: JITTERED, plain: false },
  { name: 'd-384', network: 'D', scales: LARGER, plain: false },
];

const CROP_AND_DENSE = ['center-crop', 'dense'];

/** What is evaluated, every trial in one sitting. */
export const SITTINGS: readonly Sitting[] = [
  {
    name: 'fixed',
    trials: ['a', 'b', 'b-5x5', 'c', 'd', 'e'],
    protocols: CROP_AND_DENSE,
    fuse: false,
  },
  {
    name: 'plain',
    trials: ['a-plain', 'a-lrn-plain', 'd-plain', 'd-plain-from-a'],
    protocols: CROP_AND_DENSE,
    fuse: false,
  },
  {
    name: 'jittered',
    trials: ['d-jitter', 'e-jitter'],
    protocols: [...CROP_AND_DENSE, 'multi-crop', 'dense-and-multi-crop'],
    fuse: true,
  },
  { name: 'jittered-c', trials: ['c-jitter'], protocols: CROP_AND_DENSE, fuse: false },
  { name: 'larger', trials: ['d-384'], protocols: CROP_AND_DENSE, fuse: false },
];

/** The same for every trial, beside the epochs: what a few hours of two cores allow. */
export const BUDGET = {
  ...{ width: 1 / 8, hidden: 512, inputSize: 64 },
  ...{ batch: 64, microBatch: 64, schedule: 'cosine', warmUp: 1, dropout: 0.3 },
  ...{ initialisation: 'glorot', validation: 0.25 },
} as const satisfies Partial<Recipe>;

/** Learning rates: plain networks do not stand the rate that normalised ones make most of. */
export const RATES = { normalised: 0.05, plain: 0.02 };

/** Choices of a run of the experiments. */
export interface Choices {
  epochs: number;
  seed: number;
}

/** @param models folder of the seed's models, for what the trial begins with */
export function trialRecipe(trial: Trial, { epochs, seed }: Choices, models: string): Recipe {
  return {
    ...paperRecipe(trial.network, BUDGET.inputSize),
    ...BUDGET,
    epochs,
    batchNorm: !trial.plain,
    learningRate: trial.plain ? RATES.plain : RATES.normalised,
    scales: [pixels(trial.scales[0]), pixels(trial.scales[1])],
    ...(trial.from !== undefined && {
      from: { model: `${models}/${trial.from}`, layers: 'first-layers' as const },
    }),
    seed,
  };
}

/** Scales that a trial is trained at, in pixels: one, or least and most. */
export function trainScales({ scales: [least, most] }: Trial): number[] {
  return [...new Set([pixels(least), pixels(most)])];
}

/** Scales that a trial is tested at, in pixels: the one in the middle (Table 3), and all three (Table 4). */
export function trialTestScales(trial: Trial): { one: number[]; three: number[] } {
  const scales: [number, number] = [pixels(trial.scales[0]), pixels(trial.scales[1])];
  const three = testScales({ scales, inputSize: BUDGET.inputSize });
  return { one: three.slice(1, 2), three };
}

function pixels(units: number): number {
  return Math.round((units * BUDGET.inputSize) / 224);
}
