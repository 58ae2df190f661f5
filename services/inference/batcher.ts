// Turns the units of all requests into batches: the whole of batching, top to bottom.
// Knows units by key, cost and number of views, and requests by priority, deadline and signal.
// Does not know pixels, layers, engines or gRPC. Time and scheduling are parameters.
//
// A job is one request's units. Jobs take turns by the cost already spent on them, so that a job of one
// view that arrives after one of 150 is served by the next batch. A batch holds units of one model and one shape key, whoever they belong to. While the engine is idle nothing waits.

import { VggError } from '../../vgg/errors.ts';

/** What the batcher sees of a unit of work. */
export interface BatchUnit {
  /** Units of one target with equal keys may share a batch. */
  readonly shapeKey: string;
  /** Multiply-accumulates. */
  readonly cost: number;
  /** Views that it answers; only their number counts here. */
  readonly views: { readonly length: number };
}

/** What computes batches: one model of an engine. */
export interface BatchTarget<Unit, Scores> {
  /** Most units like this one in a batch, ≥ 1. */
  batchLimit(unit: Unit): number;
  /** Same length and order as the batch. */
  score(batch: readonly Unit[]): Promise<readonly Scores[]>;
}

/** One unit, answered. */
export interface ScoredUnit<Unit, Scores> {
  readonly unit: Unit;
  readonly scores: Scores;
  /** From its arrival until its batch began, in milliseconds. */
  readonly queueMs: number;
  /** Its batch's time, in milliseconds. */
  readonly computeMs: number;
  /** Views in its batch. */
  readonly batchViews: number;
}

/** 0 is served first; 1 only where no 0 waits, or to fill its batch. */
export type Rank = 0 | 1;

/** What holds for all units of a job. */
export interface JobOptions<Unit, Scores> {
  target: BatchTarget<Unit, Scores>;
  rank: Rank;
  /** After it, in milliseconds of the batcher's clock, no unit of it is computed. */
  deadline: number;
  /** Its abort drops what waits, at once; the job ends with the signal's reason. */
  signal: AbortSignal;
  /** Views that will come: room for them is kept. 0 or less than what comes: room is asked for as it comes. */
  reserve: number;
}

/** What the batcher tells while it works. */
export interface BatcherEvents {
  onBatch?(batch: { units: number; views: number; jobs: number; computeMs: number }): void;
  /** Units that were dropped before they were computed. */
  onDropped?(views: number, code: VggError['code']): void;
}

/** Bounds, clock and scheduler. */
export interface BatcherOptions extends BatcherEvents {
  /** Most views that wait or are kept room for. */
  queueViews: number;
  /** Batches that are computed at the same time. */
  concurrency?: number;
  /** Milliseconds, on the clock of deadlines. */
  now?: () => number;
  /** Runs a function soon; arrivals until then may share the first batch. */
  schedule?: (run: () => void) => void;
}

interface Waiting<Unit> {
  readonly unit: Unit;
  readonly arrived: number;
}

/** Batches units across jobs. */
export class Batcher<Unit extends BatchUnit, Scores> {
  readonly #queueViews: number;
  readonly #concurrency: number;
  readonly #now: () => number;
  readonly #schedule: (run: () => void) => void;
  readonly #events: BatcherEvents;
  readonly #jobs = new Set<Job<Unit, Scores>>();
  #running = 0;
  #scheduled = false;
  // Cost up to which every waiting job has been served: where a new job joins the round.
  #round = 0;
  #costPerMs = 0;

  constructor({
    queueViews,
    concurrency = 1,
    now = () => performance.now(),
    schedule = setImmediate,
    ...events
  }: BatcherOptions) {
    this.#queueViews = queueViews;
    this.#concurrency = concurrency;
    this.#now = now;
    this.#schedule = schedule;
    this.#events = events;
  }

