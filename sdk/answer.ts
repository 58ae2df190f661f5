// What is in a photo, as the SDK's users see it.

import type { Answer__Output } from '../proto/generated/vgg/v1/Answer.ts';
import type { Prediction__Output } from '../proto/generated/vgg/v1/Prediction.ts';
import type { ScoreMap__Output } from '../proto/generated/vgg/v1/ScoreMap.ts';
import type { ViewScore__Output } from '../proto/generated/vgg/v1/ViewScore.ts';
import { enumName } from '../proto/evaluation.ts';
import { VggError } from '../vgg/errors.ts';
import { PROTOCOLS, type Protocol } from './evaluation.ts';
import { viewOf, type Rectangle, type View } from './planes.ts';
import { float32Of, float64Of } from '../proto/tensors.ts';

/** Class and probability. */
export interface Prediction {
  label: string;
  /** From 0. */
  classIndex: number;
  /** 0 to 1. */
  score: number;
}

/** Class scores at each location of the network's output, before any softmax. */
export interface ScoreMap {
  height: number;
  width: number;
  classes: number;
  /** [height, width, classes] */
  values: Float32Array;
}

/** One view and what the network said of it. */
export interface ViewScore {
  model: string;
  view: View;
  /** Smallest side of the view's plane, in pixels. */
  scale: number;
  /** [classes] probabilities. */
  posterior: Float32Array;
  /** Set for dense views if asked for. */
  scoreMap?: ScoreMap;
  /** Set where the view's plane is a resized square. */
  square?: Rectangle;
}

/** Where the time went, in milliseconds. */
export interface Timing {
  /** Until the last plane was ready. */
  prepareMs: number;
  /** Mean time of a view in the queue. */
  queueMs: number;
  /** Engine time, shared out by view. */
  computeMs: number;
  /** From the call's arrival to the answer. */
  totalMs: number;
}

/** What is in the photo. */
export interface Answer {
  /** Names of the models that were averaged, in order. */
  models: string[];
  /** Their table rows: A, A-LRN, B, C, D, E, B-5x5. */
  networks: string[];
  protocol: Protocol;
  /** Of the first model, in pixels. */
  scales: number[];
  /** Views that the answer is the mean of, over all models. */
  views: number;
  /** With stop EXACT: views that the whole answer has. Where `views` is less, the answer was known early. */
  viewsTotal?: number;
  /** onnx or tensorflow. */
  engine: string;
  /** Most probable first. */
  predictions: Prediction[];
  /** [classes] probabilities, if asked for. */
  posterior?: Float64Array;
  timing: Timing;
  /** Of the views that were taken, in view order, if asked for. */
  viewScores?: ViewScore[];
}

/** @throws VggError INTERNAL where the server sent no answer */
export function answerOf(message: Answer__Output | null): Answer {
  if (!message) throw new VggError('INTERNAL', 'The server sent no answer');
  const { models, networks, scales, views, viewsTotal, engine, predictions, posterior, timing, viewScores } =
    message;
  return {
    models,
    networks,
    protocol: enumName(message.protocol, 'PROTOCOL_', PROTOCOLS, 'protocol') ?? 'MULTI_CROP',
    scales,
    views,
    ...(viewsTotal > 0 && { viewsTotal }),
    engine,
    predictions: predictions.map(predictionOf),
    ...(posterior.length > 0 && { posterior: float64Of(posterior) }),
    timing: {
      prepareMs: timing?.prepareMs ?? 0,
      queueMs: timing?.queueMs ?? 0,
      computeMs: timing?.computeMs ?? 0,
      totalMs: timing?.totalMs ?? 0,
    },
    ...(viewScores.length > 0 && { viewScores: viewScores.map(viewScoreOf) }),
  };
}

export function predictionOf({ label, classIndex, score }: Prediction__Output): Prediction {
  return { label, classIndex, score };
}

export function scoreMapOf({ height, width, classes, values }: ScoreMap__Output): ScoreMap {
  return { height, width, classes, values: float32Of(values) };
}

function viewScoreOf({ model, view, scale, posterior, scoreMap, square }: ViewScore__Output): ViewScore {
  if (!view) throw new VggError('INTERNAL', 'The server sent a score without its view');
  return {
    model,
    view: viewOf(view),
    scale,
    posterior: float32Of(posterior),
    ...(scoreMap && { scoreMap: scoreMapOf(scoreMap) }),
    ...(square && { square: { ...square } }),
  };
}
