// A training run from photos to model: epochs, checks, checkpoints. Knows the order of things; how photos
// become batches, networks learn and rates fall is their files'.

import { mkdir } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { checkNameFree } from '../../models/store.ts';
import { VggError, expected, type NetworkSpec } from '../../vgg/index.ts';
import type { TensorFlow } from '../host/tensorflow/library.ts';
import type { BatchPosition } from './batches.ts';
import {
  checkSameRecipe,
  openCheckpoint,
  writeCheckpoint,
  type CheckpointFacts,
  type OpenCheckpoint,
} from './checkpoint.ts';
import type { EpochLine } from './curves/log.ts';
import { addToTensorBoard } from './curves/tensorboard.ts';
import { exportModel } from './network/export.ts';
import { initialise } from './network/initialisation.ts';
import { TrainingNetwork } from './network/network.ts';
import { createLoader, validationBatches, type ValidationBatches } from './photos/loader.ts';
import { checkRecipe, testScales, type Recipe } from './recipe.ts';
import { RunFolder } from './run-folder.ts';
import { FIRST_STATE, judgeEpoch, learningRate, type ScheduleState } from './schedule.ts';
import { openTrainingPhotos, type TrainingPhotos } from './training-photos.ts';
import { errorsOf, type Validation } from './validation.ts';

/** What a run is told beside its recipe. */
export interface TrainingOptions {
  /** Folder of photos, one folder a class. */
  photos: string;
  /** Folder of the run: recipe, log, curves, checkpoint. */
  run: string;
  recipe: Recipe;
  /** Go on with the run's checkpoint; without it the run's folder must have none. */
  resume: boolean;
  /** The model that becomes of it. */
  model: { name: string; to: string; dtype: 'F32' | 'F16'; licence: string; provenance: string };
  /** Threads that decode and cut photos. */
  threads: number;
  /** Memory for decoded photos. */
  cacheBytes: number;
  /** Saves and ends the run after the batch under way. */
  signal?: AbortSignal;
  onProgress?: (progress: TrainingProgress) => void;
  /** Monotonic milliseconds. */
  now?: () => number;
}

/** Errors of an epoch on the held-out photos, and which epoch it was. */
export interface BestEpoch extends Validation {
  epoch: number;
}

/** How far a run is. Errors are shares. */
export type TrainingProgress =
  | { kind: 'note'; text: string }
  | {
      kind: 'batch';
      /** From 1. */
      epoch: number;
      epochs: number;
      batch: number;
      batches: number;
      loss: number;
      learningRate: number;
      imagesPerSecond: number;
      /** Until the last epoch, if the rate's schedule does not end the run before. */
      secondsLeft: number;
    }
  | ({
      kind: 'epoch';
      epochs: number;
      /** Whether its error is the least so far. */
      best: boolean;
      secondsLeft: number;
    } & EpochLine);

/** What became of a run. */
export interface TrainingOutcome {
  /** The model's folder. */
  folder: string;
  best: BestEpoch;
  epochs: number;
}

interface RunFacts extends CheckpointFacts {
  position: BatchPosition;
  schedule: ScheduleState;
  best: BestEpoch | null;
  /** Of the epoch under way. */
  sums: Sums;
  photosHash: string;
}

interface Sums {
  loss: number;
  wrong: number;
  images: number;
  seconds: number;
  waitedSeconds: number;
}

const NO_SUMS: Sums = { loss: 0, wrong: 0, images: 0, seconds: 0, waitedSeconds: 0 };
// A killed run loses at most so much.
const SAVE_EVERY_MS = 10 * 60_000;

/**
 * Trains a network and writes it as a model: the weights of the epoch with the least validation error.
 *
 * @throws VggError INVALID_ARGUMENT for a wrong recipe, photos or run folder, or if the loss is no number any more;
 *   the signal's reason once the run is saved
 */
