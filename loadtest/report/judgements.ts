// What a step says beside its figures: whether it kept its bound, which requests are in none of them, and what the
// services had left of those that were cancelled. Knows results; not where sentences are shown.

import type { LoadTestResult, Step } from '../result.ts';
import { asked, count, loadName, percentileName } from './figures.ts';

/** A sentence about a load. */
export interface Judgement {
  load: string;
  about: 'bound' | 'aside' | 'aftermath';
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
  return { about: 'bound', text: `${name} was ${kept ? 'kept' : 'not kept'}: ${reason}`, good: kept };
}

function asideOf({ requests: { cancelled, slow } }: Step): Sentence | undefined {
  const parts = [
    ...(cancelled > 0 ? [`${count(cancelled)} were cancelled`] : []),
    ...(slow > 0 ? [`${count(slow)} were answered to slow clients`] : []),
  ];
  return parts.length > 0 ? { about: 'aside', text: `In no figure of time: ${parts.join(', ')}` } : undefined;
}

function aftermathOf({ aftermath }: Step): Sentence | undefined {
  if (!aftermath) return undefined;
  const { droppedViews, queuedViews, callsInFlight, clearAfterMs } = aftermath;
  const dropped = `the services dropped ${things(droppedViews, 'view')}, warm-up included`;
  if (clearAfterMs === null) {
    const left = `${things(queuedViews.last, 'view')} and ${things(callsInFlight.last, 'call')} were left`;
    return { about: 'aftermath', text: `After cancelling, ${dropped}, but ${left}`, good: false };
  }
  const after = clearAfterMs > 0 ? `${count(clearAfterMs)} ms after the last answer` : 'at the last answer';
  // When the last request is over, whatever still waits is for nobody.
  if (droppedViews === 0 && queuedViews.first > 0) {
    const waited = `none of the ${things(queuedViews.first, 'view')} that waited for nobody was dropped`;
    return {
      about: 'aftermath',
      text: `After cancelling, ${waited}: they were computed, until ${after}`,
      good: false,
    };
  }
  return { about: 'aftermath', text: `After cancelling, ${dropped}; nothing was left ${after}`, good: true };
}

function things(value: number, name: string): string {
  return `${count(value)} ${name}${value === 1 ? '' : 's'}`;
}
