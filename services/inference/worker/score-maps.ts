// Class score maps as the scores that were asked for. Knows maps; not how they were computed.

import { posteriorOfScoreMap } from '../../../vgg/scores.ts';
import type { Cut, CutScores } from './messages.ts';

/** [height, width, classes], in memory of its own. */
export type OwnScoreMap = NonNullable<CutScores['scoreMap']>;

/** What each view's map comes to, in float64. @param maps one of each view, in their order */
export function scoresOfMaps(cuts: readonly Cut[], maps: readonly OwnScoreMap[]): CutScores[] {
  return cuts.map(({ softmaxFirst, scoreMap }, i) => {
    const map = maps[i];
    if (!map) throw new Error('fewer maps than views');
    const order = softmaxFirst ? 'SOFTMAX_THEN_MEAN' : 'MEAN_THEN_SOFTMAX';
    const posterior = Float32Array.from(posteriorOfScoreMap(map, order));
    return scoreMap ? { posterior, scoreMap: map } : { posterior };
  });
}
