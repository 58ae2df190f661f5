// What the pieces of a run are: which photos, which crops, in which order. A piece is a function of the job and its
// number, whichever thread makes it. Knows photos and crops; neither threads nor readers.

import { VggError } from '../../../vgg/errors.ts';
import type { Kernel, Rgb } from '../../../vgg/views.ts';
import type { Recipe } from '../recipe.ts';
import { centreCrop, drawCrop } from './augmentation.ts';
import { Cropper, writePixels, type Pixels } from './crop.ts';
import { decodedPhoto } from './decoded.ts';
import type { Triple } from './eigen.ts';
import type { PhotoFile } from './folder.ts';
import { PlaneCache, type CacheMemory } from './plane-cache.ts';
import { createSampler, type Sampler } from './sampling.ts';
import { reasonOf, type Unreadable } from './unreadable.ts';

/** The part of a recipe that pieces are made by. */
export type PieceRecipe = Pick<
  Recipe,
  'seed' | 'scales' | 'inputSize' | 'mirror' | 'colourShift' | 'balance' | 'batch' | 'microBatch'
> & { kernel: Kernel };

/** All that pieces depend on; crosses to threads as it is. */
export interface Job {
  /** training: random crops, epoch after epoch; validation: centre crops, once, as levels. */
  kind: 'training' | 'validation';
  root: string;
  photos: readonly PhotoFile[];
  recipe: PieceRecipe;
  mean: Rgb;
  /** Principal components of colours, in levels. */
  axes: readonly Triple[];
  memory?: CacheMemory;
}

/** Up to recipe.microBatch crops. */
export interface Piece {
  /** training: [images, s, s, 3], mean subtracted; validation: levels. */
  pixels: Float32Array<ArrayBuffer> | Uint8ClampedArray<ArrayBuffer>;
  /** [images] */
  classes: Int32Array<ArrayBuffer>;
  /** Photos that were to be in it. */
  unreadable: Unreadable[];
}

/** Full batches of an epoch; photos beyond the last one are left to later epochs' cycles. */
export function batchesPerEpoch(photos: number, { batch }: Pick<Recipe, 'batch'>): number {
  return Math.floor(photos / batch);
}

/** Pieces of an epoch, or of all held-out photos. */
export function pieceCount({ kind, photos, recipe }: Pick<Job, 'kind' | 'photos' | 'recipe'>): number {
  return kind === 'training'
    ? batchesPerEpoch(photos.length, recipe) * (recipe.batch / recipe.microBatch)
    : Math.ceil(photos.length / recipe.microBatch);
}

/** Makes the pieces of a job, one at a time. */
export class PieceMaker {
  readonly #job: Job;
  readonly #cropper: Cropper;
  readonly #sampler: Sampler;
  readonly #cache: PlaneCache | undefined;
  readonly #unreadable = new Map<number, string>();
  #epoch = -1;
  #order: Int32Array = new Int32Array(0);

  constructor(job: Job) {
    this.#job = job;
    this.#cropper = new Cropper(job.recipe.inputSize, job.recipe.kernel);
    this.#sampler = createSampler(
      job.photos.map(({ classIndex }) => classIndex),
      job.recipe,
    );
    this.#cache = job.memory && new PlaneCache(job.memory);
  }

  /**
   * Piece number `index`, from 0; in training they go on through the epochs.
   *
   * In training, the next photo of its class that can be decoded stands for one that cannot, so that pieces keep
   * their size and the same ones come again.
   *
   * @throws VggError INVALID_ARGUMENT if no photo of a class can be decoded
   */
  async make(index: number): Promise<Piece> {
    return this.#job.kind === 'training' ? this.#training(index) : this.#validation(index);
  }

  async #training(index: number): Promise<Piece> {
    const { recipe, photos, mean, axes } = this.#job;
    const { inputSize, microBatch } = recipe;
    const perEpoch = pieceCount(this.#job);
    const epoch = Math.floor(index / perEpoch);
    if (epoch !== this.#epoch) {
      this.#order = this.#sampler.order(epoch);
      this.#epoch = epoch;
    }
    const values = inputSize * inputSize * 3;
    const levels = new Uint8ClampedArray(values);
    const pixels = new Float32Array(microBatch * values);
    const classes = new Int32Array(microBatch);
    const unreadable: Unreadable[] = [];
    for (let i = 0; i < microBatch; i++) {
      const place = (index % perEpoch) * microBatch + i;
      const photo = this.#order[place] ?? 0;
      const source = await this.#readableOf(photo, unreadable);
      const crop = drawCrop(recipe, axes, source, epoch, place);
      this.#cropper.cut(source, crop, levels);
      const [red, green, blue] = crop.shift;
      const offset: Triple = [red - mean.red, green - mean.green, blue - mean.blue];
      const target = pixels.subarray(i * values, (i + 1) * values);
      writePixels(levels, inputSize, crop.mirrored, offset, target);
      classes[i] = photos[photo]?.classIndex ?? 0;
    }
    return { pixels, classes, unreadable };
  }

  async #validation(index: number): Promise<Piece> {
    const { recipe, photos } = this.#job;
    const { inputSize, microBatch } = recipe;
    const first = index * microBatch;
    const values = inputSize * inputSize * 3;
    const levels = new Uint8ClampedArray(Math.min(microBatch, photos.length - first) * values);
    const classes: number[] = [];
    const unreadable: Unreadable[] = [];
    for (let photo = first; photo < Math.min(first + microBatch, photos.length); photo++) {
      const source = await this.#decoded(photo, unreadable);
      if (!source) continue;
      const target = levels.subarray(classes.length * values, (classes.length + 1) * values);
      this.#cropper.cut(source, centreCrop(recipe, source), target);
      classes.push(photos[photo]?.classIndex ?? 0);
    }
    return {
      pixels: levels.slice(0, classes.length * values),
      classes: Int32Array.from(classes),
      unreadable,
    };
  }

  // The photo, or the next of its class that can be decoded, in the order of the list and around its end.
  async #readableOf(photo: number, unreadable: Unreadable[]): Promise<Pixels> {
    const { photos } = this.#job;
    const classIndex = photos[photo]?.classIndex;
    for (let step = 0; step < photos.length; step++) {
      const candidate = (photo + step) % photos.length;
      if (photos[candidate]?.classIndex !== classIndex) continue;
      const source = await this.#decoded(candidate, unreadable);
      if (source) return source;
    }
    const name = photos[photo]?.name ?? '';
    throw new VggError('INVALID_ARGUMENT', `Expected a photo that can be decoded in the class of ${name}`);
  }

  async #decoded(photo: number, unreadable: Unreadable[]): Promise<Pixels | undefined> {
    const kept = this.#cache?.get(photo);
    if (kept) return kept;
    if (this.#unreadable.has(photo)) return undefined;
    const { root, photos, recipe, mean } = this.#job;
    const name = photos[photo]?.name ?? '';
    try {
      const source = await decodedPhoto(name, {
        root,
        largestScale: recipe.scales[1],
        kernel: recipe.kernel,
        background: mean,
      });
      this.#cache?.put(photo, source);
      return source;
    } catch (error) {
      const reason = reasonOf(error);
      this.#unreadable.set(photo, reason);
      unreadable.push({ name, reason });
      return undefined;
    }
  }
}
