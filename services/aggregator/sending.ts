// What is sent to inference, and when, where a photo may be known early: views in the order that decides soonest, and
// no more of them than may be needed. Knows weights and planes; neither calls nor what is tried again.
//
// What is sent may be computed before anybody hears that it is not needed: the engine gets its next batch before the
// answers of the last one are sent. So only as many views are under way as must come before anything can be decided.
// As answers come, more are sent; the nearer the decision, the fewer.

import { VggError, asVggError } from '../../vgg/errors.ts';
import { decidingOrder, type OrderedModel, type OrderedView } from '../../vgg/views.ts';
import type { Bell } from './bell.ts';
import type { PlaneFeed } from './plane-feed.ts';
import type { Tally } from './tally.ts';
import type { PreparedPlane } from './upstream.ts';

/** A model that views are sent to. */
export interface Recipient extends OrderedModel {
  /** Its planes, as preprocess sends them. */
  planes: PlaneFeed<PreparedPlane>;
  /** What it is to score: a plane as often as views of it are sent. */
  feed: PlaneFeed<PreparedPlane>;
  /** Views sent so far. */
  sent: number;
}

// Least weight that is sent at once, if a plane has so much left: ten crops of 150. Crops side by side have much in
// common, and each time costs a way to inference and back: with half as many, photos took 3 % fewer views and no less
// time.
const LEAST = 0.067;

/**
 * Sends views until all are sent or the answer is known, then ends the feeds.
 *
 * @param news rung after each score, and when the signal is aborted
 * @throws VggError what reading planes throws; the signal's reason
 */
export async function sendAsNeeded(
  recipients: readonly Recipient[],
  tally: Tally,
  news: Bell,
  signal: AbortSignal,
): Promise<void> {
  const { standing } = tally;
  const order = decidingOrder(recipients);
  let failure: VggError | undefined;
  try {
    for (let [sent, weight] = [0, 0]; sent < order.length;) {
      signal.throwIfAborted();
      const recipient = recipients[order[sent]?.model ?? -1];
      if (!recipient) break;
      const { plane, views } = await planeOf(recipient, order[sent]?.plane);
      if (tally.known) break;
      const room = standing.needed - (weight - standing.taken);
      // With nothing under way there is room, whatever the last bit of a sum says.
      if (room <= 0 && sent > tally.done) {
        await news.rung();
        continue;
      }
      const part = nextPart(order.slice(sent), room);
      const wanted = new Set(part.map(({ index }) => index));
      recipient.feed.push({ plane, views: views.filter(({ index }) => wanted.has(index)) });
      recipient.sent += part.length;
      sent += part.length;
      weight += part.reduce((sum, each) => sum + each.weight, 0);
    }
  } catch (error) {
    if (!tally.known) failure = asVggError(error);
    throw error;
  } finally {
    for (const { feed } of recipients) feed.end(failure);
  }
}

/** The next views of one plane for one model, as many as a weight has room for, or a few more. */
export function nextPart(order: readonly OrderedView[], room: number): OrderedView[] {
  const most = Math.max(room, LEAST);
  const [first] = order;
  let weight = 0;
  const end = order.findIndex((view, i) => {
    weight += view.weight;
    return view.model !== first?.model || view.plane !== first.plane || (i > 0 && weight > most);
  });
  return order.slice(0, end === -1 ? undefined : end);
}

// A plane, as soon as it is there.
async function planeOf({ planes }: Recipient, index: number | undefined): Promise<PreparedPlane> {
  for await (const each of planes.read()) if (each.plane.index === index) return each;
  throw new VggError('INTERNAL', `Expected plane ${String(index)} but it never came`);
}
