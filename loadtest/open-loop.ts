// The open loop: requests start when they were meant to, whether earlier ones are answered or not. That is how people
// come, and why the time of a request counts from the moment it was meant to start: a server that stalls cannot keep
// the requests from the test that would have met the stall.

import { Attempts, type LoopOptions } from './attempt.ts';
import { until } from './clock.ts';

/** What an open loop is told. */
export interface OpenLoopOptions extends LoopOptions {
  /** When requests are meant to start: milliseconds since `origin`, ascending. */
  arrivals: Iterable<number>;
  /** A request that would be one more under way than so many is abandoned. */
  maxInFlight: number;
}

// Requests that are sent without letting the event loop read answers between, if many are due.
const AT_ONCE = 32;

/** Sends requests until there are no more arrivals or the signal is aborted; resolves when all are over. */
export async function runOpenLoop(options: OpenLoopOptions): Promise<void> {
  const { arrivals, clock, origin, signal, maxInFlight } = options;
  const attempts = new Attempts(options);
  let atOnce = 0;
  for (const intendedMs of arrivals) {
    const due = origin + intendedMs;
    if (due > clock.now() || ++atOnce >= AT_ONCE) {
      await until(due, clock, signal);
      atOnce = 0;
    }
    if (signal?.aborted === true) break;
    if (attempts.size >= maxInFlight) attempts.abandon(intendedMs);
    else void attempts.start(intendedMs);
  }
  await attempts.over();
}
