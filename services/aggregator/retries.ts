// When lost calls of the aggregator's stages are begun again. Knows stages by name; no calls.

import type { Clock } from '../../sdk/clock.ts';
import { Retrier } from '../../sdk/retry.ts';

/** A stage whose lost calls are begun again. */
export type Stage = 'model' | 'prepare' | 'score';

// A replica that is lost is known to be so at once, and another takes its calls; a full queue is the caller's to wait for.
const PATIENCE = { firstBackoffMs: 50, maxBackoffMs: 1000, waitsWhenTold: false };

/**
 * A retrier for each stage, shared by all roads, so that a service that is down is not asked many times for each photo.
 *
 * @param attempts at a call, the first one included
 */
export function retriers(attempts: number, clock: Clock): Readonly<Record<Stage, Retrier>> {
  const one = () => new Retrier({ ...PATIENCE, attempts }, clock);
  return { model: one(), prepare: one(), score: one() };
}
