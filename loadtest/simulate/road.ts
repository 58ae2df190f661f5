// One request's way through a simulated system: client, gateway, aggregator, preprocess and inference, and back.
// Knows the order of the stages and what each costs, as services/aggregator/road.ts has it; neither rates nor reports.

import { asVggError, VggError } from '../../vgg/errors.ts';
import type { LoopCost } from './costs.ts';
import type { EventLoop } from './event-loop.ts';
import type { Task } from './fleet.ts';
import type { InferenceTask } from './inference-task.ts';
import type { PlannedPhoto } from './plans.ts';
import type { System } from './system.ts';

/** Where an answered photo's time went, in milliseconds. */
export interface RoadTimes {
  prepareMs: number;
  queueMs: number;
  computeMs: number;
  totalMs: number;
}

/** What became of a request; called exactly once. */
export type RoadEnd = (error: VggError | undefined, times: RoadTimes) => void;

/** Takes requests into a system, and brings their answers back. */
export class Road {
  readonly #system: System;
  readonly #client: EventLoop | undefined;
  readonly #outside = { turns: 0 };

  /** @param client the generator's own event loop, where it has cores of the system */
  constructor(system: System, client?: EventLoop) {
    this.#system = system;
    this.#client = client;
  }

  /** Sends a photo now. */
  send(photo: PlannedPhoto, end: RoadEnd): void {
    const { costs } = this.#system.settings;
    if (!this.#client) {
      this.#enter(photo, end);
      return;
    }
    const client = this.#client;
    client.work(costs.client.call / 2 + costs.client.megabyte * photo.megabytes, () => {
      this.#enter(photo, (error, times) => {
        client.work(costs.client.call / 2, () => {
          end(error, times);
        });
      });
    });
  }

  #enter(photo: PlannedPhoto, end: RoadEnd): void {
    const { settings, gateway, aggregator, time } = this.#system;
    const { costs, limits, networkMs } = settings;
    if (!settings.gateway) {
      const task = aggregator.ready[this.#outside.turns++ % aggregator.ready.length];
      if (task) this.#classify(photo, task, end);
      else end(unreachable('aggregator'), NO_TIMES);
      return;
    }
    const task = gateway.ready[this.#outside.turns++ % gateway.ready.length];
    if (!task) {
      end(unreachable('gateway'), NO_TIMES);
      return;
    }
    task.calls++;
    // Whoever asked has an answer or an error when its time is over, however long the loops still have of it.
    let over = false;
    const told: RoadEnd = (error, times) => {
      if (over) return;
      over = true;
      deadline.cancel();
      end(error, times);
    };
    const deadline = time.after(limits.deadlineMs, () => {
      told(new VggError('DEADLINE_EXCEEDED', 'The deadline passed'), NO_TIMES);
    });
    const leave: RoadEnd = (error, times) => {
      task.loop.work(costs.gateway.call / 2, () => {
        gateway.left(task);
        told(error, times);
      });
    };
    task.loop.work(costs.gateway.call / 2 + costs.gateway.megabyte * photo.megabytes, () => {
      if (over) {
        gateway.left(task);
        return;
      }
      const next = task.next(aggregator);
      if (!next) {
        leave(unreachable('aggregator'), NO_TIMES);
        return;
      }
      const streams = task.streamsTo(next, limits.streams);
      streams.open(() => {
        if (over) {
          streams.close();
          gateway.left(task);
          return;
        }
        time.after(networkMs, () => {
          this.#classify(photo, next, (error, times) => {
            streams.close();
            time.after(networkMs, () => {
              leave(error, times);
            });
          });
        });
      });
    });
  }

  #classify(photo: PlannedPhoto, task: Task, end: RoadEnd): void {
    const { time, settings, aggregator, roads } = this.#system;
    const { costs, limits } = settings;
    const cost = costs.aggregator;
    const started = time.now();
    task.calls++;
    task.loop.work(cost.call / 2 + cost.megabyte * photo.megabytes, () => {
      const controller = new AbortController();
      roads.roads++;
      roads.backlog += photo.views;
      const call = new Call(this.#system, task, photo, controller.signal, (error) => {
        deadline.cancel();
        if (error) {
          time.touched();
          controller.abort(error);
        }
        roads.roads--;
        roads.backlog -= photo.views - call.viewsDone;
        task.loop.work(cost.call / 2, () => {
          aggregator.left(task);
          end(error, { ...call.times(started), totalMs: time.now() - started });
        });
      });
      const deadline = time.at(started + limits.deadlineMs, () => {
        call.fail(new VggError('DEADLINE_EXCEEDED', 'The deadline passed'));
      });
      call.start();
    });
  }
}

