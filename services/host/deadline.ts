// Deadlines and cancellation as AbortSignals that leave no listener and no timer behind.
// Knows time, nothing of calls.

import { setMaxListeners } from 'node:events';
import { VggError } from '../../vgg/errors.ts';

// The longest that setTimeout can wait; more would fire at once.
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Where time comes from; a parameter, so that tests need not wait. */
export interface Clock {
  /** Milliseconds since some moment; goes on evenly, whatever becomes of the machine's clock. */
  now(): number;
  /** Runs `task` once after `ms` milliseconds, unless the function that it returns is called before. */
  after(ms: number, task: () => void): () => void;
}

/** The real time. Its timers do not keep a process alive. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, task) {
    const timer = setTimeout(task, Math.min(Math.max(ms, 0), LONGEST_TIMER_MS));
    timer.unref();
    return () => {
      clearTimeout(timer);
    };
  },
};

// The most that a call may be given.
const LONGEST_CALL_MS = 24 * 3_600_000;

/**
 * Milliseconds from 1 on that a call may have which begins now and must be over at `deadline`. Between processes time
 * is a span: their clocks differ, and may be set.
 */
export function timeLeft(deadline: number, clock: Clock = systemClock): number {
  return Math.max(1, Math.min(deadline - clock.now(), LONGEST_CALL_MS));
}

/** A signal that must be given back. */
export interface Scope {
  /** Aborted with a VggError: DEADLINE_EXCEEDED, or the reason that `abort` or a parent gave. */
  readonly signal: AbortSignal;
  /** Aborts, unless it has already. */
  readonly abort: (reason: VggError) => void;
  /** Drops the timer and the listeners; the signal is not aborted any more. */
  readonly dispose: () => void;
}

/**
 * A signal that aborts at the deadline, or with any of its parents.
 *
 * @param deadline on the clock; Infinity: none
 */
export function scope(
  deadline: number,
  parents: readonly AbortSignal[] = [],
  clock: Clock = systemClock,
): Scope {
  const controller = new AbortController();
  // A handler may make any number of calls of its own with it; that is no leak.
  setMaxListeners(0, controller.signal);
  const undo: (() => void)[] = [];
  const dispose = () => {
    for (const each of undo.splice(0)) each();
  };
  const abort = (reason: unknown) => {
    dispose();
    if (!controller.signal.aborted) controller.abort(reason);
  };
  for (const parent of parents) {
    if (parent.aborted) {
      abort(parent.reason);
      break;
    }
    const listener = () => {
      abort(parent.reason);
    };
    parent.addEventListener('abort', listener);
    undo.push(() => {
      parent.removeEventListener('abort', listener);
    });
  }
  if (deadline !== Infinity && !controller.signal.aborted) {
    const task = () => {
      abort(deadlineExceeded());
    };
    undo.push(clock.after(deadline - clock.now(), task));
  }
  return { signal: controller.signal, abort, dispose };
}

/** The error of a call whose time is over. */
export function deadlineExceeded(): VggError {
  return new VggError('DEADLINE_EXCEEDED', 'Deadline exceeded');
}

/**
 * The promise's result, or the signal's reason if that comes first; then what becomes of the
 * promise is nobody's concern.
 */
export async function orAborted<Result>(
  promise: PromiseLike<Result> | Result,
  signal: AbortSignal,
): Promise<Result> {
  let undo = () => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    const listener = () => {
      reject(signal.reason as Error);
    };
    if (signal.aborted) {
      listener();
      return;
    }
    signal.addEventListener('abort', listener);
    undo = () => {
      signal.removeEventListener('abort', listener);
    };
  });
  try {
    return await Promise.race([aborted, promise]);
  } finally {
    undo();
  }
}
