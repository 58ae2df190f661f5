// The services of a load test, observed by their metrics while a step runs and after it. Knows their addresses.

import type { Fetch } from './server-side/scrape.ts';
import { snapshot } from './server-side/snapshot.ts';
import { startServerSide, type ServerSideReading } from './server-side/server-side.ts';
import type { ServerObserver } from './step.ts';

/**
 * Observes services by their metrics.
 *
 * @param warn told what cannot be read, each thing once
 * @param fetch where TLS has options of its own
 */
export function metricsObserver(
  urls: readonly URL[],
  warn: (message: string) => void,
  fetch: Fetch = globalThis.fetch,
): ServerObserver {
  let reading: ServerSideReading | undefined;
  const told = new Set<string>();
  const once = (message: string) => {
    if (told.has(message)) return;
    told.add(message);
    warn(message);
  };
  return {
    begin() {
      reading = startServerSide(urls, { warn: once, fetch });
    },
    async end() {
      return await reading?.stop();
    },
    snapshot: () => snapshot(urls, { fetch }),
  };
}
