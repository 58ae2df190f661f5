// What the services say of a step: their metrics read at its start, each second, and at its end. Knows what is read
// when; what the figures are is in figures.ts.

import { systemClock, type Clock } from '../../sdk/clock.ts';
import type { ServerSide } from '../result.ts';
import { figuresOf } from './figures.ts';
import { increases, reading, type Reading } from './increase.ts';
import { scrape, type Fetch } from './scrape.ts';

/** What a step's reading needs of its surroundings. */
export interface ServerSideOptions {
  fetch?: Fetch;
  clock?: Pick<Clock, 'now' | 'after'>;
  /** Told what could not be read, or was restarted; one sentence for each address and step. */
  warn?: (message: string) => void;
}

/** A step whose services are being read. */
export interface ServerSideReading {
  /**
   * Reads once more, and ends; within a few seconds whatever the services do. Undefined if none of them could be
   * read twice.
   */
  stop(): Promise<ServerSide | undefined>;
}

const EVERY_MS = 1000;

/**
 * Begins to read; at once, so that it is called when the part of a step begins that is measured. Never fails:
 * what cannot be read is left out and warned of.
 *
 * @param urls of metrics; see metricsUrl. None is read twice
 */
export function startServerSide(urls: readonly URL[], options: ServerSideOptions = {}): ServerSideReading {
  const { fetch = globalThis.fetch, clock = systemClock, warn = () => undefined } = options;
  const targets = [...new Map(urls.map((url) => [url.href, url])).values()].map((url) => ({
    url,
    readings: [] as Reading[],
    trouble: undefined as string | undefined,
  }));
  const read = async (target: (typeof targets)[number]) => {
    try {
      const asked = clock.now();
      const samples = await scrape(target.url, fetch, clock);
      // The service answered at some time between; both errors are smallest in the middle.
      target.readings.push(reading((asked + clock.now()) / 2, samples));
    } catch (error) {
      target.trouble ??= (error as Error).message;
    }
  };
  let running: Promise<unknown> = Promise.resolve();
  let stopped: Promise<ServerSide | undefined> | undefined;
  let cancel = () => {};
  const round = () => {
    running = Promise.all(targets.map(read)).then(() => {
      // Slow answers make fewer readings, never readings that pile up.
      if (!stopped) cancel = clock.after(EVERY_MS, round);
    });
  };
  const end = async () => {
    cancel();
    await running;
    await Promise.all(targets.map(read));
    for (const { url, readings, trouble } of targets) {
      if (trouble !== undefined) warn(`Metrics of ${url.href} could not be read: ${trouble}`);
      if (increases(readings).restarted) {
        warn(
          `The service at ${url.href} was restarted during the step; what it did before is partly missing`,
        );
      }
    }
    return figuresOf(targets.filter(({ readings }) => readings.length > 1));
  };
  if (targets.length > 0) round();
  return { stop: () => (stopped ??= end()) };
}
