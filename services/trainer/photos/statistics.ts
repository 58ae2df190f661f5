// Mean and spread of the training photos' colours: what is subtracted from each pixel, and along which axes colours
// are shifted. Knows photos and sums; keeps what it found in a file.

import { createHash } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import type { Rgb } from '../../../vgg/views.ts';
import { randomAt } from '../../../vgg/random.ts';
import type { Recipe } from '../recipe.ts';
import type { Pixels } from './crop.ts';
import { decodedPhoto } from './decoded.ts';
import { symmetricEigen, type Eigen, type Matrix, type Triple } from './eigen.ts';
import type { PhotoFile } from './folder.ts';
import { reasonOf, UnreadablePhotos, type Unreadable } from './unreadable.ts';

/** Colours of the training photos, in levels from 0 to 255. */
export interface ColourStatistics {
  mean: Rgb;
  /** Of the covariance of pixels' red, green and blue; values in levels². */
  components: Eigen;
  /** Photos that were looked at. */
  photos: number;
}

/** What statistics are of, and how they are computed. */
export interface StatisticsOptions {
  root: string;
  /** The training photos: no held-out photo has a say. */
  training: readonly PhotoFile[];
  recipe: Pick<Recipe, 'seed' | 'scales' | 'kernel'>;
  /** JSON file that they are kept in; one of the same photos is read instead of looking at photos again. */
  file: string;
  /** Photos that are decoded at once. */
  atOnce: number;
  signal?: AbortSignal;
  onUnreadable?: (unreadable: Unreadable) => void;
  /** Is told of every photo that was looked at. */
  onPhoto?: (done: number, of: number) => void;
  /** Most photos that are looked at, drawn by the seed from all. */
  most?: number;
}

// A mean over so many photos is known to a fraction of a level.
const MOST = 10_000;
// Before the mean is known, transparency is laid over grey.
const GREY: Rgb = { red: 128, green: 128, blue: 128 };
// Sums of a photo: red, green, blue, then their products.
const SUMS = 9;

/**
 * Statistics of photos as crops of the least training scale are cut from them. Each photo counts the same, whatever its size, for each gives
 * crops of one size to training. The result does not depend on which photo is decoded first.
 *
 * @throws VggError INVALID_ARGUMENT if more than 1 % of photos cannot be decoded; the signal's reason
 */
export async function colourStatistics(options: StatisticsOptions): Promise<ColourStatistics> {
  const { file } = options;
  const photos = chosen(options);
  const { scales, kernel } = options.recipe;
  const hash = createHash('sha256')
    .update(JSON.stringify([scales[0], kernel, photos.map(({ name }) => name)]))
    .digest('hex');
  const kept = await readKept(file);
  if (kept?.hash === hash) return kept.statistics;
  const statistics = combined(await sumsOf(photos, options));
  const text = `${JSON.stringify({ hash, statistics }, undefined, 2)}\n`;
  await writeFile(`${file}.part`, text);
  await rename(`${file}.part`, file);
  return statistics;
}

function chosen({ training, recipe: { seed }, most = MOST }: StatisticsOptions): PhotoFile[] {
  if (training.length <= most) return [...training];
  const indices = randomAt(seed, 'statistics').shuffle(Uint32Array.from(training, (_, i) => i));
  return [...indices.subarray(0, most).sort()].flatMap((i) => training[i] ?? []);
}

async function readKept(file: string): Promise<{ hash: string; statistics: ColourStatistics } | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as { hash: string; statistics: ColourStatistics };
  } catch {
    return undefined; // None yet, or not a whole one: it is written anew.
  }
}

// [photos, SUMS], NaN where a photo cannot be decoded: added up in order of the list, not of the decoder.
async function sumsOf(photos: readonly PhotoFile[], options: StatisticsOptions): Promise<Float64Array> {
  const { root, recipe, atOnce, signal, onPhoto } = options;
  const unreadable = new UnreadablePhotos(photos.length, options.onUnreadable ?? (() => undefined));
  const purpose = { root, largestScale: recipe.scales[0], kernel: recipe.kernel, background: GREY };
  const sums = new Float64Array(photos.length * SUMS);
  let next = 0;
  let done = 0;
  const work = async () => {
    for (let i = next++; i < photos.length; i = next++) {
      signal?.throwIfAborted();
      const name = photos[i]?.name ?? '';
      const pixels = await decodedPhoto(name, purpose).catch((error: unknown) => {
        unreadable.add({ name, reason: reasonOf(error) });
      });
      const row = sums.subarray(i * SUMS, (i + 1) * SUMS);
      if (pixels) addPhoto(pixels, row);
      else row.fill(NaN);
      onPhoto?.(++done, photos.length);
    }
  };
  const workers = Array.from({ length: atOnce }, () =>
    work().catch((error: unknown) => {
      next = photos.length; // The others begin no more.
      throw error;
    }),
  );
  // Nothing runs any more when the first failure is told.
  const failure = (await Promise.allSettled(workers)).find((each) => each.status === 'rejected');
  if (failure) throw failure.reason;
  return sums;
}

function addPhoto({ rgb8, width, height }: Pixels, sums: Float64Array): void {
  let [r, g, b, rr, rg, rb, gg, gb, bb] = [0, 0, 0, 0, 0, 0, 0, 0, 0];
  for (let at = 0; at < width * height * 3; at += 3) {
    const red = rgb8[at] ?? 0;
    const green = rgb8[at + 1] ?? 0;
    const blue = rgb8[at + 2] ?? 0;
    r += red;
    g += green;
    b += blue;
    rr += red * red;
    rg += red * green;
    rb += red * blue;
    gg += green * green;
    gb += green * blue;
    bb += blue * blue;
  }
  sums.set([r, g, b, rr, rg, rb, gg, gb, bb].map((sum) => sum / (width * height)));
}

function combined(sums: Float64Array): ColourStatistics {
  const total = new Float64Array(SUMS);
  let photos = 0;
  for (let at = 0; at < sums.length; at += SUMS) {
    if (Number.isNaN(sums[at])) continue;
    photos++;
    for (let i = 0; i < SUMS; i++) total[i] = (total[i] ?? 0) + (sums[at + i] ?? 0);
  }
  const [r = 0, g = 0, b = 0, rr = 0, rg = 0, rb = 0, gg = 0, gb = 0, bb = 0] = total.map(
    (sum) => sum / photos,
  );
  const covariance: Matrix = [
    [rr - r * r, rg - r * g, rb - r * b],
    [rg - r * g, gg - g * g, gb - g * b],
    [rb - r * b, gb - g * b, bb - b * b],
  ];
  return { mean: { red: r, green: g, blue: b }, components: symmetricEigen(covariance), photos };
}

/** Principal components as long as colours vary along them: unit vectors times deviations, in levels. */
export function colourAxes({ values, vectors }: Eigen): Triple[] {
  return vectors.map((vector, i) => {
    // Rounding may leave an eigenvalue of 0 just below it.
    const deviation = Math.sqrt(Math.max(0, values[i] ?? 0));
    return vector.map((each) => each * deviation) as Triple;
  });
}
