// A photo's call at a simulated aggregator: preprocess and inference side by side, what is begun again, and who waits for a
// replica, as services/aggregator/road.ts has it. Knows the order of the stages and what each costs.

import type { Stage } from '../../services/aggregator/retries.ts';
import { asVggError, VggError } from '../../vgg/errors.ts';
import { unreachable, type AggregatorTask } from './callers.ts';
import type { LoopCost } from './costs.ts';
import type { InferenceTask } from './inference-task.ts';
import type { PlannedPhoto } from './plans.ts';
import type { System } from './system.ts';

/** Where an answered photo's time went, in milliseconds. */
export interface RoadTimes {
  prepareMs: number;
  /** Mean of its views. */
  queueMs: number;
  /** Of all its views: of each batch its part. */
  computeMs: number;
  totalMs: number;
}

/** What became of a request; called exactly once. */
export type RoadEnd = (error: VggError | undefined, times: RoadTimes) => void;

/** Of a request that was not answered. */
export const NO_TIMES: RoadTimes = { prepareMs: 0, queueMs: 0, computeMs: 0, totalMs: 0 };

/** See the file. */
export class Call {
  readonly #system: System;
  readonly #task: AggregatorTask;
  readonly #photo: PlannedPhoto;
  readonly #deadline: number;
  readonly #controller = new AbortController();
  readonly #end: (error?: VggError) => void;
  // By plane: whether it is here, and units that are not answered yet.
  readonly #here: boolean[];
  readonly #left: number[];
  // Views that are counted as the task's.
  #counted = 0;
  #viewsDone = 0;
  #late = { cancel: () => {} };
  #send: ((plane: number) => void) | undefined;
  #over = false;
  #preparedAt = 0;
  #queueMs = 0;
  #computeMs = 0;

  /** @param end called once, with the failure if there is one */
  constructor(
    system: System,
    task: AggregatorTask,
    photo: PlannedPhoto,
    deadline: number,
    end: (error?: VggError) => void,
  ) {
    this.#system = system;
    this.#task = task;
    this.#photo = photo;
    this.#deadline = deadline;
    this.#end = end;
    this.#here = photo.planes.map(() => false);
    this.#left = photo.planes.map(({ units }) => units.length);
  }

