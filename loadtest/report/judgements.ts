// What a step says beside its figures: whether it kept its bound, which requests are in none of them, and what the
// services had left of those that were cancelled. Knows results; not where sentences are shown.

import type { LoadTestResult, Step } from '../result.ts';
import { asked, count, loadName, percentileName } from './figures.ts';

/** A sentence about a load. */
export interface Judgement {
  load: string;
  text: string;
  /** Absent where nothing is judged. */
  good?: boolean;
}

/** The sentences, in the order of steps. Of a search the bounds are left to its verdict. */
export function judgementsOf({ steps, search }: LoadTestResult): Judgement[] {
  return steps.flatMap((step) =>
    [search ? undefined : boundOf(step), asideOf(step), aftermathOf(step)].flatMap((judgement) =>
      judgement ? [{ load: loadName(step.load), ...judgement }] : [],
    ),
  );
}

type Sentence = Omit<Judgement, 'load'>;

function boundOf({ bound }: Step): Sentence | undefined {
  if (!bound) return undefined;
  const { percentile, ms, kept, reason } = bound;
  const name = `${percentileName(percentile)} ≤ ${asked(ms)} ms`;
  return { text: `${name} was ${kept ? 'kept' : 'not kept'}: ${reason}`, good: kept };
}

function asideOf({ requests: { cancelled, slow } }: Step): Sentence | undefined {
  const parts = [
    ...(cancelled > 0 ? [`${count(cancelled)} were cancelled`] : []),
    ...(slow > 0 ? [`${count(slow)} were answered to slow clients`] : []),
  ];
  return parts.length > 0 ? { text: `In no figure of time: ${parts.join(', ')}` } : undefined;
}

function aftermathOf({ aftermath }: Step): Sentence | undefined {
  if (!aftermath) return undefined;
  const { droppedViews, queuedViews, callsInFlight, clearAfterMs } = aftermath;
  const dropped = `the services dropped ${count(droppedViews)} views`;
  return clearAfterMs === null
    ? {
        text: `After cancelling, ${dropped}, but ${count(queuedViews.last)} views and ${count(callsInFlight.last)} calls were left`,
        good: false,
      }
    : {
        text: `After cancelling, ${dropped}; nothing was left ${count(clearAfterMs)} ms after the last answer`,
        good: true,
      };
}
