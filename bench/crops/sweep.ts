// Planes of odd sizes, large and small grids, crops at any offset: is there one on which the default is slower than
// every view by itself? Knows which planes; what is measured of each is the same as everywhere.

import { setTimeout } from 'node:timers/promises';
import type { Engine, EngineModel } from '../../services/inference/engine.ts';
import { meanColour } from '../../vgg/pack.ts';
import { resolveEvaluation, type Evaluation, type Size } from '../../vgg/views.ts';
import { median } from '../median.ts';
import type { Subject } from './networks.ts';
import { HERE, NAIVE, type Machine, type Timed } from './results.ts';
import { computedViews, SIDES, timeSide, unitsOf, type Side } from './sides.ts';
import { takeTurns } from './turns.ts';
import { photoOf, worksOf } from './works.ts';

/** The views of one plane. */
export interface SweepCase {
  plane: Size;
  /** Of the crops; none: the dense view and its mirror image. */
  grid?: number;
  align?: number;
  naive: Timed;
  /** None: no views are together, so that there is nothing to compare. */
  here?: Timed;
}

/** A sweep. */
export interface SweepResults {
  command: string;
  machine: Machine;
  repeats: number;
  networks: { name: string; inputSize: number; cases: SweepCase[] }[];
}

// In units of an input of 224: no room at all along one side, odd sides, a long plane, one almost square.
const PLANES = [
  { width: 299, height: 224 },
  { width: 511, height: 243 },
  { width: 401, height: 301 },
  { width: 421, height: 419 },
];
const GRIDS = [1, 2, 3, 5];
const ALIGNS = [1, 8];
const PAUSE_MS = 50;

/** How many times as fast as NAIVE a case is; 1 where nothing is shared. */
export function sweepRatio({ naive, here }: SweepCase): number {
  if (!here) return 1;
  return median(here.ms.map((ms, i) => ((naive.ms[i] ?? NaN) * here.computed) / naive.computed / ms));
}

/** A network on every plane. */
export async function sweepNetwork(
  engine: Engine,
  subject: Subject,
  repeats: number,
  onStep: (step: string) => void,
): Promise<SweepResults['networks'][number]> {
  const model = await engine.load(subject.model);
  const { inputSize } = model.model.spec;
  const cases: SweepCase[] = [];
  try {
    for (const units of PLANES) {
      const plane = { width: pixels(units.width, inputSize), height: pixels(units.height, inputSize) };
      onStep(`${subject.name}: plane of ${String(plane.height)} × ${String(plane.width)}`);
      for (const align of ALIGNS) {
        for (const grid of GRIDS) {
          const evaluation = { protocol: 'MULTI_CROP', grid, align } as const;
          cases.push({ plane, grid, align, ...(await sweepCase(model, plane, evaluation, repeats)) });
        }
      }
      cases.push({ plane, ...(await sweepCase(model, plane, { protocol: 'DENSE' }, repeats)) });
    }
  } finally {
    await model.unload();
  }
  return { name: subject.name, inputSize, cases };
}

async function sweepCase(
  model: EngineModel,
  plane: Size,
  choices: Partial<Evaluation>,
  repeats: number,
): Promise<Pick<SweepCase, 'naive' | 'here'>> {
  const { inputSize } = model.model.spec;
  const scales = [Math.min(plane.width, plane.height)];
  const evaluation = resolveEvaluation({ ...choices, scales }, { inputSize });
  const mean = meanColour(model.model.json.mean);
  const [work] = await worksOf(await photoOf(plane), evaluation, { mean, inputSize });
  if (!work) throw new Error('Expected a plane');
  const side = (name: string) => SIDES.find((each) => each.name === name) as Side;
  const [naive, here] = [side(NAIVE), side(HERE)];
  const computed = computedViews(model.model.spec, naive, work).length;
  if (unitsOf(model, here, work).every(({ shared }) => !shared)) return { naive: { computed, ms: [] } };
  const turns = [naive, here].map((each) => () => timeSide(model, each, work));
  const [alone = [], together = []] = await takeTurns(turns, repeats, () => setTimeout(PAUSE_MS));
  return { naive: { computed, ms: alone }, here: { computed: work.views.length, ms: together } };
}

function pixels(units: number, inputSize: number): number {
  return Math.round((units * inputSize) / 224);
}
