// How long a job will take, from a few of its photos, and what that costs. Knows a sample and prices; not shards.

import { judge, WorkerDied, type Answerer } from '../../infra/bulk/asking.ts';
import type { PhotoEntry, PhotoSource } from '../../infra/bulk/photos.ts';
import { instanceHour, type Prices } from '../../infra/prices.ts';
import type { Clock } from '../../sdk/clock.ts';

/** What a sample showed. */
export interface Sample {
  photos: number;
  seconds: number;
  photosPerSecond: number;
  /** Of a photo, mean. */
  bytes: number;
}

// Long enough that starting does not count, short enough that nobody minds.
const ENOUGH_MS = 8000;
const MOST_PHOTOS = 64;

/**
 * Asks about some photos, as many at once as the job will, and throws the answers away. The first one, which waits for
 * workers to start, is not counted.
 *
 * @param sample photos by chance; not all may be asked about
 * @throws VggError what no photo would survive
 */
export async function measure(
  sample: readonly PhotoEntry[],
  source: PhotoSource,
  answerer: Answerer,
  lanes: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<Sample> {
  let bytes = 0;
  const ask = async (entry: PhotoEntry) => {
    signal.throwIfAborted();
    try {
      const photo = await source.read(entry);
      bytes += photo.length;
      await answerer.ask(photo);
    } catch (error) {
      // A photo's own failure takes its time like an answer.
      if (!(error instanceof WorkerDied) && judge(error) !== 'photo') throw error;
    }
  };
  const [first] = sample;
  if (first) await ask(first);
  bytes = 0;
  const started = clock.now();
  // Of very few photos the first one is asked about again.
  const waiting = (sample.length > 1 ? sample.slice(1, MOST_PHOTOS + 1) : sample).values();
  let photos = 0;
  const lane = async () => {
    for (const entry of waiting) {
      await ask(entry);
      photos++;
      if (clock.now() - started > ENOUGH_MS) return;
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  const seconds = Math.max(clock.now() - started, 1) / 1000;
  return { photos, seconds, photosPerSecond: photos / seconds, bytes: bytes / photos };
}

/** What machines cost that a job keeps busy. */
export interface Machines {
  type: string;
  count: number;
  spot: boolean;
}

/** US dollars of so many seconds. @throws VggError INVALID_ARGUMENT for an instance that the table has not */
export function costOf(seconds: number, { type, count, spot }: Machines, prices: Prices): number {
  return (seconds / 3600) * count * instanceHour(prices, type, spot);
}

/** Seconds in words, as exact as an estimate is. */
export function span(seconds: number): string {
  if (seconds < 90) return `${seconds < 10 ? seconds.toFixed(1) : seconds.toFixed(0)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return `${String(minutes)} min`;
  const hours = seconds / 3600;
  return hours < 72 ? `${hours.toFixed(1)} h` : `${(hours / 24).toFixed(1)} days`;
}

/** Dollars, as exact as an estimate is. */
export function dollars(amount: number): string {
  return amount < 0.01 ? `$${amount.toPrecision(1)}` : `$${amount.toFixed(2)}`;
}
