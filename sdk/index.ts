// The package's front door: a client of a vgg-serve installation, its types, and its one error.

export { ERROR_CODES, VggError, type ErrorCode, type FieldViolation } from '../vgg/errors.ts';
export type { Answer, Prediction, ScoreMap, Timing, ViewScore } from './answer.ts';
export { answerJson, type AnswerJson, type ViewScoreJson } from './answer-json.ts';
export type { Average, AverageOptions, WeightedPosterior } from './average.ts';
export type { CallOptions } from './call-options.ts';
export { MAX_MODELS, MAX_TOP, type ClassifyOptions, type RunningAnswer } from './classify.ts';
export { createClient, type ClientOptions, type VggClient } from './client.ts';
export type { TlsOptions } from './credentials.ts';
export {
  KERNELS,
  LONGEST_SIDE,
  PRIORITIES,
  PROTOCOLS,
  SCORE_ORDERS,
  SHARES,
  STOPS,
  type EvaluationOptions,
  type Kernel,
  type Priority,
  type Protocol,
  type Rgb,
  type ScoreOrder,
  type Share,
  type Stop,
} from './evaluation.ts';
export type { Model } from './models.ts';
export type { Photo } from './photo.ts';
export type { Plane, PreparedPlane, Rectangle, View } from './planes.ts';
export { REALISATIONS, type Prepared, type PrepareOptions, type Realisation } from './prepare.ts';
export type { RetryPolicy } from './retry.ts';
export type { Score, ScoreOptions } from './score.ts';
