// An answer as the object that the HTTP API and `vgg classify --json` print: plain JSON, tensors as lists.

import type { Answer, ViewScore } from './answer.ts';

/** An answer as plain JSON; several models are joined by "+". */
export interface AnswerJson {
  /** Name of the photo's file, where there is one. */
  photo: string;
  model: string;
  network: string;
  protocol: string;
  scales: number[];
  views: number;
  /** With stop EXACT: views that the whole answer has. */
  viewsTotal?: number;
  engine: string;
  predictions: { label: string; classIndex: number; score: number }[];
  posterior?: number[];
  timing: { prepareMs: number; queueMs: number; computeMs: number; totalMs: number };
  viewScores?: ViewScoreJson[];
  /** Over HTTP: the answer was kept from an earlier request, and `timing` is of that one; absent where it was not. */
  cached?: true;
}

/** One view and what the network said of it. */
export interface ViewScoreJson {
  model: string;
  index: number;
  plane: number;
  scale: number;
  x: number;
  y: number;
  width: number;
  height: number;
  mirrored: boolean;
  weight: number;
  posterior: number[];
  /** Class scores before any softmax: shape [height, width, classes], values in that order. */
  scoreMap?: { shape: [number, number, number]; values: number[] };
  /** The square of the rescaled photo that the view is, resized. */
  square?: { x: number; y: number; width: number; height: number };
}

/** @param photo name of the photo's file, or nothing */
export function answerJson(photo: string, answer: Answer): AnswerJson {
  const { models, networks, protocol, scales, engine, predictions, posterior, timing, viewScores } = answer;
  const { views, viewsTotal } = answer;
  const { prepareMs, queueMs, computeMs, totalMs } = timing;
  return {
    photo,
    model: models.join('+'),
    network: networks.join('+'),
    protocol,
    scales,
    views,
    ...(viewsTotal !== undefined && { viewsTotal }),
    engine,
    predictions,
    ...(posterior && { posterior: [...posterior] }),
    timing: {
      prepareMs: rounded(prepareMs),
      queueMs: rounded(queueMs),
      computeMs: rounded(computeMs),
      totalMs: rounded(totalMs),
    },
    ...(viewScores && { viewScores: viewScores.map(viewScoreJson) }),
  };
}

function viewScoreJson({ model, view, scale, posterior, scoreMap, square }: ViewScore): ViewScoreJson {
  return {
    model,
    ...view,
    scale,
    posterior: [...posterior],
    ...(scoreMap && {
      scoreMap: { shape: [scoreMap.height, scoreMap.width, scoreMap.classes], values: [...scoreMap.values] },
    }),
    ...(square && { square }),
  };
}

// Microseconds are enough.
function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
