// One request's way through a simulated system: client, gateway, aggregator, and back. Knows the order of the stages and
// what each costs; what an aggregator does for it is call.ts.

import type { Retrier } from '../../sdk/retry.ts';
import { VggError } from '../../vgg/errors.ts';
import { Call, NO_TIMES, type RoadEnd } from './call.ts';
import { unreachable, type AggregatorTask } from './callers.ts';
import type { EventLoop } from './event-loop.ts';
import type { PlannedPhoto } from './plans.ts';
import type { System } from './system.ts';

/** Whoever asks, and how patiently; each photo has a client of its own. */
export interface Clients {
  /** The SDK's, of one client: whether it asks again. */
  retrier: () => Retrier;
  /** Milliseconds for an answer, all attempts together; services are told, as the SDK does. */
  deadlineMs: number;
}

/** Takes requests into a system, and brings their answers back. */
export class Road {
  readonly #system: System;
  readonly #client: EventLoop | undefined;
  readonly #clients: Clients | undefined;
  readonly #outside = { turns: 0 };

  /**
   * @param client the generator's own event loop, where it has cores of the system
   * @param clients absent: each photo is sent once, and has the time that services give it
   */
  constructor(system: System, client?: EventLoop, clients?: Clients) {
    this.#system = system;
    this.#client = client;
    this.#clients = clients;
  }

  /** Sends a photo now. */
  send(photo: PlannedPhoto, end: RoadEnd): void {
    if (!this.#clients) {
      this.#attempt(photo, Infinity, end);
      return;
    }
    const retrier = this.#clients.retrier();
    const deadline = this.#system.time.now() + this.#clients.deadlineMs;
    this.#retried(retrier, deadline, end, (ended) => {
      this.#attempt(photo, deadline, ended);
    });
  }

  // Attempts until one succeeds or the retrier gives up, as Retrier.run does.
  #retried(retrier: Retrier, deadline: number, end: RoadEnd, attempt: (ended: RoadEnd) => void): void {
    const begin = (tried: number) => {
      attempt((error, times) => {
        if (!error) retrier.succeeded();
        const waitMs = error && retrier.waitMs(error, tried, deadline);
        if (waitMs === undefined) end(error, times);
        else {
          this.#system.time.after(waitMs, () => {
            begin(tried + 1);
          });
        }
      });
    };
    begin(1);
  }

  #attempt(photo: PlannedPhoto, until: number, end: RoadEnd): void {
    const { costs } = this.#system.settings;
    if (!this.#client) {
      this.#enter(photo, until, end);
      return;
    }
    const client = this.#client;
    client.work(costs.client.call / 2 + costs.client.megabyte * photo.megabytes, () => {
      this.#enter(photo, until, (error, times) => {
        client.work(costs.client.call / 2, () => {
          end(error, times);
        });
      });
    });
  }

  #enter(photo: PlannedPhoto, until: number, end: RoadEnd): void {
    const { settings, gateway, aggregator, time } = this.#system;
    const { costs, limits, networkMs } = settings;
    const deadline = Math.min(until, time.now() + limits.deadlineMs);
    if (!settings.gateway) {
      const task = aggregator.ready[this.#outside.turns++ % aggregator.ready.length];
      if (task) this.#classify(photo, task, deadline, end);
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
      late.cancel();
      end(error, times);
    };
    const late = time.at(deadline, () => {
      told(new VggError('DEADLINE_EXCEEDED', 'The deadline passed'), NO_TIMES);
    });
    const leave: RoadEnd = (error, times) => {
      task.loop.work(costs.gateway.call / 2, () => {
        gateway.left(task);
        told(error, times);
      });
    };
    const attempt = (ended: RoadEnd) => {
      if (over) {
        gateway.left(task);
        return;
      }
      const next = task.next(aggregator);
      if (!next) {
        ended(unreachable('aggregator'), NO_TIMES);
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
          this.#classify(photo, next, deadline, (error, times) => {
            streams.close();
            time.after(networkMs, () => {
              ended(error, times);
            });
          });
        });
      });
    };
    task.loop.work(costs.gateway.call / 2 + costs.gateway.megabyte * photo.megabytes, () => {
      this.#retried(task.retrier, deadline, leave, attempt);
    });
  }

  #classify(photo: PlannedPhoto, task: AggregatorTask, deadline: number, end: RoadEnd): void {
    const { time, settings, aggregator, roads } = this.#system;
    const cost = settings.costs.aggregator;
    const started = time.now();
    task.calls++;
    task.loop.work(cost.call / 2 + cost.megabyte * photo.megabytes, () => {
      roads.roads++;
      const call = new Call(this.#system, task, photo, deadline, (error) => {
        roads.roads--;
        task.loop.work(cost.call / 2, () => {
          aggregator.left(task);
          end(error, { ...call.times(started), totalMs: time.now() - started });
        });
      });
      call.start();
    });
  }
}
