// What came of a fault: requests by kind, when all was well again, and what did not hold. Knows samples; no processes.

import type { ErrorCode } from '../../sdk/index.ts';
import type { Sample } from './load.ts';

/** A row of the table. */
export interface Row {
  name: string;
  what: string;
  holds: string;
  /** What the seed chose. */
  done: string;
  requests: number;
  /** Failures by code. */
  failed: Record<string, number>;
  wrong: number;
  /** Calls that services made again. */
  retries: number;
  /** Requests that the front sent to the other gateway too. */
  again: number;
  /** Seconds from the injection until the last request was over that failed or was slow; 0 if none was. */
  recoverySeconds: number;
  /** Longest time of an answer, in seconds. */
  longestSeconds: number;
  violations: string[];
}

/** What a verdict is made of. */
export interface Evidence {
  samples: readonly Sample[];
  /** Milliseconds since the load began. */
  injectedMs: number;
  healedMs: number;
  mayFail: readonly ErrorCode[];
  retries: number;
  /** Most retries that the budget of all callers allows. */
  retriesAllowed: number;
}

// An answer is slow that takes longer than any before the fault, several times over, and longer than people notice.
const SLOW_TIMES = 3;
const SLOW_LEAST_MS = 1000;

/** Judges. */
export function judge({ samples, injectedMs, healedMs, mayFail, retries, retriesAllowed }: Evidence) {
  const violations: string[] = [];
  const failures = samples.filter(({ what }) => what !== 'right' && what !== 'wrong');
  const failed: Record<string, number> = {};
  for (const { what } of failures) failed[what] = (failed[what] ?? 0) + 1;
  const wrong = samples.filter(({ what }) => what === 'wrong').length;
  if (wrong > 0) violations.push(`${String(wrong)} wrong answers`);
  for (const [code, count] of Object.entries(failed)) {
    if (mayFail.some((each) => each === code)) continue;
    const { message = '' } = failures.find(({ what }) => what === code) ?? {};
    violations.push(`${String(count)} requests failed with ${code}: ${message}`);
  }
  // What a fault excuses, it excuses only while it lasts.
  const outside = failures.filter(
    ({ what, intendedMs, endedMs }) =>
      mayFail.some((each) => each === what) && (endedMs < injectedMs || intendedMs > healedMs),
  );
  if (outside.length > 0)
    violations.push(`${String(outside.length)} requests failed that came before the fault or after it`);
  if (samples.length === 0) violations.push('no request was sent');
  if (retries > retriesAllowed)
    violations.push(`${String(retries)} retries, where the budget allows ${String(retriesAllowed)}`);
  const took = ({ intendedMs, endedMs }: Sample) => endedMs - intendedMs;
  const usual = Math.max(0, ...samples.filter(({ endedMs }) => endedMs < injectedMs).map(took));
  const slowMs = Math.max(SLOW_LEAST_MS, SLOW_TIMES * usual);
  const bad = samples.filter(
    (sample) => sample.endedMs >= injectedMs && (sample.what !== 'right' || took(sample) > slowMs),
  );
  const last = Math.max(injectedMs, ...bad.map(({ endedMs }) => endedMs));
  return {
    requests: samples.length,
    failed,
    wrong,
    recoverySeconds: (last - injectedMs) / 1000,
    longestSeconds: Math.max(0, ...samples.map(took)) / 1000,
    violations,
  };
}
