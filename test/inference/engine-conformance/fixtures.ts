// Planes, views and models that the tests of engines share.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { readTensors, type OpenModel } from '../../../models/store.ts';
import { packageRoot } from '../../../proto/package-root.ts';
import type {
  EngineModel,
  PlanePixels,
  Unit,
  ViewScores,
  Wanted,
} from '../../../services/inference/engine.ts';
import type { NetworkName, NetworkSpec, View } from '../../../vgg/index.ts';

const GOLDEN = join(packageRoot, 'test', 'golden');

/** What test/golden/networks/X/expected.json holds: answers of another implementation. */
export interface Golden {
  network: NetworkName;
  width: number;
  hidden: number;
  classes: number;
  input: number;
  mean: [number, number, number];
  Q: number;
  center_crop: number[];
  dense_unmirrored: number[];
  dense_mirrored: number[];
  dense_score_map_unmirrored: { shape_chw: [number, number, number]; values: number[] };
  crops: { x: number; y: number; mirrored: boolean; posterior: number[] }[];
}

/** A golden network as a model, and its expected answers. */
export async function goldenNetwork(network: string): Promise<{ model: OpenModel; golden: Golden }> {
  const folder = join(GOLDEN, 'networks', network);
  const golden = JSON.parse(await readFile(join(folder, 'expected.json'), 'utf8')) as Golden;
  const { width, hidden, classes, input: inputSize, mean } = golden;
  const spec = { network: golden.network, width, hidden, classes, inputSize };
  return { golden, model: await modelOf(network, spec, mean, join(folder, 'weights.safetensors')) };
}

/** A weights file as a model. */
export async function modelOf(
  name: string,
  spec: NetworkSpec,
  mean: [number, number, number],
  weightsPath: string,
): Promise<OpenModel> {
  const json = {
    ...{ name: name.toLowerCase(), ...spec, mean, scales: [spec.inputSize], kernel: 'linear' as const },
    ...{ provenance: 'test', licence: 'CC0-1.0', sha256: '0'.repeat(64) },
  };
  const labels = Array.from({ length: spec.classes }, (_, index) => String(index));
  return { name: json.name, json, spec, labels, weightsPath, tensors: await readTensors(weightsPath) };
}

/** The golden photo: 320×256, so that it is its own plane at Q = 256. */
export async function goldenPlane(): Promise<PlanePixels> {
  const { data, info } = await sharp(join(GOLDEN, 'photo.png'))
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return planeOf(info.width, info.height, data);
}

/** A plane of these bytes. */
export function planeOf(width: number, height: number, bytes: ArrayLike<number>): PlanePixels {
  const rgb8 = new Uint8Array(new SharedArrayBuffer(width * height * 3));
  rgb8.set(bytes);
  return { width, height, rgb8 };
}

/** A plane with no two rows or columns alike. */
export function noisePlane(width: number, height: number, seed = 1): PlanePixels {
  const bytes = Array.from({ length: width * height * 3 }, (_, i) => ((i + 1) * 7919 * (seed + 12)) % 251);
  return planeOf(width, height, bytes);
}

/** A view, by default the whole plane. */
export function viewOf(plane: PlanePixels, part: Partial<View> = {}): View {
  const { width, height } = plane;
  return { index: 0, plane: 0, x: 0, y: 0, width, height, mirrored: false, weight: 1, ...part };
}

/** What most tests want; nothing that depends on how fast the machine is. */
export const PLAIN: Wanted = { scoreOrder: 'MEAN_THEN_SOFTMAX', scoreMaps: false, share: 'off' };

/** Scores views of one plane in batches as large as the engine likes, in the order of the views. */
export async function scoreViews(
  model: EngineModel,
  plane: PlanePixels,
  views: readonly View[],
  wanted: Wanted = PLAIN,
): Promise<ViewScores[]> {
  const groups = new Map<string, Unit[]>();
  for (const unit of model.plan(plane, views, wanted)) {
    groups.set(unit.shapeKey, [...(groups.get(unit.shapeKey) ?? []), unit]);
  }
  const scores: ViewScores[] = [];
  for (const units of groups.values()) {
    const [first] = units;
    const limit = first ? model.batchLimit(first) : 1;
    for (let start = 0; start < units.length; start += limit) {
      const batch = await model.score(units.slice(start, start + limit));
      scores.push(...batch.flatMap((unit) => unit.scores));
    }
  }
  const place = new Map(views.map((view, index) => [view.index, index]));
  return scores.sort((a, b) => (place.get(a.view) ?? 0) - (place.get(b.view) ?? 0));
}

/** Largest absolute difference; infinite if the lengths differ or a number is missing. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity;
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs((a[i] ?? NaN) - (b[i] ?? NaN));
    if (!(difference <= largest)) largest = Number.isNaN(difference) ? Infinity : difference;
  }
  return largest;
}