export async function train(tf: TensorFlow, options: TrainingOptions): Promise<TrainingOutcome> {
  checkRecipe(options.recipe);
  await checkNameFree(options.model.to, options.model.name);
  await mkdir(options.run, { recursive: true });
  const folder = new RunFolder(options.run, options.recipe);
  const checkpoint = await openCheckpoint<RunFacts>(folder.checkpoint);
  if (checkpoint && !options.resume) {
    throw expected('a run folder without a checkpoint, or to resume it', options.run, 'run');
  }
  if (checkpoint) checkSameRecipe(checkpoint.facts.recipe, options.recipe, ['epochs', 'microBatch']);
  const photos = await openTrainingPhotos(options, folder.colours);
  if (checkpoint && checkpoint.facts.photosHash !== photos.hash)
    throw expected('the photos that the run began with', 'others', 'photos');
  await folder.heldOut(photos.validation, photos.labels);
  const run = new Run(tf, options, folder, photos);
  try {
    if (checkpoint) await run.restore(checkpoint);
    else await run.begin();
    await run.toTheEnd();
    return await run.export();
  } finally {
    run.dispose();
  }
}

class Run {
  readonly #tf: TensorFlow;
  readonly #options: TrainingOptions;
  readonly #folder: RunFolder;
  readonly #photos: TrainingPhotos;
  readonly #network: TrainingNetwork;
  readonly #say: (progress: TrainingProgress) => void;
  readonly #now: () => number;
  #position: BatchPosition = { epoch: 0, batch: 0 };
  #schedule: ScheduleState = FIRST_STATE;
  #best: BestEpoch | null = null;
  #sums: Sums = { ...NO_SUMS };
  #savedAt: number;

  constructor(tf: TensorFlow, options: TrainingOptions, folder: RunFolder, photos: TrainingPhotos) {
    const { recipe, onProgress = () => undefined, now = () => performance.now() } = options;
    this.#tf = tf;
    this.#options = options;
    this.#folder = folder;
    this.#photos = photos;
    this.#say = onProgress;
    this.#now = now;
    this.#savedAt = now();
    this.#network = new TrainingNetwork(tf, specOf(recipe, photos.labels.length), recipe);
  }

