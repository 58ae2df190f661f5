// The largest Poisson rate that keeps a bound of latency: the rule of MLPerf's Server scenario. Queries come by a
// Poisson process, the percentile must keep the bound, failed queries break it, and there must be enough queries to
// say so with 99 % confidence (LoadGen's early stopping). Rates are doubled or halved until one keeps the bound and
// one does not; then the gap between them is halved until it is small. Knows steps by their results alone.

import { requestsFor } from './confidence.ts';
import type { Bound } from './measure.ts';
import type { SearchVerdict, Step } from './result.ts';

/** What a search is told. */
export interface SearchOptions {
  bound: Bound;
  /** The first rate that is tried, requests a second. */
  firstRate: number;
  /** A step is at least so long, in seconds, … */
  leastSeconds: number;
  /** … and has at least so many requests on average. */
  leastRequests: number;
  /** The search is over when the rate that is not kept is at most so many times the one that is; > 1. */
  precision: number;
  /** Steps at most, ≥ 2. */
  mostSteps: number;
  /** Runs a step at a Poisson rate, for so many seconds. */
  run: (rate: number, seconds: number) => Promise<Step>;
  signal?: AbortSignal | undefined;
}

/** How a search went. */
export interface SearchResult {
  steps: Step[];
  verdict: SearchVerdict;
}

// One late request may be among them: a step with none at all to spare would fail by chance too often.
const LATE_ONES = 1;
// A step that just keeps its bound must not fail because chance brought fewer arrivals than on average.
const SPARE = 1.1;
// Where so few requests are under way on average, they hardly meet: if the bound is not kept there, it is by none.
const ALONE = 0.05;
// Rates beyond these are not looked for.
const [LEAST_RATE, MOST_RATE] = [0.01, 100_000];

/** Requests that a step has at least, unless told otherwise: enough for one late one among them. */
export function leastRequestsFor(percentile: number): number {
  return requestsFor(LATE_ONES, percentile);
}

/** Searches; ends early, with what was found, if the signal is aborted. */
export async function searchRate(options: SearchOptions): Promise<SearchResult> {
  const { leastSeconds, leastRequests, precision, mostSteps, run, signal } = options;
  const steps: Step[] = [];
  let keptStep: Step | undefined;
  let brokenStep: Step | undefined;
  let kept = 0;
  let broken = Infinity;
  let rate = options.firstRate;
  let hopeless = false;
  const going = () =>
    signal?.aborted !== true &&
    !hopeless &&
    steps.length < mostSteps &&
    !(kept > 0 && broken <= kept * precision) &&
    rate >= LEAST_RATE &&
    rate <= MOST_RATE;
  while (going()) {
    const seconds = Math.max(leastSeconds, (leastRequests * SPARE) / rate);
    let step = await run(rate, seconds);
    steps.push(step);
    if (step.generator.saturated !== undefined && step.ended !== 'interrupted') {
      // Something else may have had the machine for a moment.
      step = await run(rate, seconds);
      steps.push(step);
    }
    if (step.ended === 'interrupted') break;
    if (step.bound?.kept === true && step.generator.saturated === undefined) [kept, keptStep] = [rate, step];
    else [broken, brokenStep] = [rate, step];
    hopeless = kept === 0 && (rate * step.serviceTime.p50) / 1000 < ALONE;
    // A generator that does not keep up at a rate says nothing of the server there or beyond.
    rate = broken === Infinity ? kept * 2 : kept === 0 ? broken / 2 : Math.sqrt(kept * broken);
  }
  return {
    steps,
    verdict: verdictOf(
      { rate: kept, step: keptStep },
      { rate: broken, step: brokenStep },
      steps.at(-1),
      options,
    ),
  };
}

interface Tried {
  rate: number;
  step: Step | undefined;
}

function verdictOf(
  { rate: kept, step: last }: Tried,
  { rate: broken, step: next }: Tried,
  final: Step | undefined,
  { bound, precision, mostSteps, signal }: SearchOptions,
): SearchVerdict {
  const said = (rate: number) => `${rate.toPrecision(3)} requests a second`;
  const invalid = (reason: string): SearchVerdict => ({
    bound,
    verdict: 'INVALID',
    ratePerSecond: 0,
    ...(broken < Infinity && { failedRatePerSecond: broken }),
    reason,
  });
  if (signal?.aborted === true || final?.ended === 'interrupted')
    return invalid('the search was interrupted');
  const wasKept = last ? `; ${said(kept)} kept the bound` : '';
  if (next?.generator.saturated !== undefined) {
    return invalid(`the generator did not keep up at ${said(broken)}: ${next.generator.saturated}${wasKept}`);
  }
  if (!last)
    return invalid(
      `no rate kept the bound; at ${said(broken)}: ${next?.bound?.reason ?? 'nothing was measured'}`,
    );
  if (!next) return invalid(`every rate kept the bound, up to ${said(kept)}: none was found that does not`);
  if (broken > kept * precision) {
    return invalid(`${String(mostSteps)} steps were not enough${wasKept}, ${said(broken)} did not`);
  }
  if (!last.stability.stable)
    return invalid(`the step at ${said(kept)} was not stable: ${last.stability.reason}`);
  return {
    bound,
    verdict: 'VALID',
    ratePerSecond: kept,
    failedRatePerSecond: broken,
    reason: `${last.bound?.reason ?? ''}; at ${said(broken)}: ${next.bound?.reason ?? ''}`,
  };
}
