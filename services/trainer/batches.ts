// What passes from the photos to the network: the seam of the trainer.

/** A batch, mean already subtracted. */
export interface TrainingBatch {
  /** [images, inputSize, inputSize, 3]: RGB levels minus the training set's mean, augmented. */
  pixels: Float32Array;
  /** [images] class indices. */
  classes: Int32Array;
}

/** Where a run is in its photos: enough to go on with the very next batch. JSON. */
export interface BatchPosition {
  /** Epochs that have ended. */
  epoch: number;
  /** Batches of this epoch that were given. */
  batch: number;
}

/** Batches of one epoch after another, prepared ahead of their reader. */
export interface BatchSource {
  /** Images of an epoch, after balancing. */
  readonly imagesPerEpoch: number;
  /** Full batches of an epoch. */
  readonly batchesPerEpoch: number;
  /** The next piece of at most recipe.microBatch images; batches are recipe.batch / microBatch pieces. */
  next(): Promise<TrainingBatch>;
  /** Milliseconds that `next` has kept its callers waiting, in all. */
  readonly waitedMs: number;
  close(): Promise<void>;
}