  async begin(): Promise<void> {
    const copied = await initialise(this.#network, this.#options.recipe);
    if (copied.length > 0) this.#note(`Begins with ${copied.join(', ')} of another model`);
    await this.#folder.begin(this.#options.recipe);
  }

  async restore(checkpoint: OpenCheckpoint<RunFacts>): Promise<void> {
    const { facts } = checkpoint;
    await checkpoint.restore(this.#network);
    this.#position = facts.position;
    this.#schedule = facts.schedule;
    this.#best = facts.best;
    this.#sums = facts.sums;
    await this.#folder.resume(this.#options.recipe, facts.position.epoch);
    const { epoch, batch } = facts.position;
    this.#note(`Goes on after epoch ${String(epoch)} and ${String(batch)} batches`);
  }

  /** Trains until the schedule ends it. A restored run may be there already. */
  async toTheEnd(): Promise<void> {
    const { recipe, threads, cacheBytes } = this.#options;
    if (this.#finished()) return;
    const shared = { ...this.#photos.source(recipe), threads, cacheBytes };
    const onUnreadable = ({ name, reason }: { name: string; reason: string }) => {
      this.#note(`Left out ${name}: ${reason}`);
    };
    const training = { ...shared, photos: this.#photos.training, onUnreadable };
    const held = validationBatches({ ...shared, photos: this.#photos.validation, onUnreadable });
    const loader = createLoader(training, this.#position);
    try {
      for (let done = false; !done;) {
        while (this.#position.batch < loader.batchesPerEpoch) await this.#batch(loader);
        done = await this.#endOfEpoch(held, loader.batchesPerEpoch);
      }
    } finally {
      await loader.close();
    }
  }

  async export(): Promise<TrainingOutcome> {
    const { model, recipe } = this.#options;
    const best = this.#best;
    if (!best) throw new Error('a run without an epoch');
    const facts = {
      name: model.name,
      mean: this.#photos.mean,
      scales: testScales(recipe),
      kernel: recipe.kernel,
      provenance: model.provenance,
      licence: model.licence,
    };
    const { to, dtype } = model;
    const labels = this.#photos.labels;
    const folder = await exportModel(this.#network, facts, { to, labels, dtype, weights: 'best' });
    return { folder, best, epochs: this.#position.epoch };
  }

  dispose(): void {
    this.#network.dispose();
  }

  #finished(): boolean {
    const { recipe } = this.#options;
    const { drops, epochsSince } = this.#schedule;
    const stuck = recipe.schedule === 'plateau' && drops >= recipe.drops && epochsSince >= recipe.patience;
    return stuck || this.#position.epoch >= recipe.epochs;
  }

  async #batch(loader: ReturnType<typeof createLoader>): Promise<void> {
    const { recipe, signal } = this.#options;
    const { epoch, batch } = this.#position;
    const started = this.#now();
    const waitedBefore = loader.waitedMs;
    const rate = learningRate(recipe, this.#schedule, epoch + batch / loader.batchesPerEpoch);
    let loss = 0;
    for (let images = 0; images < recipe.batch;) {
      const piece = await loader.next();
      const result = this.#network.accumulate(piece);
      const count = piece.classes.length;
      images += count;
      loss += (result.loss * count) / recipe.batch;
      this.#sums.wrong += count - result.correct;
    }
    if (!Number.isFinite(loss)) throw diverged(loss, rate, epoch, batch);
    this.#network.apply(rate);
    const sums = this.#sums;
    sums.images += recipe.batch;
    sums.loss += loss * recipe.batch;
    sums.seconds += (this.#now() - started) / 1000;
    sums.waitedSeconds += (loader.waitedMs - waitedBefore) / 1000;
    this.#position = { epoch, batch: batch + 1 };
    const imagesPerSecond = sums.images / sums.seconds;
    const imagesLeft = ((recipe.epochs - epoch) * loader.batchesPerEpoch - batch - 1) * recipe.batch;
    this.#say({
      ...{ kind: 'batch', epoch: epoch + 1, epochs: recipe.epochs },
      ...{ batch: batch + 1, batches: loader.batchesPerEpoch, loss, learningRate: rate },
      ...{ imagesPerSecond, secondsLeft: imagesLeft / imagesPerSecond },
    });
    // Signals and timers have their turn.
    await setImmediate();
    if (signal?.aborted || this.#now() - this.#savedAt > SAVE_EVERY_MS) await this.#save();
    signal?.throwIfAborted();
  }

  async #endOfEpoch(held: ValidationBatches, batches: number): Promise<boolean> {
    const { recipe } = this.#options;
    const started = this.#now();
    const { loss, wrong, images, seconds, waitedSeconds } = this.#sums;
    const epoch = this.#position.epoch + 1;
    const line: EpochLine = {
      ...{ epoch, step: epoch * batches, loss: loss / images, error: wrong / images },
      validation: this.#photos.validation.length > 0 ? await errorsOf(this.#network, held.batches()) : null,
      learningRate: learningRate(recipe, this.#schedule, epoch - 1 / batches),
      ...{ imagesPerSecond: images / seconds, waitedShare: waitedSeconds / seconds },
      seconds: seconds + (this.#now() - started) / 1000,
    };
    const errors = line.validation ?? { loss: line.loss, top1: line.error, top5: NaN };
    const verdict = judgeEpoch(recipe, this.#schedule, errors.top1, epoch);
    if (verdict.best) {
      this.#network.keepBest();
      this.#best = { epoch, ...errors };
    }
    this.#schedule = verdict.state;
    this.#position = { epoch, batch: 0 };
    this.#sums = { ...NO_SUMS };
    await this.#folder.add(line);
    addToTensorBoard(this.#tf, this.#folder.tensorBoard, line);
    await this.#save();
    const secondsLeft = (recipe.epochs - epoch) * line.seconds;
    this.#say({ kind: 'epoch', epochs: recipe.epochs, best: verdict.best, secondsLeft, ...line });
    return verdict.done;
  }

  async #save(): Promise<void> {
    const facts: RunFacts = {
      recipe: this.#options.recipe,
      position: this.#position,
      schedule: this.#schedule,
      best: this.#best,
      sums: this.#sums,
      photosHash: this.#photos.hash,
    };
    await writeCheckpoint(this.#folder.checkpoint, this.#network, facts);
    this.#savedAt = this.#now();
  }

  #note(text: string): void {
    this.#say({ kind: 'note', text });
  }
}

function specOf({ network, width, hidden, inputSize, batchNorm }: Recipe, classes: number): NetworkSpec {
  return { network, width, hidden, inputSize, batchNorm, classes };
}

function diverged(loss: number, rate: number, epoch: number, batch: number): VggError {
  return new VggError(
    'INVALID_ARGUMENT',
    `Expected a finite loss but received ${String(loss)} in epoch ${String(epoch + 1)}, batch ${String(batch + 1)}: ` +
      `lower the learning rate (${rate.toPrecision(2)} there), let it rise over warmUp epochs, or use batch normalisation`,
  );
}
