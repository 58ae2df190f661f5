// From counters that grew to the figures of a step. Knows the services' metrics by their own constants.

import { STAGE_DURATION, RETRIES } from '../../services/aggregator/metrics.ts';
import { DURATION as HTTP_DURATION } from '../../services/gateway/metrics.ts';
import {
  BATCH_CALLS,
  BATCH_DURATION,
  BATCH_VIEWS,
  DROPPED,
  QUEUED,
  VIEWS,
} from '../../services/inference/metrics.ts';
import { STEP_DURATION } from '../../services/preprocess/metrics.ts';
import type { ServerSide } from '../result.ts';
import { increases, valueIn, type Increases } from './increase.ts';
import { cpuByProcess, type Target } from './processes.ts';

// The route whose requests are photos.
const CLASSIFY = '/v1/classify';

/**
 * The figures of all targets together; undefined if there are none. A kind of service may have several: counts are
 * added, means are over all.
 *
 * @param targets each with at least two readings
 */
export function figuresOf(targets: readonly Target[]): ServerSide | undefined {
  if (targets.length === 0) return undefined;
  const grown = targets.map(({ readings }) => increases(readings));
  const total = (name: string) => grown.reduce((sum, each) => sum + each.sum(name), 0);
  const rate = (each: Increases, name: string) => (each.seconds > 0 ? each.sum(name) / each.seconds : 0);
  const engines = targets.filter(({ readings }) =>
    readings.some((each) => valueIn(each, `${BATCH_DURATION}_count`) !== undefined),
  );
  const busy = grown.reduce((sum, each) => sum + rate(each, `${BATCH_DURATION}_sum`), 0);
  const batches = total(`${BATCH_DURATION}_count`);
  const mean = (name: string) => ratio(total(`${name}_sum`), total(`${name}_count`));
  return {
    stages: stagesOf(grown),
    viewsPerSecond: grown.reduce((sum, each) => sum + rate(each, VIEWS), 0),
    batches: {
      count: batches,
      meanViews: mean(BATCH_VIEWS),
      meanCalls: mean(BATCH_CALLS),
      meanMs: 1000 * mean(BATCH_DURATION),
      // A batch counts when it ends, also what of it was before the step.
      busy: Math.min(1, ratio(busy, engines.length)),
      sizes: sizesOf(grown),
    },
    mostQueuedViews: mostQueued(targets),
    droppedViews: counted(grown, DROPPED, 'code').map(([code, count]) => ({ code, count })),
    retries: counted(grown, RETRIES, 'stage').map(([stage, count]) => ({ stage, count })),
    cpu: cpuByProcess(targets),
  };
}

// A photo's stages as the aggregator has them, then what preprocess and the gateway say of their own part.
function stagesOf(grown: readonly Increases[]): ServerSide['stages'] {
  const own = (name: string, label: string) => {
    const sums = merged(grown.map((each) => each.by(`${name}_sum`, label)));
    const counts = merged(grown.map((each) => each.by(`${name}_count`, label)));
    return [...counts]
      .filter(([, count]) => count > 0)
      .map(([stage, count]) => ({ stage, meanMs: (1000 * (sums.get(stage) ?? 0)) / count, count }));
  };
  const http = own(HTTP_DURATION, 'route').filter(({ stage }) => stage === CLASSIFY);
  return [
    ...own(STAGE_DURATION, 'stage'),
    ...own(STEP_DURATION, 'step'),
    ...http.map((each) => ({ ...each, stage: 'http' })),
  ];
}

// Prometheus' buckets count what is at most so large; here each counts what is above the one before.
function sizesOf(grown: readonly Increases[]): ServerSide['batches']['sizes'] {
  const buckets = [...merged(grown.map((each) => each.by(`${BATCH_VIEWS}_bucket`, 'le')))]
    .map(([le, count]) => ({ upTo: le === '+Inf' ? Infinity : Number(le), count }))
    .sort((a, b) => a.upTo - b.upTo);
  return buckets.map(({ upTo, count }, i) => ({
    upTo: upTo === Infinity ? null : upTo,
    count: Math.max(0, count - (buckets[i - 1]?.count ?? 0)),
  }));
}

// Each target's most: they are not read at the same moment.
function mostQueued(targets: readonly Target[]): number {
  return targets.reduce(
    (sum, { readings }) => sum + Math.max(0, ...readings.map((each) => valueIn(each, QUEUED) ?? 0)),
    0,
  );
}

function counted(grown: readonly Increases[], name: string, label: string): [string, number][] {
  return [...merged(grown.map((each) => each.by(name, label)))].filter(([, count]) => count > 0);
}

function merged(maps: readonly Map<string, number>[]): Map<string, number> {
  const all = new Map<string, number>();
  for (const [key, value] of maps.flatMap((map) => [...map])) all.set(key, (all.get(key) ?? 0) + value);
  return all;
}

function ratio(a: number, b: number): number {
  return b > 0 ? a / b : 0;
}
