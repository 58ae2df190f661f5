// How a network is trained: the paper's recipe (Section 3.1) as numbers, and what may be said otherwise.
// Knows ranges and defaults; not how any of it is done. A run is its recipe and its photos.

import { expected } from '../../vgg/errors.ts';
import { checkInputSize, NETWORK_NAMES, type NetworkName } from '../../vgg/networks.ts';
import { KERNELS, type Kernel } from '../../vgg/views.ts';

/** How weights begin; biases are 0 in any case. */
export const INITIALISATIONS = ['glorot', 'normal', 'kaiming'] as const;
/** See {@link INITIALISATIONS}. */
export type Initialisation = (typeof INITIALISATIONS)[number];

/** How the learning rate falls: tenfold when validation accuracy stops improving, or by a cosine to zero. */
export const SCHEDULES = ['plateau', 'cosine'] as const;
/** See {@link SCHEDULES}. */
export type Schedule = (typeof SCHEDULES)[number];

/** Everything that fixes a training run, apart from its photos. JSON. */
export interface Recipe {
  network: NetworkName;
  /** Batch normalisation after each convolution of the body. */
  batchNorm: boolean;
  /** Multiplier of convolution widths. */
  width: number;
  hidden: number;
  inputSize: number;
  kernel: Kernel;

  /** Images an update is computed from. */
  batch: number;
  /** Images that are on the device at once; gradients of a batch are accumulated over such pieces. */
  microBatch: number;
  learningRate: number;
  momentum: number;
  /** L2 penalty of weights, not of biases nor of batch normalisation. */
  weightDecay: number;
  /** Probability that an output of fc6 or fc7 is dropped. */
  dropout: number;
  schedule: Schedule;
  /** plateau: epochs without a better validation accuracy until the rate falls. */
  patience: number;
  /** plateau: times that the rate falls; training stops instead of falling once more. */
  drops: number;
  /** Most epochs; with cosine, just so many. */
  epochs: number;
  /** Epochs over which the rate rises from 0 at the start. */
  warmUp: number;

  /** Training scale S, smallest side of the rescaled image in pixels: drawn uniformly from [least, most] per image. */
  scales: [least: number, most: number];
  /** Probability of a mirror image. */
  mirror: number;
  /** Deviation of the coefficients of the RGB shift along the colours' principal components. */
  colourShift: number;
  /** 0: every photo once an epoch; 1: every class as often as every other; between: in between. */
  balance: number;
  /** Share of a label's probability that is spread over all classes. */
  labelSmoothing: number;

  initialisation: Initialisation;
  /**
   * Folder of a model to start from. `first-layers`: the paper's pre-initialisation, first four convolutions and
   * the fully connected layers; `all`: fine-tuning, everything that fits.
   */
  from?: { model: string; layers: 'first-layers' | 'all' };
  /** Share of each class's photos that is held out for validation. */
  validation: number;
  /** Fixes split, order, crops, initialisation and dropout. */
  seed: number;
}

/** The paper's recipe for a network of this input size; lengths are in units of 224. */
export function paperRecipe(network: NetworkName, inputSize = 224): Recipe {
  const scale = (pixels: number) => Math.round((pixels * inputSize) / 224);
  return {
    ...{ network, batchNorm: false, width: 1, hidden: 4096, inputSize, kernel: 'linear' },
    ...{ batch: 256, microBatch: 32, learningRate: 1e-2, momentum: 0.9, weightDecay: 5e-4, dropout: 0.5 },
    ...{ schedule: 'plateau', patience: 5, drops: 3, epochs: 74, warmUp: 0 },
    ...{ scales: [scale(256), scale(512)], mirror: 0.5, colourShift: 0.1, balance: 0, labelSmoothing: 0 },
    ...{ initialisation: 'glorot', validation: 0.1, seed: 1 },
  };
}

/**
 * Scales that a trained network is evaluated at (Section 4.2): S − 32, S, S + 32 in units of 224 for a fixed S; the
 * least, the middle and the most for a jittered one.
 */
export function testScales({
  scales: [least, most],
  inputSize,
}: Pick<Recipe, 'scales' | 'inputSize'>): number[] {
  if (least < most) return [least, Math.round((least + most) / 2), most];
  const step = Math.round((32 * inputSize) / 224);
  return [Math.max(inputSize, least - step), least, least + step];
}

/** Throws INVALID_ARGUMENT naming the field unless every number is in its range. */
export function checkRecipe(recipe: Recipe): void {
  oneOf(NETWORK_NAMES, recipe.network, 'network');
  oneOf(KERNELS, recipe.kernel, 'kernel');
  oneOf(SCHEDULES, recipe.schedule, 'schedule');
  oneOf(INITIALISATIONS, recipe.initialisation, 'initialisation');
  checkInputSize(recipe.inputSize);
  between(recipe.width, 1 / 64, 8, 'width');
  for (const field of ['batch', 'microBatch', 'hidden', 'epochs'] as const)
    whole(recipe[field], 1, 1e6, field);
  for (const field of ['patience', 'drops', 'seed'] as const) whole(recipe[field], 0, 2 ** 31, field);
  between(recipe.learningRate, 0, 10, 'learningRate');
  between(recipe.weightDecay, 0, 1, 'weightDecay');
  between(recipe.colourShift, 0, 10, 'colourShift');
  for (const field of ['mirror', 'balance'] as const) between(recipe[field], 0, 1, field);
  for (const field of ['momentum', 'dropout', 'labelSmoothing'] as const)
    between(recipe[field], 0, 0.999, field);
  between(recipe.warmUp, 0, recipe.epochs, 'warmUp');
  between(recipe.validation, 0, 0.9, 'validation');
  const [least, most] = recipe.scales;
  whole(least, recipe.inputSize, 4096, 'scales[0]');
  whole(most, least, 4096, 'scales[1]');
  if (recipe.batch % recipe.microBatch !== 0) {
    throw expected(
      `batch to be a multiple of microBatch ${String(recipe.microBatch)}`,
      recipe.batch,
      'batch',
    );
  }
}

function oneOf<Name extends string>(names: readonly Name[], value: Name, field: string): void {
  if (!names.includes(value)) throw expected(`${field} to be one of ${names.join(', ')}`, value, field);
}

function whole(value: number, least: number, most: number, field: string): void {
  if (!(Number.isInteger(value) && value >= least && value <= most))
    throw expected(`a whole ${field} from ${String(least)} to ${String(most)}`, value, field);
}

function between(value: number, least: number, most: number, field: string): void {
  if (!(value >= least && value <= most))
    throw expected(`${field} from ${String(least)} to ${String(most)}`, value, field);
}
