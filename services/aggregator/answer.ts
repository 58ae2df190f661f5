// From a tally to the message that the caller gets.

import { wireName } from '../../proto/evaluation.ts';
import type { Answer } from '../../proto/generated/vgg/v1/Answer.ts';
import type { ViewScore } from '../../proto/generated/vgg/v1/ViewScore.ts';
import { bytesOf } from '../../proto/tensors.ts';
import type { Road } from './road.ts';

/** What the caller wants to see. */
export interface AnswerOptions {
  /** Predictions, ≥ 1. */
  top: number;
  posterior: boolean;
  viewScores: boolean;
}

/** The answer from what has been scored so far; at least one view has. */
export function answerOf(road: Road, options: AnswerOptions, totalMs: number): Answer {
  const { models, tally } = road;
  const [first] = models;
  const protocol = first?.evaluation.protocol;
  return {
    models: models.map(({ facts }) => facts.name),
    networks: models.map(({ facts }) => facts.network),
    ...(protocol && { protocol: wireName('PROTOCOL_', protocol) }),
    scales: [...(first?.evaluation.scales ?? [])],
    views: tally.done,
    ...(first?.evaluation.stop === 'EXACT' && { viewsTotal: tally.total }),
    engine: first?.facts.engine ?? '',
    predictions: tally.predictions(options.top, first?.facts.labels ?? []),
    ...(options.posterior && { posterior: bytesOf(tally.posterior()) }),
    timing: timingOf(road, totalMs),
    ...(options.viewScores && { viewScores: viewScores(road) }),
  };
}

/** Where the time of an answer went, in milliseconds. */
export function timingOf(road: Road, totalMs: number) {
  return { prepareMs: road.prepareMs(), ...road.tally.times(), totalMs };
}

function viewScores({ models, tally, planes }: Road): ViewScore[] {
  return models.flatMap(({ facts }, i) =>
    (tally.models[i]?.scored() ?? []).map(({ view, posterior, scoreMap }): ViewScore => {
      const plane = planes.get(facts.name)?.[view.plane];
      const dense = plane?.width === view.width && plane.height === view.height && !plane.square;
      return {
        model: facts.name,
        view,
        scale: plane?.scale ?? 0,
        posterior: bytesOf(posterior),
        ...(plane?.square && { square: plane.square }),
        // A crop's map is one location: its posterior says as much.
        ...(scoreMap && dense && { scoreMap: { ...scoreMap, values: bytesOf(scoreMap.values) } }),
      };
    }),
  );
}
