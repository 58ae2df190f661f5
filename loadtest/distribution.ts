// Times and their distribution: an HDR histogram, three significant digits at any size. Knows no requests.

import { build, type Histogram } from 'hdr-histogram-js';
import type { Distribution } from './result.ts';

const MICROSECONDS = 1000;

/** Collects times in milliseconds, ≥ 0. */
export class Times {
  readonly #histogram: Histogram = build({
    // Of whole microseconds: an hour at first, and it grows.
    lowestDiscernibleValue: 1,
    highestTrackableValue: 3_600_000 * MICROSECONDS,
    numberOfSignificantValueDigits: 3,
    autoResize: true,
    bitBucketSize: 64,
    useWebAssembly: false,
  });
  #sum = 0;
  #min = Infinity;
  #max = 0;

  get count(): number {
    return this.#histogram.totalCount;
  }

  add(ms: number): void {
    const time = Math.max(0, ms);
    this.#histogram.recordValue(Math.round(time * MICROSECONDS));
    this.#sum += time;
    this.#min = Math.min(this.#min, time);
    this.#max = Math.max(this.#max, time);
  }

  /** The time that a part of all, 0 to 1, does not exceed; 0 without times. */
  at(part: number): number {
    if (this.count === 0) return 0;
    const value = this.#histogram.getValueAtPercentile(part * 100) / MICROSECONDS;
    // A bucket's end may be beyond what is in it.
    return Math.min(this.#max, Math.max(this.#min, value));
  }

  /** Mean, smallest and largest are exact; percentiles to 0.1 %. */
  distribution(): Distribution {
    const { count } = this;
    if (count === 0) return NOTHING;
    return {
      count,
      mean: rounded(this.#sum / count),
      min: rounded(this.#min),
      p50: rounded(this.at(0.5)),
      p90: rounded(this.at(0.9)),
      p95: rounded(this.at(0.95)),
      p99: rounded(this.at(0.99)),
      p999: rounded(this.at(0.999)),
      max: rounded(this.#max),
      percentiles: partsOf(count).map((part) => ({ value: rounded(this.at(part)), part })),
    };
  }
}

/** The distribution of no times. */
export const NOTHING: Distribution = {
  count: 0,
  mean: 0,
  min: 0,
  p50: 0,
  p90: 0,
  p95: 0,
  p99: 0,
  p999: 0,
  max: 0,
  percentiles: [],
};

const TICKS = 8;

// Evenly spaced in the first half, then in half of what is left, and so on: as many as there are times for.
function partsOf(count: number): number[] {
  const parts: number[] = [];
  for (let rest = 1; rest * count > 1 && parts.length < 200; rest /= 2) {
    for (let tick = 0; tick < TICKS; tick++) parts.push(1 - rest + (rest * tick) / (2 * TICKS));
  }
  return [...parts, 1];
}

/** Microseconds are enough. */
export function rounded(ms: number): number {
  return Math.round(ms * MICROSECONDS) / MICROSECONDS;
}
