// This project's own sides: one engine, told how to go about views. Knows units and batches; not what is compared.

import type { EngineModel, Unit, Wanted } from '../../services/inference/engine.ts';
import { macs, type NetworkSpec } from '../../vgg/networks.ts';
import type { View } from '../../vgg/views.ts';
import { HERE, NAIVE } from './results.ts';
import { spread, type Work } from './works.ts';

/** A way of going about the views of a plane. */
export interface Side {
  name: string;
  wanted: Wanted;
  /** Whether each view takes its own time, whatever the others are: a sample of them then tells it for all. */
  apart: boolean;
}

const WANTED = { scoreOrder: 'MEAN_THEN_SOFTMAX', scoreMaps: false } as const;

/** In the order of tables. */
export const SIDES: readonly Side[] = [
  { name: NAIVE, wanted: { ...WANTED, share: 'off' }, apart: true },
  { name: HERE, wanted: { ...WANTED, share: 'auto' }, apart: false },
];

/** Sides of an engine that computes there: on a GPU a crop is the quicker the more a batch has, and none tells for all. */
export function sidesOn(device: string): readonly Side[] {
  return device === 'gpu' ? SIDES.map((side) => ({ ...side, apart: false })) : SIDES;
}

/** So many crops tell how long one takes: two batches of 8, or more of a small network. */
export function sampleSize(spec: NetworkSpec): number {
  const batches = SAMPLE_PRODUCTS / (8 * macs(spec, spec.inputSize, spec.inputSize));
  return 8 * Math.max(2, Math.round(batches));
}

// Of two batches of D.
const SAMPLE_PRODUCTS = 2.5e11;

/** The views of a work that a side computes. */
export function computedViews(spec: NetworkSpec, { apart }: Side, { protocol, views }: Work): View[] {
  return spread(views, apart && protocol === 'MULTI_CROP' ? sampleSize(spec) : views.length);
}

/** The units of a side's views. */
export function unitsOf(model: EngineModel, side: Side, work: Work): Unit[] {
  return model.plan(work.plane, computedViews(model.model.spec, side, work), side.wanted);
}

/**
 * Scores a side's views, small works several times.
 *
 * @returns milliseconds of one time, with planning as every request has it
 */
export async function timeSide(model: EngineModel, side: Side, work: Work): Promise<number> {
  let [times, ms] = [0, 0];
  for (; ms < LEAST_MS; times++) ms += await timed(() => scoreAll(model, unitsOf(model, side, work)));
  return ms / times;
}

// A few milliseconds are as much a matter of what the machine did before.
const LEAST_MS = 100;

/** Milliseconds that something takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** Posteriors by the views' indices. */
export async function posteriorsOf(
  model: EngineModel,
  { wanted }: Side,
  { plane, views }: Work,
): Promise<Map<number, Float32Array>> {
  return scoreAll(model, model.plan(plane, views, wanted));
}

async function scoreAll(model: EngineModel, units: readonly Unit[]): Promise<Map<number, Float32Array>> {
  const posteriors = new Map<number, Float32Array>();
  // Units of one shape lie together.
  for (let at = 0; at < units.length;) {
    const [first] = units.slice(at, at + 1) as [Unit];
    const same = units.slice(at, at + model.batchLimit(first));
    const end = same.findIndex(({ shapeKey }) => shapeKey !== first.shapeKey);
    const batch = end < 0 ? same : same.slice(0, end);
    for (const { scores } of await model.score(batch))
      for (const { view, posterior } of scores) posteriors.set(view, posterior);
    at += batch.length;
  }
  return posteriors;
}
