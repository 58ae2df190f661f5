// What is left of requests that were cancelled: the services must drop their views and end their calls, soon. Knows
// snapshots; not where they come from.

import { until, type Clock } from './clock.ts';
import type { Aftermath } from './result.ts';
import type { Snapshot } from './server-side/snapshot.ts';

const EVERY_MS = 200;
/** How long the services have to come to rest, in milliseconds. */
const PATIENCE_MS = 15_000;

/**
 * Looks at the services from now, the end of a step, until nothing is left in hand, or for 15 s.
 *
 * @param before what they had when the step began; its count of dropped views is what those of the step are beyond
 * @param snapshot what they have now; undefined if that cannot be told
 * @returns nothing if it could not be told
 */
export async function aftermathOf(
  cancelled: number,
  before: Snapshot | undefined,
  snapshot: () => Promise<Snapshot | undefined>,
  clock: Clock,
  signal?: AbortSignal,
): Promise<Aftermath | undefined> {
  const began = clock.now();
  const first = await snapshot();
  if (!before || !first) return undefined;
  let last = first;
  let asked = began;
  while (!isAtRest(last) && clock.now() - began < PATIENCE_MS && signal?.aborted !== true) {
    await until(clock.now() + EVERY_MS, clock, signal);
    asked = clock.now();
    last = (await snapshot()) ?? last;
  }
  return {
    cancelled,
    droppedViews: last.droppedViews - before.droppedViews,
    queuedViews: { first: first.queuedViews, last: last.queuedViews },
    callsInFlight: { first: first.callsInFlight, last: last.callsInFlight },
    clearAfterMs: isAtRest(last) ? Math.round(asked - began) : null,
  };
}

function isAtRest({ queuedViews, callsInFlight }: Snapshot): boolean {
  return queuedViews === 0 && callsInFlight === 0;
}
