// A step second by second, and in quarters. Knows outcomes; not what is made of them.

import { rounded } from './distribution.ts';
import type { Outcome } from './request.ts';
import type { Second } from './result.ts';
import type { Quarter } from './stability.ts';

interface Entry {
  intended: number;
  failed: number;
  latencies: number[];
  sent: number;
  ended: number;
}

const QUARTERS = 4;

/** Collects outcomes, warm-up included. */
export class Timeline {
  readonly #warmUpSeconds: number;
  readonly #seconds = new Map<number, Entry>();
  // Of answers and failures that are judged: when they were meant to start, when they came, how long it took.
  readonly #intended: number[] = [];
  readonly #came: number[] = [];
  readonly #latency: number[] = [];
  readonly #unanswered: number[] = [];

  constructor(warmUpMs: number) {
    this.#warmUpSeconds = Math.ceil(warmUpMs / 1000);
  }

  add(outcome: Outcome): void {
    const { intendedMs, end, request } = outcome;
    const entry = this.#at(intendedMs);
    entry.intended++;
    if (end !== 'abandoned') {
      this.#at(outcome.sentMs).sent++;
      this.#at(outcome.endedMs).ended++;
    }
    if (end === 'failed') entry.failed++;
    if (end === 'abandoned') this.#unanswered.push(intendedMs);
    if (end === 'abandoned' || end === 'cancelled' || request.slowBytesPerSecond !== undefined) return;
    const latency = outcome.endedMs - intendedMs;
    this.#intended.push(intendedMs);
    this.#came.push(outcome.endedMs);
    this.#latency.push(end === 'answered' ? latency : NaN);
    if (end === 'answered') entry.latencies.push(latency);
  }

  /** Every second from the warm-up to the step's end. */
  seconds(stepMs: number): Second[] {
    let inFlight = 0;
    const all: Second[] = [];
    for (let second = -this.#warmUpSeconds; second < Math.ceil(stepMs / 1000); second++) {
      const entry = this.#seconds.get(second);
      inFlight += (entry?.sent ?? 0) - (entry?.ended ?? 0);
      const latencies = Float64Array.from(entry?.latencies ?? []).sort();
      const at = (part: number) => rounded(latencies[Math.ceil(part * latencies.length) - 1] ?? 0);
      all.push({
        second,
        intended: entry?.intended ?? 0,
        answered: latencies.length,
        failed: entry?.failed ?? 0,
        p50: at(0.5),
        p99: at(0.99),
        inFlight,
      });
    }
    return all;
  }

  /** Answers that came within the step, whenever they were meant to start. */
  answersWithin(stepMs: number): number {
    return this.#came.filter((ms, i) => ms >= 0 && ms < stepMs && !Number.isNaN(this.#latency[i])).length;
  }

  /** The step's quarters. */
  quarters(stepMs: number): Quarter[] {
    const quarters = Array.from({ length: QUARTERS }, () => ({
      intended: 0,
      came: 0,
      latencies: [] as number[],
    }));
    const at = (ms: number) => (ms < 0 ? undefined : quarters[Math.floor((ms / stepMs) * QUARTERS)]);
    for (const [i, latency] of this.#latency.entries()) {
      const [meant, came] = [at(this.#intended[i] ?? NaN), at(this.#came[i] ?? NaN)];
      if (came) came.came++;
      if (!meant) continue;
      meant.intended++;
      if (!Number.isNaN(latency)) meant.latencies.push(latency);
    }
    for (const ms of this.#unanswered) {
      const meant = at(ms);
      if (meant) meant.intended++;
    }
    return quarters;
  }

  #at(ms: number): Entry {
    const second = Math.floor(ms / 1000);
    let entry = this.#seconds.get(second);
    if (!entry) {
      entry = { intended: 0, failed: 0, latencies: [], sent: 0, ended: 0 };
      this.#seconds.set(second, entry);
    }
    return entry;
  }
}
