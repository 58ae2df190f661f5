// classify and classifyStream: a photo in, an answer out.

import { aggregatorService } from '../proto/definitions.ts';
import { wireName } from '../proto/evaluation.ts';
import type { ClassifyRequest } from '../proto/generated/vgg/v1/ClassifyRequest.ts';
import { expected } from '../vgg/errors.ts';
import { answerOf, type Answer } from './answer.ts';
import type { CallOptions } from './call-options.ts';
import { checkInteger, checkWord } from './check.ts';
import { evaluationOf, PRIORITIES, type EvaluationOptions, type Priority } from './evaluation.ts';
import type { ServiceCalls } from './service-calls.ts';

/** How a photo is to be answered. */
export interface ClassifyOptions extends EvaluationOptions, CallOptions {
  /** The model, or up to 8 whose posteriors are averaged. Default: the server's. */
  models?: string | readonly string[] | undefined;
  /** Predictions in the answer, ≥ 1. Default: 5. */
  top?: number | undefined;
  /** Whether the probabilities of all classes are in the answer. */
  posterior?: boolean | undefined;
  /** Whether each view's rectangle, weight and posterior are in the answer. */
  viewScores?: boolean | undefined;
  /** Whether each dense view's class score map is in the answer. */
  scoreMaps?: boolean | undefined;
  /** BATCH is served when nobody INTERACTIVE waits. Default: INTERACTIVE. */
  priority?: Priority | undefined;
}

/** The answer so far. */
export interface RunningAnswer {
  /** Views that the answer is the mean of; never falls. */
  viewsDone: number;
  /** Views that the whole answer has; with stop EXACT the last one may come before. */
  viewsTotal: number;
  answer: Answer;
}

/** Most models that one answer averages. */
export const MAX_MODELS = 8;
/** Most predictions that may be asked for. */
export const MAX_TOP = 2 ** 20;

export async function classify(
  calls: ServiceCalls,
  photo: Uint8Array,
  options: ClassifyOptions,
): Promise<Answer> {
  const { answer } = await calls.unary(aggregatorService.Classify, requestOf(photo, options), options);
  return answerOf(answer);
}

export async function* classifyStream(
  calls: ServiceCalls,
  photo: Uint8Array,
  options: ClassifyOptions,
): AsyncGenerator<RunningAnswer, void> {
  const request = { request: requestOf(photo, options) };
  for await (const message of calls.serverStream(aggregatorService.ClassifyStream, request, options)) {
    const { viewsDone, viewsTotal, answer } = message;
    yield { viewsDone, viewsTotal, answer: answerOf(answer) };
  }
}

/** Checks the options without a photo, so that a wrong one fails before a photo is read. */
export function requestOf(photo: Uint8Array, options: ClassifyOptions): ClassifyRequest {
  const { models = [], top, priority } = options;
  const names = typeof models === 'string' ? [models] : [...models];
  if (names.length > MAX_MODELS)
    throw expected(`at most ${String(MAX_MODELS)} models`, names.length, 'models');
  for (const [i, name] of names.entries()) {
    if (typeof name !== 'string' || name === '') throw expected('a name', name, `models[${String(i)}]`);
  }
  checkInteger(top, 1, MAX_TOP, 'top');
  checkWord(priority, PRIORITIES, 'priority');
  return {
    photo,
    models: names,
    evaluation: evaluationOf(options),
    top: top ?? 0,
    posterior: options.posterior ?? false,
    viewScores: options.viewScores ?? false,
    scoreMaps: options.scoreMaps ?? false,
    priority: wireName('PRIORITY_', priority ?? 'INTERACTIVE'),
  };
}
