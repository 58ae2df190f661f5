// How a photo is to be evaluated, with every choice made and checked.

import { expected } from '../errors.ts';
import { checkInputSize } from '../networks.ts';

/** Which views of a photo are scored (paper, Section 3.2; GOOGLENET_144: Szegedy et al. 2014). */
export const PROTOCOLS = [
  'CENTER_CROP',
  'TEN_CROP',
  'MULTI_CROP',
  'DENSE',
  'DENSE_AND_MULTI_CROP',
  'GOOGLENET_144',
] as const;
export type Protocol = (typeof PROTOCOLS)[number];

/** How pixels are interpolated; linear is bilinear with antialiasing. */
export const KERNELS = ['nearest', 'linear', 'cubic', 'lanczos3'] as const;
export type Kernel = (typeof KERNELS)[number];

/** Spatial mean, then softmax (the paper's literal order); or softmax at each location, then mean. */
export const SCORE_ORDERS = ['MEAN_THEN_SOFTMAX', 'SOFTMAX_THEN_MEAN'] as const;
export type ScoreOrder = (typeof SCORE_ORDERS)[number];

/** What the views of a plane have in common: computed once where that is quicker (AUTO), or for every view (OFF). */
export const SHARES = ['AUTO', 'OFF'] as const;
export type Share = (typeof SHARES)[number];

/**
 * When a photo has its answer: when every view is scored (NONE), or as soon as no view that is still to come could
 * change the most probable class (EXACT).
 */
export const STOPS = ['NONE', 'EXACT'] as const;
export type Stop = (typeof STOPS)[number];

/** Colour levels, 0 to 255, not necessarily whole. */
export interface Rgb {
  red: number;
  green: number;
  blue: number;
}

/** A complete evaluation: nothing is left to a default. */
export interface Evaluation {
  protocol: Protocol;
  /** Smallest side Q of each plane, in pixels, ≥ inputSize. */
  scales: readonly number[];
  /** Crops along each side for MULTI_CROP, 1 to 16. */
  grid: number;
  /** Crop offsets are multiples of this many pixels, 1 to 64; 1 is the paper's regular grid. */
  align: number;
  kernel: Kernel;
  scoreOrder: ScoreOrder;
  /** Changes how quickly scores are computed, and posteriors by less than 1e-5. */
  share: Share;
  /** EXACT changes scores, but never the most probable class. */
  stop: Stop;
}

/** What an evaluation takes from the model where the caller is silent. */
export interface EvaluationDefaults {
  inputSize: number;
  /** The model's scales; they also bound what a caller may ask for. Without them scales are required. */
  scales?: readonly number[];
  kernel?: Kernel;
}

/** Most scales of one evaluation. */
export const MAX_SCALES = 4;
/** Largest grid. */
export const MAX_GRID = 16;
/** Largest alignment in pixels. */
export const MAX_ALIGN = 64;

// Of a grid: its crops then share activations up to the third pool, whose stride this is. What it costs is in
// docs/align.md. Corners and centres are where the papers have them.
const GRID_ALIGN = 8;

// GoogLeNet's scales, for crops of 224.
const GOOGLENET_SCALES = [256, 288, 320, 352];

/**
 * Fills in what the caller left out and checks the rest.
 *
 * @throws VggError INVALID_ARGUMENT naming the first field that is out of range
 */
export function resolveEvaluation(options: Partial<Evaluation>, model: EvaluationDefaults): Evaluation {
  checkInputSize(model.inputSize);
  const protocol = oneOf(PROTOCOLS, options.protocol ?? 'MULTI_CROP', 'protocol');
  const defaults =
    protocol === 'GOOGLENET_144'
      ? GOOGLENET_SCALES.map((scale) => Math.round((scale * model.inputSize) / 224))
      : (model.scales ?? []);
  const scales = options.scales?.length ? options.scales : defaults;
  checkScales(scales, model);
  const align = protocol === 'MULTI_CROP' || protocol === 'DENSE_AND_MULTI_CROP' ? GRID_ALIGN : 1;
  return {
    protocol,
    scales: [...scales],
    grid: integer(options.grid ?? 5, 1, MAX_GRID, 'grid'),
    align: integer(options.align ?? align, 1, MAX_ALIGN, 'align'),
    kernel: oneOf(KERNELS, options.kernel ?? model.kernel ?? 'linear', 'kernel'),
    scoreOrder: oneOf(SCORE_ORDERS, options.scoreOrder ?? 'MEAN_THEN_SOFTMAX', 'scoreOrder'),
    share: oneOf(SHARES, options.share ?? 'AUTO', 'share'),
    stop: oneOf(STOPS, options.stop ?? 'NONE', 'stop'),
  };
}

function checkScales(scales: readonly number[], { inputSize, scales: defaults }: EvaluationDefaults): void {
  if (scales.length === 0) throw expected('1 to 4 scales', 'none', 'scales');
  if (scales.length > MAX_SCALES) {
    throw expected(`at most ${String(MAX_SCALES)} scales`, scales.length, 'scales');
  }
  const largest = 2 * Math.max(...(defaults ?? [Infinity]), inputSize);
  for (const [index, scale] of scales.entries()) {
    const field = `scales[${String(index)}]`;
    if (!Number.isInteger(scale)) throw expected('scales to be whole numbers of pixels', scale, field);
    if (scale < inputSize) throw expected(`scales ≥ ${String(inputSize)}`, scale, field);
    if (scale > largest) throw expected(`scales ≤ ${String(largest)}`, scale, field);
  }
}

function oneOf<const Name extends string>(names: readonly Name[], name: Name, field: string): Name {
  if (!names.includes(name)) throw expected(`${field} to be one of ${names.join(', ')}`, name, field);
  return name;
}

function integer(value: number, least: number, most: number, field: string): number {
  if (!(Number.isInteger(value) && value >= least && value <= most)) {
    throw expected(`${field} from ${String(least)} to ${String(most)}`, value, field);
  }
  return value;
}
