// The photos of a run as batches: training ones without end, from any position; held-out ones as often as asked.
// Knows what threads are told and what their pieces are for; neither networks nor how pieces are made.

import { expected } from '../../../vgg/errors.ts';
import type { BatchPosition, BatchSource, TrainingBatch } from '../batches.ts';
import { writePixels } from './crop.ts';
import { usualBytes } from './decoded.ts';
import type { Triple } from './eigen.ts';
import type { PhotoFile } from './folder.ts';
import { createCacheMemory } from './plane-cache.ts';
import { batchesPerEpoch, pieceCount, type Job, type Piece, type PieceRecipe } from './pieces.ts';
import { colourAxes, type ColourStatistics } from './statistics.ts';
import { OrderedPieces } from './threads.ts';
import { UnreadablePhotos, type Unreadable } from './unreadable.ts';

/** What both kinds of batches are made from. */
export interface LoaderOptions {
  /** Folder of the photos. */
  root: string;
  photos: readonly PhotoFile[];
  recipe: PieceRecipe;
  /** Of the training photos, for held-out ones too. */
  statistics: ColourStatistics;
  threads?: number;
  /** Pieces that are ready before they are asked for. */
  ahead?: number;
  /** Memory for decoded photos; those beyond it are decoded each time. */
  cacheBytes?: number;
  onUnreadable?: (unreadable: Unreadable) => void;
  /** Monotonic milliseconds. */
  now?: () => number;
}

const AHEAD = 4;
const GIB = 1024 ** 3;

function jobOf(kind: Job['kind'], { root, photos, recipe, statistics }: LoaderOptions): Job {
  const { mean, components } = statistics;
  return { kind, root, photos, recipe, mean, axes: colourAxes(components) };
}

/**
 * Training batches from a position on: the same as an uninterrupted run gives there, however many threads make
 * them. Batches are full; photos that are left at the end of an epoch are not shown in it. Each piece is the
 * reader's own. Must be closed.
 *
 * @throws VggError INVALID_ARGUMENT if there are fewer photos than a batch has; `next`, if a thread fails or more
 *   than 1 % of photos cannot be decoded
 */
export function createLoader(
  options: LoaderOptions,
  position: BatchPosition = { epoch: 0, batch: 0 },
): BatchSource & { readonly made: number } {
  const { photos, recipe, threads = 1, ahead = AHEAD, cacheBytes = 2 * GIB } = options;
  const { now = () => performance.now() } = options;
  const batches = batchesPerEpoch(photos.length, recipe);
  if (batches < 1) {
    throw expected(`at least one batch of ${String(recipe.batch)} training photos`, photos.length, 'batch');
  }
  const job = jobOf('training', options);
  const most = photos.length * usualBytes(recipe.scales[1]);
  job.memory = createCacheMemory(photos.length, cacheBytes, most);
  const first = position.epoch * pieceCount(job) + position.batch * (recipe.batch / recipe.microBatch);
  const pieces = new OrderedPieces(job, { threads, ahead, first });
  const unreadable = new UnreadablePhotos(photos.length, options.onUnreadable ?? (() => undefined));
  let waitedMs = 0;

  return {
    imagesPerEpoch: photos.length,
    batchesPerEpoch: batches,
    get waitedMs() {
      return waitedMs;
    },
    get made() {
      return pieces.made;
    },
    async next() {
      const started = now();
      const piece = await pieces.next();
      waitedMs += now() - started;
      for (const each of piece.unreadable) unreadable.add(each);
      return { pixels: piece.pixels as Float32Array, classes: piece.classes };
    },
    close: () => pieces.close(),
  };
}

/** Held-out photos, as often as asked. */
export interface ValidationBatches {
  /** All held-out photos once, in order, up to recipe.microBatch a piece. One reader at a time. */
  batches(): AsyncGenerator<TrainingBatch, void, undefined>;
}

// Crops are kept as bytes; ImageNet's 50,000 would take 7 GB.
const KEPT_CROPS = GIB / 2;

/**
 * Centre crops of held-out photos at the middle scale, round((least + most) / 2), without anything random. They are
 * made once and kept, if they take no more than 512 MiB. Photos that cannot be decoded are left out.
 */
export function validationBatches(options: LoaderOptions, keptBytes = KEPT_CROPS): ValidationBatches {
  const { photos, recipe, statistics, threads = 1, ahead = AHEAD } = options;
  const { mean } = statistics;
  const values = recipe.inputSize ** 2 * 3;
  const job = jobOf('validation', options);
  const unreadable = new UnreadablePhotos(photos.length, options.onUnreadable ?? (() => undefined));
  const keeps = photos.length * values <= keptBytes;
  let kept: Piece[] | undefined;

  async function* made(): AsyncGenerator<Piece, void, undefined> {
    const count = pieceCount(job);
    const pieces = new OrderedPieces(job, { threads, ahead, count });
    try {
      const all: Piece[] = [];
      for (let i = 0; i < count; i++) {
        const piece = await pieces.next();
        for (const each of piece.unreadable) unreadable.add(each);
        if (keeps) all.push(piece);
        yield piece;
      }
      if (keeps) kept = all;
    } finally {
      await pieces.close();
    }
  }

  return {
    async *batches() {
      for await (const { pixels: levels, classes } of kept ?? made()) {
        const pixels = new Float32Array(levels.length);
        const offset: Triple = [-mean.red, -mean.green, -mean.blue];
        writePixels(levels as Uint8ClampedArray, recipe.inputSize, false, offset, pixels);
        if (classes.length > 0) yield { pixels, classes };
      }
    },
  };
}
