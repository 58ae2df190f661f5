// Time as a parameter: what waits and what watches for stalls asks this, and tests need no sleeps.

/** Time, and calls later on. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls once after so many milliseconds, unless the returned function was called before. */
  after(ms: number, then: () => void): () => void;
}

/** The clock on the wall. */
export const SYSTEM_CLOCK: Clock = {
  now: Date.now,
  after(ms, then) {
    const timer = setTimeout(then, ms);
    return () => {
      clearTimeout(timer);
    };
  },
};

/** Waits. @throws the signal's reason, at once */
export async function pause(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  await new Promise<void>((resolve) => {
    const cancel = clock.after(ms, done);
    signal?.addEventListener('abort', done);
    function done() {
      cancel();
      signal?.removeEventListener('abort', done);
      resolve();
    }
  });
  signal?.throwIfAborted();
}
