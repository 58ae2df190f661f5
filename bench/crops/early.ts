// Views of all planes until the first class is known: what `stop=exact` takes of the engine. Knows the order in which
// views are sent; neither calls nor what is under way when an answer comes.

import { nextPart } from '../../services/aggregator/sending.ts';
import type { EngineModel } from '../../services/inference/engine.ts';
import { macs } from '../../vgg/networks.ts';
import { Standing } from '../../vgg/standing.ts';
import { decidingOrder, type Evaluation } from '../../vgg/views.ts';
import { HERE } from './results.ts';
import { posteriorsOf, SIDES, type Side } from './sides.ts';
import type { Work } from './works.ts';

/** Scores views in the order that decides soonest. @returns how many it took */
export async function scoreUntilKnown(
  model: EngineModel,
  works: readonly Work[],
  evaluation: Evaluation,
): Promise<number> {
  const { spec } = model.model;
  const { inputSize } = spec;
  const side = SIDES.find(({ name }) => name === HERE) as Side;
  const order = decidingOrder([{ evaluation, inputSize, macs: macs(spec, inputSize, inputSize) }]);
  const standing = new Standing(spec.classes);
  let sent = 0;
  while (sent < order.length && !standing.decided) {
    const part = nextPart(order.slice(sent), standing.needed);
    sent += part.length;
    const weights = new Map(part.map(({ index, weight }) => [index, weight]));
    const work = works.find(({ views }) => views[0]?.plane === part[0]?.plane);
    if (!work) throw new Error(`Expected plane ${String(part[0]?.plane)} among the works`);
    const views = work.views.filter(({ index }) => weights.has(index));
    for (const [index, posterior] of await posteriorsOf(model, side, { ...work, views }))
      standing.add(posterior, weights.get(index) ?? 0);
  }
  return sent;
}
