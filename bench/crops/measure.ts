// One network: its works, its peers, whether all agree, and then everybody's turns. Knows the order of things; what is
// computed, sides and peers know.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Engine, EngineModel } from '../../services/inference/engine.ts';
import { meanColour } from '../../vgg/pack.ts';
import { resolveEvaluation, type Evaluation, type Protocol } from '../../vgg/views.ts';
import type { Subject } from './networks.ts';
import { scoreUntilKnown } from './early.ts';
import { startCropsPeer, writeTask, type Crop, type CropsPeer, type PeerName, type Task } from './peers.ts';
import { productsOf } from './products.ts';
import {
  HERE,
  largestDifference,
  NAIVE,
  type EarlyResult,
  type NetworkResult,
  type PeerResult,
  type WorkResult,
} from './results.ts';
import {
  computedViews,
  posteriorsOf,
  sampleSize,
  sidesOn,
  timed,
  timeSide,
  unitsOf,
  type Side,
} from './sides.ts';
import { takeTurns } from './turns.ts';
import { photoOf, spread, worksOf, type Work } from './works.ts';

/** What is measured of a network, and how. */
export interface Measurement {
  protocols: readonly Protocol[];
  repeats: number;
  threads: number;
  python: string;
  peers: readonly PeerName[];
  /** Is told what is being done. */
  onStep: (step: string) => void;
}

/** Peers that are not there, and why. */
export type Absent = Map<PeerName, string>;

const PHOTO = { width: 1600, height: 1200 };
const PAUSE_MS = 50;

/** @param absent peers that are missing are not asked again, and new ones are added */
export async function measureNetwork(
  engine: Engine,
  subject: Subject,
  measurement: Measurement,
  absent: Absent,
): Promise<NetworkResult> {
  const { onStep, repeats } = measurement;
  onStep(`${subject.name}: loading`);
  const model = await engine.load(subject.model);
  const { device } = engine.facts();
  const sides = sidesOn(device);
  const folder = await mkdtemp(join(tmpdir(), 'vgg-serve-crops-'));
  const ready: CropsPeer[] = [];
  try {
    const { works, evaluations } = await networkWorks(subject, measurement.protocols);
    const { crops, posteriors, difference } = await answers(model, works, sides);
    const task: Task = {
      folder,
      model: subject.model,
      crops,
      posteriors,
      threads: measurement.threads,
      device,
    };
    ready.push(...(await startPeers(task, measurement, absent)));
    const results: WorkResult[] = [];
    const early: EarlyResult[] = [];
    const peers: PeerResult[] = [];
    // One protocol after the other, as requests have them: plans of a few planes are remembered.
    for (const evaluation of evaluations) {
      const { protocol } = evaluation;
      const own = works.filter((work) => work.protocol === protocol);
      const others = protocol === 'MULTI_CROP' ? ready : [];
      const turns = [
        ...own.flatMap((work) => sides.map((side) => () => timeSide(model, side, work))),
        () => timed(() => scoreUntilKnown(model, own, evaluation)),
        ...others.map((peer) => () => peer.time()),
      ];
      onStep(`${subject.name}, ${protocol}: ${String(repeats)} rounds of ${String(turns.length)} turns`);
      const times = await takeTurns(turns, repeats, () => setTimeout(PAUSE_MS));
      results.push(...own.map((work) => workResult(model, work, sides, times.splice(0, sides.length))));
      const taken = await scoreUntilKnown(model, own, evaluation);
      early.push({ protocol, taken, ms: times.splice(0, 1).flat() });
      peers.push(...others.map((peer, i) => peerResult(peer, crops.length, times[i] ?? [])));
    }
    return { ...describe(subject), difference, works: results, early, peers };
  } finally {
    for (const peer of ready) await peer.end();
    await rm(folder, { recursive: true });
    await model.unload();
  }
}

function describe({ name, weights, model, evaluation }: Subject) {
  const { inputSize } = model.spec;
  const { grid, align } = resolveEvaluation(evaluation, { inputSize, scales: model.json.scales });
  return { name, weights, inputSize, grid, align };
}

async function networkWorks({ model, evaluation }: Subject, protocols: readonly Protocol[]) {
  const { inputSize } = model.spec;
  const { mean, scales, kernel } = model.json;
  const photo = await photoOf(PHOTO);
  const works: Work[] = [];
  const evaluations: Evaluation[] = [];
  for (const protocol of protocols) {
    const resolved = resolveEvaluation({ scales, ...evaluation, protocol }, { inputSize, kernel });
    evaluations.push(resolved);
    works.push(...(await worksOf(photo, resolved, { mean: meanColour(mean), inputSize })));
  }
  return { works, evaluations };
}

// What peers are compared with, and how far HERE is from it.
async function answers(model: EngineModel, works: readonly Work[], sides: readonly Side[]) {
  const of = (name: string) => sides.find((side) => side.name === name) as Side;
  const all = works
    .filter(({ protocol }) => protocol === 'MULTI_CROP')
    .flatMap((work) => work.views.map((view): Crop => ({ work, view })));
  // Crops that a peer scores in its turn, of all planes.
  const crops = of(NAIVE).apart ? spread(all, sampleSize(model.model.spec)) : all;
  const naive: Float32Array[] = [];
  const here: Float32Array[] = [];
  for (const work of new Set(crops.map((crop) => crop.work))) {
    const views = crops.filter((crop) => crop.work === work).map(({ view }) => view);
    const alone = await posteriorsOf(model, of(NAIVE), { ...work, views });
    const shared = await posteriorsOf(model, of(HERE), work);
    for (const { index } of views) {
      naive.push(alone.get(index) ?? new Float32Array());
      here.push(shared.get(index) ?? new Float32Array());
    }
  }
  return { crops, posteriors: naive, difference: largestDifference(here, naive) };
}

async function startPeers(
  task: Task,
  { python, peers, onStep }: Measurement,
  absent: Absent,
): Promise<CropsPeer[]> {
  const asked = peers.filter((name) => !absent.has(name));
  if (task.crops.length === 0 || asked.length === 0) return [];
  writeTask(task);
  const ready: CropsPeer[] = [];
  for (const name of asked) {
    onStep(`${name}: loading, and choosing how it is quickest`);
    const peer = await startCropsPeer(python, name, task);
    if ('missing' in peer) absent.set(name, peer.missing);
    else ready.push(peer);
  }
  return ready;
}

function workResult(
  model: EngineModel,
  work: Work,
  sides: readonly Side[],
  times: readonly number[][],
): WorkResult {
  const { protocol, plane, views } = work;
  const { width, height } = plane;
  const timed = sides.map((side, i) => {
    const computed = computedViews(model.model.spec, side, work).length;
    return [side.name, { computed, ms: times[i] ?? [] }] as const;
  });
  const here = sides.find(({ name }) => name === HERE) as Side;
  const units = unitsOf(model, here, work);
  const together = units.reduce((sum, { shared, views }) => sum + (shared ? views.length : 0), 0);
  return {
    ...{ protocol, plane: { width, height }, views: views.length, together },
    products: productsOf(model.model.spec, views, units),
    sides: Object.fromEntries(timed),
  };
}

function peerResult(peer: CropsPeer, computed: number, ms: number[]): PeerResult {
  const { name, version, way, batch, difference } = peer;
  return { name, version, way, batch, difference, computed, ms };
}
