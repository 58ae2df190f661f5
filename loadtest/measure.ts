// What became of a step's requests, counted and timed. Knows outcomes; neither clocks nor how requests were sent.

import { mostLate, requestsFor } from './confidence.ts';
import { Times } from './distribution.ts';
import type { Outcome } from './request.ts';
import type { BoundVerdict, ErrorRow, KindRow, MixEntry, Requests } from './result.ts';
import type { Quarter } from './stability.ts';
import { Timeline } from './timeline.ts';

/** A bound of latency. */
export interface Bound {
  /** 90, 95 or 99: the part of requests, in percent, that must be answered in time. */
  percentile: number;
  ms: number;
}

/** What is measured. */
export interface MeasureOptions {
  warmUpMs: number;
  /** Kinds that will be sent; each has a row, even if nothing is sent. */
  kinds: readonly MixEntry[];
  bound?: Bound | undefined;
}

interface KindTimes {
  kind: MixEntry;
  times: Times;
  /** When answers came. */
  came: number[];
  failed: number;
}

/** Figures of one step; outcomes of its warm-up are left out of all but the timeline. */
export class Measure {
  readonly latency = new Times();
  readonly serviceTime = new Times();
  readonly late = new Times();
  readonly requests: Requests = {
    intended: 0,
    sent: 0,
    answered: 0,
    failed: 0,
    abandoned: 0,
    cancelled: 0,
    slow: 0,
  };
  /** Requests that broke the bound. */
  overBound = 0;
  /** Requests under way. */
  inFlight = 0;
  readonly #options: MeasureOptions;
  readonly #errors = new Map<string, { example: string; times: Times }>();
  readonly #kinds: KindTimes[];
  readonly #timeline: Timeline;

  constructor(options: MeasureOptions) {
    this.#options = options;
    this.#timeline = new Timeline(options.warmUpMs);
    this.#kinds = options.kinds.map((kind) => ({ kind, times: new Times(), came: [], failed: 0 }));
  }

  /** A request has been sent. */
  sent(): void {
    this.inFlight++;
  }

  /** A request is over. */
  add(outcome: Outcome): void {
    const { bound } = this.#options;
    if (outcome.end !== 'abandoned') this.inFlight--;
    this.#timeline.add(outcome);
    if (outcome.intendedMs < 0) return;
    const { requests } = this;
    requests.intended++;
    if (outcome.end === 'abandoned') {
      requests.abandoned++;
      this.overBound++;
      return;
    }
    requests.sent++;
    const { intendedMs, sentMs, endedMs } = outcome;
    this.late.add(sentMs - intendedMs);
    const latencyMs = endedMs - intendedMs;
    const kind = this.#kinds.find(
      ({ kind: { protocol, model } }) =>
        protocol === outcome.request.kind.protocol && model === outcome.request.kind.model,
    );
    switch (outcome.end) {
      case 'cancelled':
        requests.cancelled++;
        break;
      case 'failed':
        requests.failed++;
        this.overBound++;
        if (kind) kind.failed++;
        this.#error(outcome.code, outcome.message).add(latencyMs);
        break;
      case 'answered':
        if (outcome.request.slowBytesPerSecond !== undefined) {
          requests.slow++;
          break;
        }
        requests.answered++;
        this.latency.add(latencyMs);
        this.serviceTime.add(endedMs - sentMs);
        kind?.times.add(latencyMs);
        kind?.came.push(endedMs);
        if (bound && latencyMs > bound.ms) this.overBound++;
        break;
    }
  }

  /** Errors by code, the most frequent first. */
  errors(): ErrorRow[] {
    return [...this.#errors]
      .map(([code, { example, times }]) => ({
        code,
        example,
        count: times.count,
        latency: times.distribution(),
      }))
      .sort((a, b) => b.count - a.count);
  }

  /** By kind, in the order of the mix. @param stepMs how long the step was */
  kinds(stepMs: number): KindRow[] {
    return this.#kinds.map(({ kind: { protocol, model }, times, came, failed }) => ({
      ...{ protocol, model, failed },
      answersPerSecond: stepMs > 0 ? (1000 * came.filter((ms) => ms < stepMs).length) / stepMs : 0,
      latency: times.distribution(),
    }));
  }

  /** Second by second. @param stepMs how long the step was */
  timeline(stepMs: number) {
    return this.#timeline.seconds(stepMs);
  }

  /** Answers a second that came within the step. @param stepMs how long it was */
  answersPerSecond(stepMs: number): number {
    return stepMs > 0 ? (1000 * this.#timeline.answersWithin(stepMs)) / stepMs : 0;
  }

  /** The step's quarters. @param stepMs how long it was */
  quarters(stepMs: number): Quarter[] {
    return this.#timeline.quarters(stepMs);
  }

  /** Whether the bound was kept; undefined without one. */
  verdict(): BoundVerdict | undefined {
    const { bound } = this.#options;
    if (!bound) return undefined;
    const { percentile, ms } = bound;
    const requests = this.requests.answered + this.requests.failed + this.requests.abandoned;
    const late = this.overBound;
    const most = mostLate(requests, percentile);
    const kept = late <= most;
    const counts = `${String(late)} of ${String(requests)} requests were late or failed`;
    const reason =
      most < 0
        ? `${counts}: too few to judge, it takes ${String(requestsFor(0, percentile))}`
        : `${counts}: to say so with 99 % confidence, at most ${String(most)} may be`;
    return { percentile, ms, kept, requests, late, reason };
  }

  #error(code: string, example: string): Times {
    let row = this.#errors.get(code);
    if (!row) this.#errors.set(code, (row = { example, times: new Times() }));
    return row.times;
  }
}
