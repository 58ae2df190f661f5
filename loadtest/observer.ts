// The services of a load test, observed by their metrics while a step runs and after it. Knows their addresses.

import { snapshot } from './server-side/snapshot.ts';
import { startServerSide, type ServerSideReading } from './server-side/server-side.ts';
import type { ServerObserver } from './step.ts';

/** Observes services by their metrics. @param warn told what cannot be read, each thing once */
export function metricsObserver(urls: readonly URL[], warn: (message: string) => void): ServerObserver {
  let reading: ServerSideReading | undefined;
  const told = new Set<string>();
  const once = (message: string) => {
    if (told.has(message)) return;
    told.add(message);
    warn(message);
  };
  return {
    begin() {
      reading = startServerSide(urls, { warn: once });
    },
    async end() {
      return await reading?.stop();
    },
    snapshot: () => snapshot(urls),
  };
}