  /** @param started when the task took the call */
  times(started: number): Omit<RoadTimes, 'totalMs'> {
    return {
      prepareMs: Math.max(0, this.#preparedAt - started),
      queueMs: this.#queueMs,
      computeMs: this.#computeMs,
    };
  }

  /** Sets out. */
  start(): void {
    this.#late = this.#system.time.at(this.#deadline, () => {
      this.#fail(new VggError('DEADLINE_EXCEEDED', 'The deadline passed'));
    });
    this.#begin(1);
  }

  #fail(error: unknown): void {
    this.#finish(asVggError(error));
  }

  #finish(error?: VggError): void {
    if (this.#over) return;
    this.#over = true;
    this.#late.cancel();
    this.#task.views -= this.#counted - this.#viewsDone;
    if (error) {
      this.#system.time.touched();
      this.#controller.abort(error);
    }
    this.#end(error);
  }

  // Begins a lost call again, waits until it is worthwhile, or gives up.
  #lost(stage: Stage, tried: number, error: unknown, again: (tried: number) => void): void {
    if (this.#over) return;
    const { time, roads } = this.#system;
    const { retriers, absence } = this.#task;
    const failure = asVggError(error);
    const waitMs = retriers[stage].waitMs(failure, tried, this.#deadline);
    if (waitMs !== undefined) {
      roads.retries[stage]++;
      time.after(waitMs, () => {
        if (!this.#over) again(tried + 1);
      });
      return;
    }
    if (failure.code !== 'UNAVAILABLE' || !absence || stage === 'prepare') {
      this.#fail(failure);
      return;
    }
    // Views that are counted already are not told twice.
    const views = this.#counted > 0 ? 0 : this.#photo.views;
    time.touched();
    absence.wait(views, { signal: this.#controller.signal, deadline: this.#deadline }).then(
      () => {
        if (this.#over) return;
        roads.retries[stage]++;
        again(1);
      },
      (reason: unknown) => {
        this.#fail(reason);
      },
    );
  }

  // Nothing is prepared before the model is known.
  #begin(tried: number): void {
    if (!this.#task.knowsModels()) {
      this.#lost('model', tried, unreachable('inference'), (next) => {
        this.#begin(next);
      });
      return;
    }
    this.#task.retriers.model.succeeded();
    this.#counted = this.#photo.views;
    this.#task.views += this.#counted;
    this.#prepare(1);
    this.#score(1);
  }

  #prepare(attempt: number): void {
    const { preprocess, settings, time } = this.#system;
    const { costs, limits, networkMs } = settings;
    const again = (next: number) => {
      this.#prepare(next);
    };
    const next = this.#task.next(preprocess);
    if (!next) {
      this.#lost('prepare', attempt, unreachable('preprocess'), again);
      return;
    }
    const streams = this.#task.streamsTo(next, limits.streams);
    const over = once(() => {
      streams.close();
      preprocess.left(next);
    });
    let left = this.#photo.planes.length;
    streams.open(() => {
      next.calls++;
      const failed = (error: unknown) => {
        over();
        this.#lost('prepare', attempt, error, again);
      };
      time.after(networkMs, () => {
        const cost = costs.preprocess;
        next.loop.work(cost.call / 2 + cost.megabyte * this.#photo.megabytes, () => {
          if (this.#over) {
            over();
            return;
          }
          const plane = (index: number) => {
            const { megabytes = 0 } = this.#photo.planes[index] ?? {};
            next.loop.work(passing(cost, megabytes), () => {
              time.after(networkMs, () => {
                this.#arrived(index);
              });
              // Scores are on their way before the call has ended.
              if (--left === 0) {
                next.loop.work(cost.call / 2, () => {
                  over();
                  this.#task.retriers.prepare.succeeded();
                });
              }
            });
          };
          next.prepare(this.#photo, this.#controller.signal, plane, failed);
        });
      });
      this.#controller.signal.addEventListener('abort', over, { once: true });
    });
  }

  #arrived(index: number): void {
    if (this.#over || this.#here[index] === true) return;
    const cost = this.#system.settings.costs.aggregator;
    const { megabytes = 0 } = this.#photo.planes[index] ?? {};
    this.#task.loop.work(passing(cost, megabytes), () => {
      if (this.#over) return;
      this.#here[index] = true;
      this.#preparedAt = this.#system.time.now();
      this.#send?.(index);
    });
  }

  #score(attempt: number): void {
    const { inference, settings, time } = this.#system;
    const { costs, limits, networkMs } = settings;
    const again = (next: number) => {
      this.#score(next);
    };
    const next = this.#task.next(inference);
    if (!next) {
      this.#lost('score', attempt, unreachable('inference'), again);
      return;
    }
    const streams = this.#task.streamsTo(next, limits.streams);
    streams.open(() => {
      next.calls++;
      const over = () => {
        streams.close();
        inference.left(next);
      };
      time.after(networkMs, () => {
        next.loop.work(costs.inference.call / 2, () => {
          if (this.#over) {
            over();
            return;
          }
          time.touched();
          this.#job(next).then(
            () => {
              over();
              this.#task.retriers.score.succeeded();
            },
            (error: unknown) => {
              over();
              this.#send = undefined;
              this.#lost('score', attempt, error, again);
            },
          );
        });
      });
    });
  }

  // A job of the batcher, from its opening to its last answer.
  async #job(task: InferenceTask): Promise<void> {
    const { settings, time } = this.#system;
    const { costs, networkMs } = settings;
    const cost = costs.inference;
    const { planes, views } = this.#photo;
    let open = this.#left.filter((units) => units > 0).length;
    const job = task.batcher.open({
      target: task.target,
      rank: 0,
      deadline: this.#deadline,
      signal: this.#controller.signal,
      reserve: views - this.#viewsDone,
    });
    // Units carry no plane's name: those of a plane are known by being its own objects.
    const planeOf = new Map(
      planes.flatMap(({ units }, plane) => units.map((unit) => [unit, plane] as const)),
    );
    const send = (index: number) => {
      const { megabytes = 0, units = [] } = planes[index] ?? {};
      if (this.#left[index] === 0) return;
      // What was answered before a call was lost is not asked again.
      const rest = units.slice(units.length - (this.#left[index] ?? 0));
      time.after(networkMs, () => {
        task.loop.work(passing(cost, megabytes), () => {
          if (this.#over) return;
          time.touched();
          try {
            job.add(rest);
          } catch (error) {
            job.fail(error);
          }
          if (--open === 0) job.end();
        });
      });
    };
    this.#send = send;
    for (const [index, here] of this.#here.entries()) if (here) send(index);
    // Answers of one batch leave together.
    let batch: { plane: number; views: number }[] = [];
    for await (const { unit, queueMs, computeMs, batchViews } of job) {
      this.#queueMs += (unit.views.length * queueMs) / views;
      this.#computeMs += (unit.views.length * computeMs) / batchViews;
      const plane = planeOf.get(unit) ?? 0;
      if (batch.length === 0) {
        const answers: { plane: number; views: number }[] = [];
        batch = answers;
        time.soon(() => {
          batch = [];
          this.#answered(task, answers);
        });
      }
      batch.push({ plane, views: unit.views.length });
    }
  }

  #answered(task: InferenceTask, answers: readonly { plane: number; views: number }[]): void {
    const { settings, time } = this.#system;
    const { costs, networkMs } = settings;
    let views = 0;
    for (const answer of answers) views += answer.views;
    const done = this.#viewsDone + views === this.#photo.views;
    task.loop.work(costs.inference.view * views + (done ? costs.inference.call / 2 : 0), () => {
      time.after(networkMs, () => {
        this.#task.loop.work(costs.aggregator.view * views, () => {
          if (this.#over) return;
          this.#task.absence?.present();
          for (const { plane, views: some } of answers) {
            this.#left[plane] = (this.#left[plane] ?? 0) - 1;
            this.#viewsDone += some;
            this.#task.views -= some;
          }
          if (this.#viewsDone === this.#photo.views) this.#finish();
        });
      });
    });
  }
}

function passing(cost: LoopCost, megabytes: number): number {
  return cost.plane + cost.megabyte * megabytes;
}

function once(run: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    run();
  };
}
