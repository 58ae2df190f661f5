// What the services have in hand at one moment. Knows their gauges by their own constants; not why it is asked.

import { IN_FLIGHT } from '../../services/gateway/metrics.ts';
import { RPC_IN_FLIGHT } from '../../services/host/metrics.ts';
import { DROPPED, QUEUED } from '../../services/inference/metrics.ts';
import { systemClock } from '../../sdk/clock.ts';
import { reading, valueIn } from './increase.ts';
import { scrape } from './scrape.ts';
import type { ServerSideOptions } from './server-side.ts';

/** Of all services together. */
export interface Snapshot {
  /** Views that wait, or that room is kept for. */
  queuedViews: number;
  /** Calls and HTTP requests that have not ended. */
  callsInFlight: number;
  /** Views dropped before they were computed, since the services started. */
  droppedViews: number;
}

/**
 * What the services have in hand now; undefined if one of them could not be read, or none of them is inference, since
 * a part says nothing.
 */
export async function snapshot(
  urls: readonly URL[],
  { fetch = globalThis.fetch, clock = systemClock }: Pick<ServerSideOptions, 'fetch' | 'clock'> = {},
): Promise<Snapshot | undefined> {
  try {
    const all = await Promise.all(
      [...new Set(urls.map(({ href }) => href))].map((href) => scrape(new URL(href), fetch, clock)),
    );
    const readings = all.map((samples) => reading(clock.now(), samples));
    if (!readings.some((each) => valueIn(each, QUEUED) !== undefined)) return undefined;
    const total = (name: string) => readings.reduce((sum, each) => sum + (valueIn(each, name) ?? 0), 0);
    // A gateway counts the request that reads this.
    const gateways = readings.filter((each) => valueIn(each, IN_FLIGHT) !== undefined).length;
    return {
      queuedViews: total(QUEUED),
      callsInFlight: Math.max(0, total(IN_FLIGHT) - gateways) + total(RPC_IN_FLIGHT),
      droppedViews: total(DROPPED),
    };
  } catch {
    return undefined;
  }
}