// A call of an aggregator: both stages side by side, and what is tried again.
class Call {
  viewsDone = 0;
  readonly #system: System;
  readonly #task: Task;
  readonly #photo: PlannedPhoto;
  readonly #signal: AbortSignal;
  readonly #end: (error?: VggError) => void;
  // By plane: whether it is here, and units that are not answered yet.
  readonly #here: boolean[];
  readonly #left: number[];
  #send: ((plane: number) => void) | undefined;
  #over = false;
  #preparedAt = 0;
  #queueMs = 0;
  #computeMs = 0;

  constructor(
    system: System,
    task: Task,
    photo: PlannedPhoto,
    signal: AbortSignal,
    end: (error?: VggError) => void,
  ) {
    this.#system = system;
    this.#task = task;
    this.#photo = photo;
    this.#signal = signal;
    this.#end = end;
    this.#here = photo.planes.map(() => false);
    this.#left = photo.planes.map(({ units }) => units.length);
  }

  times(started: number): Omit<RoadTimes, 'totalMs'> {
    return {
      prepareMs: Math.max(0, this.#preparedAt - started),
      queueMs: this.#queueMs,
      computeMs: this.#computeMs,
    };
  }

  start(): void {
    this.#prepare(1);
    this.#score(1);
  }

  fail(error: unknown): void {
    this.#finish(asVggError(error));
  }

  #finish(error?: VggError): void {
    if (this.#over) return;
    this.#over = true;
    this.#end(error);
  }

  // Begins a lost call again, or gives up.
  #lost(stage: 'prepare' | 'score', attempt: number, error: unknown, again: (attempt: number) => void): void {
    if (this.#over) return;
    const { settings, roads } = this.#system;
    const failure = asVggError(error);
    if (failure.code !== 'UNAVAILABLE' || attempt >= settings.limits.attempts) {
      this.fail(failure);
      return;
    }
    roads.retries[stage]++;
    again(attempt + 1);
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
              if (--left === 0) next.loop.work(cost.call / 2, over);
            });
          };
          next.prepare(this.#photo, this.#signal, plane, failed);
        });
      });
      this.#signal.addEventListener('abort', over, { once: true });
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
    const { costs, limits, networkMs } = settings;
    const cost = costs.inference;
    const { planes, views } = this.#photo;
    let open = this.#left.filter((units) => units > 0).length;
    const job = task.batcher.open({
      target: task.target,
      rank: 0,
      deadline: time.now() + limits.deadlineMs,
      signal: this.#signal,
      reserve: views - this.viewsDone,
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
    for await (const { unit, queueMs, computeMs } of job) {
      this.#queueMs = Math.max(this.#queueMs, queueMs);
      this.#computeMs += computeMs / Math.max(1, planes.length);
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
    const { settings, time, roads } = this.#system;
    const { costs, networkMs } = settings;
    let views = 0;
    for (const answer of answers) views += answer.views;
    const done = this.viewsDone + views === this.#photo.views;
    task.loop.work(costs.inference.view * views + (done ? costs.inference.call / 2 : 0), () => {
      time.after(networkMs, () => {
        this.#task.loop.work(costs.aggregator.view * views, () => {
          if (this.#over) return;
          for (const { plane, views: some } of answers) {
            this.#left[plane] = (this.#left[plane] ?? 0) - 1;
            this.viewsDone += some;
            roads.backlog -= some;
          }
          if (this.viewsDone === this.#photo.views) this.#finish();
        });
      });
    });
  }
}

const NO_TIMES: RoadTimes = { prepareMs: 0, queueMs: 0, computeMs: 0, totalMs: 0 };

function passing(cost: LoopCost, megabytes: number): number {
  return cost.plane + cost.megabyte * megabytes;
}

function unreachable(service: string): VggError {
  return new VggError('UNAVAILABLE', `No replica of ${service}`);
}

function once(run: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    run();
  };
}
