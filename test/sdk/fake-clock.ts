// Time and chance that a test moves by hand.

import type { Clock } from '../../sdk/clock.ts';

// Longer than any wait before an attempt: patience, which must not end at once.
const PATIENCE_MS = 60_000;

/** A clock that stands still; what waits is run by `advance`, or at once with `leap` unless it is patience. */
export function fakeClock({ leap = false, random = 0.5, start = 1_000_000 } = {}) {
  let time = start;
  let timers: { at: number; task: () => void }[] = [];
  const waits: number[] = [];
  const clock: Clock = {
    now: () => time,
    epoch: () => time,
    random: () => random,
    after(ms, task) {
      if (ms < PATIENCE_MS) waits.push(ms);
      if (leap && ms < PATIENCE_MS) {
        time += ms;
        queueMicrotask(task);
        return () => {};
      }
      const timer = { at: time + ms, task };
      timers.push(timer);
      return () => {
        timers = timers.filter((each) => each !== timer);
      };
    },
  };
  return {
    clock,
    /** Every wait that was asked for, in milliseconds. */
    waits,
    advance: (ms: number) => {
      time += ms;
      const due = timers.filter(({ at }) => at <= time);
      timers = timers.filter(({ at }) => at > time);
      for (const { task } of due) task();
    },
  };
}
