// Time as a load test needs it: steady, with fractions of a millisecond, and a parameter, so that tests need not wait.

/** Time. */
export interface Clock {
  /** Milliseconds since some moment, with fractions; never goes back. */
  now(): number;
  /** Runs `task` at that time or as soon after as can be, never at once, unless the function that it returns is called before. */
  at(time: number, task: () => void): () => void;
}

/**
 * The real one. Timers of Node.js count whole milliseconds: they are up to one late, and now and then early. So a
 * timer is set for the whole milliseconds, and the rest is waited for in the event loop, which goes on serving.
 */
export const steadyClock: Clock = {
  now: () => performance.now(),
  at(time, task) {
    let timer: NodeJS.Timeout | undefined;
    let immediate: NodeJS.Immediate | undefined;
    const look = () => {
      const left = time - performance.now();
      if (left <= 0) task();
      else wait(left);
    };
    const wait = (left: number) => {
      if (left < 1) immediate = setImmediate(look);
      else timer = setTimeout(look, Math.floor(left));
    };
    wait(time - performance.now());
    return () => {
      clearTimeout(timer);
      clearImmediate(immediate);
    };
  },
};

/** Resolves at that time, or as soon as the signal is aborted. */
export function until(time: number, clock: Clock, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) {
      resolve();
      return;
    }
    const over = () => {
      cancel();
      signal?.removeEventListener('abort', over);
      resolve();
    };
    const cancel = clock.at(time, over);
    signal?.addEventListener('abort', over);
  });
}