  /** Views that wait, or that room is kept for. */
  get queuedViews(): number {
    let views = 0;
    for (const job of this.#jobs) views += job.heldViews;
    return views;
  }

  /** Views that wait and could be computed now. */
  get waitingViews(): number {
    let views = 0;
    for (const job of this.#jobs) views += job.waitingViews;
    return views;
  }

  /**
   * Opens a job. Add units, then `end()`; iterate over it for the answers.
   *
   * @throws VggError RESOURCE_EXHAUSTED, with the time after which there may be room, if the views to
   *   reserve do not fit; the signal's reason if it is aborted
   */
  open(options: JobOptions<Unit, Scores>): Job<Unit, Scores> {
    options.signal.throwIfAborted();
    this.#requireRoom(options.reserve);
    const job = new Job<Unit, Scores>(options, this.#round, {
      requireRoom: (views) => {
        this.#requireRoom(views);
      },
      now: this.#now,
      wake: () => {
        this.#wake();
      },
      dropped: (views, code) => this.#events.onDropped?.(views, code),
      closed: () => this.#jobs.delete(job),
    });
    this.#jobs.add(job);
    return job;
  }

  #requireRoom(views: number): void {
    const queued = this.queuedViews;
    if (queued + views <= this.#queueViews) return;
    throw new VggError(
      'RESOURCE_EXHAUSTED',
      `Expected room for ${String(views)} views but ${String(queued)} of ${String(this.#queueViews)} places in the queue are taken`,
      { retryAfterMs: this.#msUntilHalfEmpty() },
    );
  }

  #msUntilHalfEmpty(): number {
    let cost = 0;
    for (const job of this.#jobs) cost += job.waitingCost;
    const ms = this.#costPerMs > 0 ? cost / this.#costPerMs / 2 : 1000;
    return Math.min(30_000, Math.max(100, Math.ceil(ms)));
  }

  #wake(): void {
    if (this.#scheduled || this.#running >= this.#concurrency) return;
    this.#scheduled = true;
    this.#schedule(() => {
      this.#scheduled = false;
      while (this.#running < this.#concurrency && this.#dispatch());
    });
  }

  // Forms one batch and starts it; false if nothing waits.
  #dispatch(): boolean {
    const now = this.#now();
    for (const job of this.#jobs) job.expire(now);
    const turns = [...this.#jobs].filter((job) => job.waitingViews > 0).sort(byTurn);
    const [first] = turns;
    const lead = first?.peek();
    if (!first || !lead) return false;
    this.#round = first.served;
    const { target } = first;
    const limit = target.batchLimit(lead.unit);
    const { shapeKey } = lead.unit;
    const batch: { job: Job<Unit, Scores>; waiting: Waiting<Unit> }[] = [];
    for (const job of turns) {
      while (job.target === target && batch.length < limit) {
        const waiting = job.take(shapeKey);
        if (!waiting) break;
        batch.push({ job, waiting });
      }
    }
    void this.#run(target, batch);
    return true;
  }

  async #run(
    target: BatchTarget<Unit, Scores>,
    batch: readonly { job: Job<Unit, Scores>; waiting: Waiting<Unit> }[],
  ): Promise<void> {
    this.#running++;
    const started = this.#now();
    const units = batch.map(({ waiting }) => waiting.unit);
    const batchViews = units.reduce((sum, unit) => sum + unit.views.length, 0);
    let scores: readonly Scores[];
    try {
      scores = await target.score(units);
      if (scores.length !== units.length) {
        throw new VggError(
          'INTERNAL',
          `Expected ${String(units.length)} scores but received ${String(scores.length)}`,
        );
      }
    } catch (error) {
      // Whoever had a unit in this batch fails; everybody else goes on.
      for (const { job } of batch) job.fail(error);
      this.#running--;
      this.#wake();
      return;
    }
    const computeMs = this.#now() - started;
    const cost = units.reduce((sum, unit) => sum + unit.cost, 0);
    if (computeMs > 0) this.#costPerMs += (cost / computeMs - this.#costPerMs) * (this.#costPerMs ? 0.2 : 1);
    // The engine gets its next batch before anybody is sent an answer of this one.
    this.#running--;
    while (this.#running < this.#concurrency && this.#dispatch());
    const jobs = new Set(batch.map(({ job }) => job)).size;
    this.#events.onBatch?.({ units: units.length, views: batchViews, jobs, computeMs });
    for (const [i, { job, waiting }] of batch.entries()) {
      const queueMs = started - waiting.arrived;
      job.deliver({ unit: waiting.unit, scores: scores[i] as Scores, queueMs, computeMs, batchViews });
    }
  }
}

// Turns are batches, not units: large jobs that are equal end one after the other, so that the callers of
// the first ones bring the next while the last ones are computed. Of two that were served alike the one that
// needs less goes first.
function byTurn(a: Turn, b: Turn): number {
  return a.rank - b.rank || a.served - b.served || a.waitingViews - b.waitingViews;
}

interface Turn {
  readonly rank: Rank;
  readonly served: number;
  readonly waitingViews: number;
}

interface JobHost {
  requireRoom(views: number): void;
  now(): number;
  wake(): void;
  dropped(views: number, code: VggError['code']): void;
  closed(): void;
}

/** One request's units: added by the caller, answered in the order in which they are computed. */
export class Job<Unit extends BatchUnit, Scores> implements AsyncIterable<ScoredUnit<Unit, Scores>> {
  readonly target: BatchTarget<Unit, Scores>;
  readonly rank: Rank;
  /** Cost of the units taken so far, from where this job joined the round. */
  served: number;
  readonly #deadline: number;
  readonly #signal: AbortSignal;
  readonly #host: JobHost;
  readonly #onAbort = () => {
    this.fail(this.#signal.reason);
  };
  // Units that wait, by shape key, in order of arrival.
  readonly #waiting = new Map<string, Waiting<Unit>[]>();
  readonly #done: ScoredUnit<Unit, Scores>[] = [];
  #reserved: number;
  #waitingViews = 0;
  #unanswered = 0;
  #ended = false;
  #closed = false;
  #error: unknown;
  #notify: (() => void) | undefined;

  constructor(options: JobOptions<Unit, Scores>, round: number, host: JobHost) {
    this.target = options.target;
    this.rank = options.rank;
    this.served = round;
    this.#deadline = options.deadline;
    this.#signal = options.signal;
    this.#reserved = options.reserve;
    this.#host = host;
    this.#signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Views that wait. */
  get waitingViews(): number {
    return this.#waitingViews;
  }

  /** Views that wait or are still to come. */
  get heldViews(): number {
    return this.#waitingViews + this.#reserved;
  }

  /** Cost of what waits. */
  get waitingCost(): number {
    let cost = 0;
    for (const list of this.#waiting.values()) for (const { unit } of list) cost += unit.cost;
    return cost;
  }

  /**
   * Adds units; a job that has failed takes none.
   *
   * @throws VggError RESOURCE_EXHAUSTED if they are more than was reserved and do not fit
   */
  add(units: readonly Unit[]): void {
    if (this.#ended) throw new VggError('INTERNAL', 'Expected units before the end of the job');
    if (this.#closed || units.length === 0) return;
    const views = units.reduce((sum, unit) => sum + unit.views.length, 0);
    if (views > this.#reserved) this.#host.requireRoom(views - this.#reserved);
    this.#reserved = Math.max(0, this.#reserved - views);
    this.#waitingViews += views;
    const arrived = this.#host.now();
    for (const unit of units) {
      const list = this.#waiting.get(unit.shapeKey);
      if (list) list.push({ unit, arrived });
      else this.#waiting.set(unit.shapeKey, [{ unit, arrived }]);
      this.#unanswered++;
    }
    this.#host.wake();
  }

  /** Says that no more units come. */
  end(): void {
    this.#ended = true;
    this.#reserved = 0;
    this.#notify?.();
  }

  /** Ends the job with an error: what waits is dropped, what is being computed is ignored. */
  fail(error: unknown): void {
    if (this.#closed) return;
    this.#error = error;
    this.#close(error instanceof VggError ? error.code : 'INTERNAL');
  }

  /** Answers as they come; ends after `end()` and the last answer. Leaving early drops what waits. */
  async *[Symbol.asyncIterator](): AsyncGenerator<ScoredUnit<Unit, Scores>> {
    try {
      for (;;) {
        const next = this.#done.shift();
        if (next) yield next;
        else if (this.#closed) break;
        else if (this.#ended && this.#unanswered === 0) return;
        else await new Promise<void>((resolve) => (this.#notify = resolve));
      }
      if (this.#error !== undefined) throw this.#error as Error;
    } finally {
      this.#close('CANCELLED');
    }
  }

  /** The unit that would be taken first. */
  peek(): Waiting<Unit> | undefined {
    for (const list of this.#waiting.values()) return list[0];
    return undefined;
  }

  /** Takes the next unit of a key. */
  take(shapeKey: string): Waiting<Unit> | undefined {
    const list = this.#waiting.get(shapeKey);
    const next = list?.shift();
    if (list?.length === 0) this.#waiting.delete(shapeKey);
    if (!next) return undefined;
    this.#waitingViews -= next.unit.views.length;
    this.served += next.unit.cost;
    return next;
  }

  /** Ends the job if its deadline has passed and something still waits. */
  expire(now: number): void {
    if (now < this.#deadline || this.#waitingViews === 0) return;
    this.fail(new VggError('DEADLINE_EXCEEDED', 'Deadline passed while views waited for the engine'));
  }

  /** Hands over an answer. */
  deliver(scored: ScoredUnit<Unit, Scores>): void {
    if (this.#closed) return;
    this.#unanswered--;
    this.#done.push(scored);
    this.#notify?.();
  }

  #close(code: VggError['code']): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#signal.removeEventListener('abort', this.#onAbort);
    if (this.#waitingViews > 0) this.#host.dropped(this.#waitingViews, code);
    if (this.#error !== undefined) this.#done.length = 0;
    this.#waiting.clear();
    this.#waitingViews = 0;
    this.#reserved = 0;
    this.#host.closed();
    this.#notify?.();
  }
}
