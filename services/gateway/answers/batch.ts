// Several photos of one request: as many at a time as keep the services behind busy, answers in the photos' order.
// Knows nothing of what is done with a photo.

import { asVggError, type VggError } from '../../../vgg/errors.ts';

// Enough that one photo is prepared while another is computed; more would only hold planes and wait.
const AT_A_TIME = 4;

/** What came of one of them. */
export type Result<Value> = { value: Value } | { error: VggError };

/** Does a piece of work for each item. One that fails leaves the others alone. */
export async function eachOf<Item, Value>(
  items: readonly Item[],
  work: (item: Item) => Promise<Value>,
): Promise<Result<Value>[]> {
  const results: Result<Value>[] = [];
  const rest = items.entries();
  const worker = async () => {
    // All workers take from the one iterator.
    for (const [i, item] of rest) {
      try {
        results[i] = { value: await work(item) };
      } catch (thrown) {
        results[i] = { error: asVggError(thrown) };
      }
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
  return results;
}
