// How a photo is to be evaluated: what a caller may choose, checked, and put on the wire.

import { evaluationMessage } from '../proto/evaluation.ts';
import type { Evaluation as EvaluationMessage } from '../proto/generated/vgg/v1/Evaluation.ts';
import { expected } from '../vgg/errors.ts';
import {
  KERNELS,
  MAX_ALIGN,
  MAX_GRID,
  MAX_SCALES,
  PROTOCOLS,
  SCORE_ORDERS,
  SHARES,
  STOPS,
  type Evaluation,
  type Kernel,
  type Protocol,
  type Rgb,
  type ScoreOrder,
  type Share,
  type Stop,
} from '../vgg/views/evaluation.ts';
import { checkInteger, checkWord } from './check.ts';

export { KERNELS, PROTOCOLS, SCORE_ORDERS, SHARES, STOPS };
export type { Kernel, Protocol, Rgb, ScoreOrder, Share, Stop };

/** Who is served first when views queue. */
export const PRIORITIES = ['INTERACTIVE', 'BATCH'] as const;
export type Priority = (typeof PRIORITIES)[number];

/** How a photo is to be evaluated. What is left out is the model's default. */
export interface EvaluationOptions {
  /** Which views are scored. Default: MULTI_CROP. */
  protocol?: Protocol | undefined;
  /** Smallest side of each rescaled photo, in pixels: 1 to 4, each ≥ the model's inputSize. */
  scales?: readonly number[] | undefined;
  /** Crops along each side for MULTI_CROP: 1 to 16. Default: 5. */
  grid?: number | undefined;
  /**
   * Crop offsets are multiples of this many pixels: 1 to 64. 1 is the paper's regular grid. Default: 8 for MULTI_CROP
   * and the crops of DENSE_AND_MULTI_CROP, 1 for others.
   */
  align?: number | undefined;
  /** Resize kernel. */
  kernel?: Kernel | undefined;
  /** Spatial mean, then softmax; or the other way round. Default: MEAN_THEN_SOFTMAX. */
  scoreOrder?: ScoreOrder | undefined;
  /** Whether what the views of a plane have in common may be computed once, or never (OFF). Default: AUTO. */
  share?: Share | undefined;
  /**
   * EXACT: the answer is there as soon as no view that is still to come could change the most probable class; its
   * other scores then differ from the whole answer's. Of no consequence for prepare. Default: NONE.
   */
  stop?: Stop | undefined;
}

/** Most pixels of a rescaled photo's smallest side. */
export const LONGEST_SIDE = 16_384;

/**
 * The message.
 *
 * @throws VggError INVALID_ARGUMENT naming the option at fault
 */
export function evaluationOf(options: EvaluationOptions): EvaluationMessage {
  const { protocol, scales, grid, align, kernel, scoreOrder, share, stop } = options;
  checkWord(protocol, PROTOCOLS, 'protocol');
  checkWord(kernel, KERNELS, 'kernel');
  checkWord(scoreOrder, SCORE_ORDERS, 'scoreOrder');
  checkWord(share, SHARES, 'share');
  checkWord(stop, STOPS, 'stop');
  checkInteger(grid, 1, MAX_GRID, 'grid');
  checkInteger(align, 1, MAX_ALIGN, 'align');
  if (scales !== undefined) {
    if (!isList(scales)) throw expected('a list of scales', scales, 'scales');
    if (scales.length > MAX_SCALES) {
      throw expected(`at most ${String(MAX_SCALES)} scales`, scales.length, 'scales');
    }
    for (const [i, scale] of scales.entries()) checkInteger(scale, 1, LONGEST_SIDE, `scales[${String(i)}]`);
  }
  const chosen: Partial<Evaluation> = {
    ...(protocol !== undefined && { protocol }),
    ...(scales !== undefined && { scales }),
    ...(grid !== undefined && { grid }),
    ...(align !== undefined && { align }),
    ...(kernel !== undefined && { kernel }),
    ...(scoreOrder !== undefined && { scoreOrder }),
    ...(share !== undefined && { share }),
    ...(stop !== undefined && { stop }),
  };
  return evaluationMessage(chosen);
}

function isList(value: unknown): boolean {
  return Array.isArray(value);
}
