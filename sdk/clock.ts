// Where time and chance come from; parameters, so that tests need neither wait nor luck.

/** Time and chance. */
export interface Clock {
  /** Milliseconds since some moment; goes on evenly, whatever becomes of the machine's clock. */
  now(): number;
  /** Milliseconds since the epoch, as the machine's clock has it: it may be set at any time, so nothing is waited for by it. */
  epoch(): number;
  /** Runs `task` after `ms` milliseconds, unless the function that it returns is called before. */
  after(ms: number, task: () => void): () => void;
  /** A number from 0 (included) to 1 (excluded). */
  random(): number;
}

/** The real ones. */
export const systemClock: Clock = {
  now: () => performance.now(),
  epoch: () => Date.now(),
  after(ms, task) {
    const timer = setTimeout(task, ms);
    return () => {
      clearTimeout(timer);
    };
  },
  random: () => Math.random(),
};

/** Resolves after `ms` milliseconds; rejects with the signal's reason if that aborts before. */
export function sleep(ms: number, clock: Clock, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const aborted = () => {
      cancel();
      reject(signal?.reason as Error);
    };
    const cancel = clock.after(ms, () => {
      signal?.removeEventListener('abort', aborted);
      resolve();
    });
    if (signal?.aborted === true) aborted();
    else signal?.addEventListener('abort', aborted, { once: true });
  });
}
