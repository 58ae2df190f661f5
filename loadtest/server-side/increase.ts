// How much counters grew between readings of one target, restarts of the service included. Knows counters,
// histograms and what tells one process from another; no other metric by name.

import { PROCESS } from '../../services/host/metrics.ts';
import type { Sample } from './exposition.ts';

/** One target's metrics at one time. */
export interface Reading {
  /** Milliseconds of the clock. */
  at: number;
  /** By {@link seriesOf}. */
  samples: ReadonlyMap<string, Sample>;
}

/** The growth of counters, by series. */
export interface Increases {
  /** Seconds from the first reading to the last. */
  seconds: number;
  /** Whether the process was another one at some time. */
  restarted: boolean;
  /** Growth summed over the series of a name; 0 where there are none. */
  sum: (name: string) => number;
  /** Growth by the value of a label, summed over all else; what did not grow is in it too. */
  by: (name: string, label: string) => Map<string, number>;
}

// When a process began, to the second; all that others' services say of which process they are.
const STARTED = 'process_start_time_seconds';

/** A reading of samples. */
export function reading(at: number, samples: readonly Sample[]): Reading {
  return { at, samples: new Map(samples.map((sample) => [seriesOf(sample), sample])) };
}

/**
 * Growth from the first reading to the last. A counter that fell, or whose process was replaced, began again at 0:
 * what it counted between its last reading and its end is lost, as it is to Prometheus.
 *
 * @param readings of one target, in the order of time; at least one
 */
export function increases(readings: readonly Reading[]): Increases {
  const grown = new Map<string, { sample: Sample; growth: number }>();
  let restarted = false;
  for (const [i, next] of readings.entries()) {
    const last = readings[i - 1];
    if (!last) continue;
    const replaced = isReplaced(last, next);
    restarted ||= replaced;
    for (const [series, sample] of next.samples) {
      const from = replaced ? 0 : (last.samples.get(series)?.value ?? 0);
      const growth = sample.value < from ? sample.value : sample.value - from;
      const before = grown.get(series)?.growth ?? 0;
      grown.set(series, { sample, growth: before + (Number.isFinite(growth) ? growth : 0) });
    }
  }
  const matching = (name: string) => [...grown.values()].filter(({ sample }) => sample.name === name);
  const [first, final] = [readings[0], readings.at(-1)];
  return {
    seconds: first && final ? (final.at - first.at) / 1000 : 0,
    restarted,
    sum: (name) => matching(name).reduce((sum, { growth }) => sum + growth, 0),
    by: (name, label) => {
      const groups = new Map<string, number>();
      for (const { sample, growth } of matching(name)) {
        const group = sample.labels[label];
        if (group !== undefined) groups.set(group, (groups.get(group) ?? 0) + growth);
      }
      return groups;
    },
  };
}

/** Values of a gauge or counter in a reading, summed over the series of its name; undefined where there are none. */
export function valueIn({ samples }: Reading, name: string): number | undefined {
  let sum: number | undefined;
  for (const sample of samples.values()) {
    if (sample.name === name && Number.isFinite(sample.value)) sum = (sum ?? 0) + sample.value;
  }
  return sum;
}

/** The process that a reading is of; undefined of a service that is none of ours. */
export function processOf({ samples }: Reading): string | undefined {
  return [...samples.values()].find(({ name }) => name === PROCESS)?.labels['id'];
}

function isReplaced(last: Reading, next: Reading): boolean {
  for (const [before, after] of [
    [processOf(last), processOf(next)],
    [valueIn(last, STARTED), valueIn(next, STARTED)],
  ]) {
    if (before !== undefined && after !== undefined) return before !== after;
  }
  // Only counters' names end in _total, by convention; gauges may fall.
  for (const [series, { name, value }] of next.samples) {
    if (name.endsWith('_total') && value < (last.samples.get(series)?.value ?? 0)) return true;
  }
  return false;
}

function seriesOf({ name, labels }: Sample): string {
  const sorted = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([name, ...sorted]);
}
