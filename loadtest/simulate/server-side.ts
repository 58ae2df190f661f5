// What a simulated system's services would say of a step, as loadtest/server-side reads it from real ones. Knows what is
// counted where; not what is sent.

import { SCALED_SERVICES, type ScaledService } from '../../infra/scaling.ts';
import { BATCH_VIEWS_BUCKETS } from '../../services/inference/metrics.ts';
import type { ServerSide } from '../result.ts';
import type { System } from './system.ts';

/** What a system has counted until now. */
export function countersOf(system: System) {
  const { counts, busyMs, inference } = system;
  return {
    ...counts,
    sizes: new Map(counts.sizes),
    droppedViews: new Map<string, number>(counts.droppedViews),
    retries: new Map(Object.entries(system.roads.retries)),
    busyMs,
    paidMs: inference.paidMs,
    used: SCALED_SERVICES.map((service) => ({ service, ms: usedBy(system, service) })),
  };
}

// Whose work it is on cores that are shared, only loops tell.
function usedBy(system: System, service: ScaledService): number {
  const fleet = system.fleet(service);
  if (!system.shared) return fleet.usedMs;
  return fleet.tasks.reduce((sum, { loop }) => sum + loop.workedMs, 0);
}

/** Most views that waited, looked at each second, as a load test does, until a time. */
export function mostQueued({ time, inference }: System, until: number): () => number {
  let most = 0;
  const look = () => {
    most = Math.max(
      most,
      inference.ready.reduce((sum, { batcher }) => sum + batcher.queuedViews, 0),
    );
    if (time.now() < until) time.after(1000, look);
  };
  look();
  return () => most;
}

// What counted more in between.
function grown(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): [string, number][] {
  return [...after]
    .map(([name, count]): [string, number] => [name, count - (before.get(name) ?? 0)])
    .filter(([, count]) => count > 0);
}

type Counters = ReturnType<typeof countersOf>;

const BUCKETS = [...BATCH_VIEWS_BUCKETS, Infinity];

/**
 * What services would say of the time between two counts.
 *
 * @param rest means of answered photos, and what was looked at meanwhile
 */
export function serverSide(
  before: Counters,
  after: Counters,
  seconds: number,
  rest: Pick<ServerSide, 'stages' | 'mostQueuedViews'>,
): ServerSide {
  const count = after.batches - before.batches;
  const each = (pick: (counters: Counters) => number) =>
    count === 0 ? 0 : (pick(after) - pick(before)) / count;
  const within = (sizes: ReadonlyMap<number, number>, above: number, upTo: number) =>
    [...sizes].reduce((sum, [views, times]) => sum + (views > above && views <= upTo ? times : 0), 0);
  return {
    ...rest,
    viewsPerSecond: (after.views - before.views) / seconds,
    batches: {
      count,
      meanViews: each(({ views }) => views),
      meanCalls: each(({ jobs }) => jobs),
      meanMs: each(({ busyMs }) => busyMs),
      busy: (after.busyMs - before.busyMs) / Math.max(1, after.paidMs - before.paidMs),
      sizes: BUCKETS.map((upTo, i) => ({
        upTo: upTo === Infinity ? null : upTo,
        count:
          within(after.sizes, BUCKETS[i - 1] ?? 0, upTo) - within(before.sizes, BUCKETS[i - 1] ?? 0, upTo),
      })),
    },
    droppedViews: grown(before.droppedViews, after.droppedViews).map(([code, views]) => ({
      code,
      count: views,
    })),
    retries: grown(before.retries, after.retries).map(([stage, times]) => ({ stage, count: times })),
    cpu: after.used.map(({ service, ms }, i) => ({
      process: service,
      cores: Math.max(0, ms - (before.used[i]?.ms ?? 0)) / (1000 * seconds),
    })),
  };
}
