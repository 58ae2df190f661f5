// How a load test's figures are written for people, the same in every report. Knows units; no format.

import type { Distribution, Load, LoadTestResult, MixEntry, SearchVerdict, Step } from '../result.ts';

/** Milliseconds with three digits that mean something: 0.42, 3.14, 27.2, 1,234. */
export function ms(value: number): string {
  return amount(value);
}

/** Any amount, as precise as milliseconds: rates, means, cores. */
export function amount(value: number): string {
  const size = Math.abs(value);
  const digits = size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2;
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** What was asked for rather than measured: 20, 12.5. */
export function asked(value: number): string {
  return Number(value.toPrecision(4)).toLocaleString('en-US', { maximumFractionDigits: 6 });
}

/** A number of things. */
export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** A part of a whole, in percent; what is small but not 0 never looks like 0, nor what is nearly all like all. */
export function percent(part: number): string {
  const value = 100 * part;
  if (value === 0 || value === 100) return `${String(value)} %`;
  if (value < 0.01) return '<0.01 %';
  if (value > 99.99) return '>99.99 %';
  return `${value.toFixed(value < 1 || value > 99 ? 2 : 1)} %`;
}

/** A percentile by its name, of a number from 0 to 100: p50, p99.9. */
export function percentileName(percentile: number): string {
  return `p${String(percentile)}`;
}

/** What a step was loaded with: `10/s Poisson`, `8 clients`. */
export function loadName(load: Load): string {
  if (load.loop === 'closed') return `${count(load.concurrency)} client${load.concurrency === 1 ? '' : 's'}`;
  const arrivals = { poisson: 'Poisson', constant: 'constant', trace: 'trace' }[load.arrivals];
  return `${asked(load.ratePerSecond)}/s ${arrivals}`;
}

/** What makes two steps the same load. */
export function loadKey(load: Load): string {
  return load.loop === 'closed'
    ? `closed ${String(load.concurrency)}`
    : `open ${load.arrivals} ${String(load.ratePerSecond)}`;
}

/** What a load grows by: clients or requests a second. */
export function loadSize(load: Load): number {
  return load.loop === 'closed' ? load.concurrency : load.ratePerSecond;
}

/** A kind of request: `MULTI_CROP, caltech-101-d`. */
export function kindName({ protocol, model }: Pick<MixEntry, 'protocol' | 'model'>): string {
  return `${protocol}, ${model === '' ? 'default model' : model}`;
}

/** The part of sent requests that failed, 0 to 1. */
export function failedPart({ requests: { sent, failed } }: Step): number {
  return sent > 0 ? failed / sent : 0;
}

/** The percentiles that every report has, and their names. */
export const PERCENTILES = [
  ['p50', 'p50'],
  ['p90', 'p90'],
  ['p95', 'p95'],
  ['p99', 'p99'],
  ['p999', 'p99.9'],
] as const satisfies readonly (readonly [keyof Distribution, string])[];

/** The verdict of a search in a sentence. */
export function verdictSentence(search: SearchVerdict): string {
  const { bound, verdict, ratePerSecond, failedRatePerSecond } = search;
  const reason = sentence(search.reason);
  const kept = `${percentileName(bound.percentile)} ≤ ${asked(bound.ms)} ms`;
  if (verdict === 'INVALID') return `INVALID: the largest rate that keeps ${kept} was not found. ${reason}`;
  const beyond = failedRatePerSecond === undefined ? '' : `, ${asked(failedRatePerSecond)}/s does not`;
  return `VALID: ${asked(ratePerSecond)}/s keeps ${kept}${beyond}. ${reason}`;
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?…]$/.test(text) || text === '' ? '' : '.');
}

/** What was tested, or simulated. */
export function titleOf({ target, machine }: Pick<LoadTestResult, 'target' | 'machine'>): string {
  return `${machine ? 'Load test' : 'Simulation'} of ${target.address}`;
}

/**
 * What a reader must know before they believe a figure: generators that could not keep up, steps that did not settle.
 * Each with the loads that it is true of.
 */
export function warningsOf({ steps }: Pick<LoadTestResult, 'steps'>): { loads: string[]; text: string }[] {
  // A search may take a rate twice.
  const loads = new Map<string, Set<string>>();
  for (const { load, generator, stability, ended, requests } of steps) {
    const texts = [
      generator.saturated === undefined
        ? ''
        : `The generator could not keep up, so the figures are its own: ${generator.saturated}`,
      stability.stable ? '' : `Not stable: ${stability.reason}`,
      ended === undefined ? '' : `Ended before its time: ${ended}`,
      requests.abandoned === 0
        ? ''
        : `${count(requests.abandoned)} requests were never sent: too many were under way, or the test was ended`,
    ];
    for (const text of texts.filter((each) => each !== '')) {
      loads.set(text, (loads.get(text) ?? new Set()).add(loadName(load)));
    }
  }
  return [...loads].map(([text, of]) => ({ loads: [...of], text }));
}
