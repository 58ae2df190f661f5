// Which photos an epoch shows, and in which order: a function of the seed and the epoch, so that any epoch can be
// made without those before it. Knows class indices; neither photos nor batches.

import { randomAt } from '../../../vgg/random.ts';
import type { Recipe } from '../recipe.ts';

/** Draws epochs over a fixed list of photos. */
export interface Sampler {
  /**
   * [photos] indices into the list, each epoch as many as there are photos.
   *
   * @param epoch from 0
   */
  order(epoch: number): Int32Array;
}

/**
 * A class of n photos of N in C classes gets (1 − balance) · n + balance · N / C places of each epoch, rounded so
 * that they are N in all. Its photos fill them in random cycles, and a cycle goes on where the last epoch ended: none
 * is shown a second time before all of its class have been. With balance 0 an epoch is every photo once.
 *
 * @param classes [photos] class index of each photo
 */
export function createSampler(
  classes: readonly number[],
  { balance, seed }: Pick<Recipe, 'balance' | 'seed'>,
): Sampler {
  const members = new Map<number, number[]>();
  for (const [photo, classIndex] of classes.entries()) {
    const list = members.get(classIndex);
    if (list) list.push(photo);
    else members.set(classIndex, [photo]);
  }
  const groups = [...members].map(([classIndex, photos]) => ({ classIndex, photos }));
  const places = wholePlaces(
    groups.map(({ photos }) => (1 - balance) * photos.length + (balance * classes.length) / groups.length),
    classes.length,
    seed,
  );

  return {
    order(epoch) {
      const order = new Int32Array(classes.length);
      let filled = 0;
      for (const [group, { classIndex, photos }] of groups.entries()) {
        const count = places[group] ?? 0;
        let cycle = -1;
        let shuffled: number[] = [];
        for (let place = epoch * count; place < (epoch + 1) * count; place++) {
          const now = Math.floor(place / photos.length);
          if (now !== cycle) {
            cycle = now;
            shuffled = randomAt(seed, 'cycle', classIndex, cycle).shuffle([...photos]);
          }
          order[filled++] = shuffled[place % photos.length] ?? 0;
        }
      }
      return randomAt(seed, 'order', epoch).shuffle(order);
    },
  };
}

// Whole numbers nearest to the targets whose sum is `total`: those cut most get one more, at random among equals.
function wholePlaces(targets: readonly number[], total: number, seed: number): number[] {
  // Sums of floating point numbers may fall a little short of a whole one.
  const places = targets.map((target) => Math.floor(target + 1e-9));
  const missing = total - places.reduce((sum, each) => sum + each, 0);
  const random = randomAt(seed, 'places').shuffle(targets.map((_, i) => i));
  const cut = (i: number) => Number(((targets[i] ?? 0) - (places[i] ?? 0)).toFixed(9));
  const most = random.sort((one, other) => cut(other) - cut(one));
  for (const i of most.slice(0, missing)) places[i] = (places[i] ?? 0) + 1;
  return places;
}
