// A task of inference: the batcher that serves, over an engine that takes time. Knows no pixels and no gRPC.

import { Batcher, type BatchTarget } from '../../services/inference/batcher.ts';
import { VggError } from '../../vgg/errors.ts';
import type { Random } from '../../vgg/random.ts';
import type { Cores } from './cores.ts';
import type { LoopOverhead } from './costs.ts';
import { Task } from './fleet.ts';
import type { PlannedUnit } from './plans.ts';
import type { EngineTiming } from './timings.ts';
import type { VirtualTime } from './virtual-time.ts';

/** What a task tells of its batches. */
export interface InferenceCounts {
  batches: number;
  units: number;
  views: number;
  jobs: number;
  busyMs: number;
  droppedViews: Map<VggError['code'], number>;
  /** Batches by views, for the buckets of the metric. */
  sizes: Map<number, number>;
}

/** Counts at the start. */
export function noCounts(): InferenceCounts {
  return { batches: 0, units: 0, views: 0, jobs: 0, busyMs: 0, droppedViews: new Map(), sizes: new Map() };
}

/** What a task is made of. */
export interface InferenceTaskOptions {
  time: VirtualTime;
  /** Chance of the engine's times. */
  random: Random;
  cores: Cores;
  overhead: LoopOverhead;
  /** Chance of the loop's pauses. */
  pauses: Random;
  engine: EngineTiming;
  queueViews: number;
  /** Of the fleet. */
  counts: InferenceCounts;
}

/** See the file. */
export class InferenceTask extends Task {
  readonly batcher: Batcher<PlannedUnit, undefined>;
  readonly target: BatchTarget<PlannedUnit, undefined>;
  #lose: ((error: VggError) => void) | undefined;
  #busySince: number | undefined;

  constructor(options: InferenceTaskOptions) {
    const { time, random, cores, engine, queueViews, counts } = options;
    super(cores, options.overhead, options.pauses, time.now());
    this.batcher = new Batcher({
      queueViews,
      now: time.now,
      schedule: (run) => {
        time.soon(() => {
          time.touched();
          run();
        });
      },
      onBatch: ({ units, views, jobs, computeMs }) => {
        counts.batches++;
        counts.units += units;
        counts.views += views;
        counts.jobs += jobs;
        counts.busyMs += computeMs;
        counts.sizes.set(views, (counts.sizes.get(views) ?? 0) + 1);
      },
      onDropped: (views, code) => {
        counts.droppedViews.set(code, (counts.droppedViews.get(code) ?? 0) + views);
      },
    });
    this.target = {
      batchLimit: (unit) => unit.limit,
      score: (batch) =>
        new Promise((resolve, reject) => {
          this.#lose = reject;
          this.#busySince = time.now();
          const scores = new Array<undefined>(batch.length).fill(undefined);
          const done = () => {
            this.#busySince = undefined;
            time.touched();
            resolve(scores);
          };
          const ms = engine.batchMs(batch, random);
          if (engine.threads > 0) cores.run(ms, engine.threads, done);
          else time.after(ms, done);
        }),
    };
  }

  /** Milliseconds of a batch that is not over, until now: not in the counts yet. */
  runningMs(now: number): number {
    return this.#busySince === undefined ? 0 : now - this.#busySince;
  }

  /** Its machine is gone: what is being computed fails, as a lost call does. */
  lost(): void {
    this.#lose?.(new VggError('UNAVAILABLE', 'The replica was lost'));
  }
}
