// A server whose answers are known beforehand: one queue, one server, first come first served, and every request says
// itself how long it takes. What queueing theory says of it, and what it must do for each request of a given sequence.

import type { Clock } from '../../loadtest/clock.ts';
import { until } from '../../loadtest/clock.ts';
import type { LoadPhoto, LoadRequest, Outcome, Target } from '../../loadtest/request.ts';
import { VggError } from '../../vgg/errors.ts';

/** A "photo" whose bytes are the time that its answer takes. */
export function taking(ms: number): LoadPhoto {
  return { name: `${String(ms)}.jpg`, bytes: new Uint8Array(Float64Array.of(ms).buffer) };
}

/** The time that an answer takes, in milliseconds. */
export function timeOf(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, 8).getFloat64(0, true);
}

/** Times like those of an exponential distribution: the middles of so many equally likely parts of it. */
export function exponential(mean: number, parts: number): LoadPhoto[] {
  return Array.from({ length: parts }, (_, i) => taking(-mean * Math.log(1 - (i + 0.5) / parts)));
}

/** One server and its queue. */
export class Queue {
  #free = 0;
  #served = 0;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves when the request that comes now would be answered, with its place in the queue: 1, 2, … */
  async serve(ms: number, signal?: AbortSignal): Promise<number> {
    const place = ++this.#served;
    this.#free = Math.max(this.#free, this.#clock.now()) + ms;
    await until(this.#free, this.#clock, signal);
    return place;
  }
}

/** An answer that says nothing but, where a queue gave it, the place of its request: that many views. */
export const ANSWER = {
  photo: '',
  model: 'queue',
  network: 'A',
  protocol: 'CENTER_CROP',
  scales: [],
  views: 1,
  engine: 'queue',
  predictions: [],
  timing: { prepareMs: 0, queueMs: 0, computeMs: 0, totalMs: 0 },
};

/** A queue as a target, without sockets. */
export function queueTarget(clock: Clock): Target {
  const queue = new Queue(clock);
  return {
    async send({ photo }: LoadRequest, signal: AbortSignal) {
      const views = await queue.serve(timeOf(photo.bytes), signal);
      if (signal.aborted) throw signal.reason;
      return { ...ANSWER, views };
    },
    close: () => Promise.resolve(),
  };
}

/** A target that refuses everything. */
export const refusing: Target = {
  send: () => Promise.reject(new VggError('RESOURCE_EXHAUSTED', 'Full')),
  close: () => Promise.resolve(),
};

/**
 * When each request must be answered, by Lindley's recursion: it waits for what is left of those before it, and then
 * takes its own time.
 */
export function lindley(requests: readonly { comesMs: number; takesMs: number }[]): number[] {
  let free = -Infinity;
  return requests.map(({ comesMs, takesMs }) => (free = Math.max(free, comesMs) + takesMs));
}

/** Outcomes in the order in which they were meant to start. */
export function inOrder(outcomes: readonly Outcome[]): Outcome[] {
  return [...outcomes].sort((a, b) => a.index - b.index);
}

/**
 * Mean latency of an M/G/1 queue (Pollaczek and Khinchine).
 *
 * @param rate requests a millisecond
 * @param times service times, equally likely
 */
export function meanLatency(rate: number, times: readonly number[]): number {
  const mean = times.reduce((sum, ms) => sum + ms, 0) / times.length;
  const square = times.reduce((sum, ms) => sum + ms * ms, 0) / times.length;
  return mean + (rate * square) / (2 * (1 - rate * mean));
}
