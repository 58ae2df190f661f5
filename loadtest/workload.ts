// Which requests are sent, one after the other: kinds by weight, photos by chance, and whose client cancels or is slow.
// Everything is drawn from a seed, so that two tests with one seed send the same. Knows no time and no transport.

import { expected } from '../vgg/errors.ts';
import { randomAt } from '../vgg/random.ts';
import type { Kind, LoadPhoto, LoadRequest } from './request.ts';
import type { MixEntry } from './result.ts';

/** A thing and how often it is drawn in proportion to others. */
export interface Weighted<Thing> {
  what: Thing;
  /** > 0 */
  weight: number;
}

/** What a workload is drawn from. */
export interface WorkloadOptions {
  /** At least one. */
  kinds: readonly Weighted<Kind>[];
  /** At least one; each is as likely as another. */
  photos: readonly LoadPhoto[];
  /** Part of requests, 0 to 1, that are cancelled at a moment between 0 and so many milliseconds after they were sent. */
  cancel?: { part: number; withinMs: number };
  /** Part of requests, 0 to 1, whose clients take so many bytes a second. */
  slow?: { part: number; bytesPerSecond: number };
}

/** Requests, endlessly. */
export type Workload = () => LoadRequest;

/**
 * The requests of a step.
 *
 * @param seed of the test
 * @param step its number; other steps have other requests
 * @throws VggError INVALID_ARGUMENT without kinds or photos
 */
export function workload(options: WorkloadOptions, seed: number, step: number): Workload {
  const { kinds, photos, cancel, slow } = options;
  const all = totalWeight(kinds);
  if (!(all > 0)) throw expected('at least one kind of request', 'none', 'kinds');
  if (photos.length === 0) throw expected('at least one photo', 'none', 'photos');
  // Streams of their own: who cancels does not change what is sent.
  const [kindChance, photoChance, cancelChance, slowChance] = [
    randomAt(seed, 'kind', step),
    randomAt(seed, 'photo', step),
    randomAt(seed, 'cancel', step),
    randomAt(seed, 'slow', step),
  ];
  return () => {
    let left = kindChance.next() * all;
    const drawn = kinds.find(({ weight }) => (left -= weight) < 0) ?? kinds.at(-1);
    const photo = photos[photoChance.integer(photos.length)];
    if (!drawn || !photo) throw expected('at least one kind and photo', 'none', 'workload');
    const [cancelled, after, isSlow] = [cancelChance.next(), cancelChance.next(), slowChance.next()];
    return {
      photo,
      kind: drawn.what,
      ...(cancel && cancelled < cancel.part && { cancelAfterMs: after * cancel.withinMs }),
      ...(slow && isSlow < slow.part && { slowBytesPerSecond: slow.bytesPerSecond }),
    };
  };
}

/** Every protocol with every model; a pair's weight is the product of theirs. */
export function kindsOf(
  protocols: readonly Weighted<Kind['protocol']>[],
  models: readonly Weighted<string>[],
): Weighted<Kind>[] {
  return protocols.flatMap((protocol) =>
    models.map((model) => ({
      what: { protocol: protocol.what, model: model.what },
      weight: protocol.weight * model.weight,
    })),
  );
}

/** The kinds as a result shows them. */
export function mixOf(kinds: readonly Weighted<Kind>[]): MixEntry[] {
  const all = totalWeight(kinds);
  return kinds.map(({ what, weight }) => ({ ...what, share: weight / all }));
}

function totalWeight(kinds: readonly Weighted<unknown>[]): number {
  return kinds.reduce((sum, { weight }) => sum + weight, 0);
}
