// The closed loop: so many clients, each of which sends its next request when the last one is answered. It finds what
// a server can do; how long people wait it does not tell, because it slows down whenever the server does.

import { Attempts, type LoopOptions } from './attempt.ts';
import { until } from './clock.ts';

/** What a closed loop is told. */
export interface ClosedLoopOptions extends LoopOptions {
  /** ≥ 1 */
  concurrency: number;
  /** Milliseconds since `origin` after which no request starts. */
  untilMs: number;
}

// A server that refuses at once would be asked as fast as the generator can: nobody does that.
const PAUSE_AFTER_FAILURE_MS = 100;

/** Sends requests until the time or the signal ends it; resolves when all are over. */
export async function runClosedLoop(options: ClosedLoopOptions): Promise<void> {
  const { concurrency, untilMs, clock, origin, signal } = options;
  const attempts = new Attempts(options);
  const going = () => signal?.aborted !== true && clock.now() - origin < untilMs;
  const client = async () => {
    while (going()) {
      const { end } = await attempts.start(clock.now() - origin);
      if (end === 'failed') await until(clock.now() + PAUSE_AFTER_FAILURE_MS, clock, signal);
    }
  };
  const clients = Array.from({ length: concurrency }, client);
  await until(origin + untilMs, clock, signal);
  await attempts.over();
  await Promise.all(clients);
}
