// The metrics of the aggregator: answers by protocol, stages' time, what was tried again, the backlog.

import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { PROTOCOLS, type Protocol } from '../../vgg/views.ts';
import type { Stage } from './retries.ts';

/** Answers, by protocol. */
export const ANSWERS = 'vgg_aggregator_answers_total';
/** Seconds of a stage of an answer (prepare, queue, compute, total). */
export const STAGE_DURATION = 'vgg_aggregator_stage_duration_seconds';
/** Lost calls that were begun again, by stage. */
export const RETRIES = 'vgg_aggregator_retries_total';
/** Views that answers did without, because they were known early. */
export const SPARED = 'vgg_aggregator_spared_views_total';
/**
 * Views that photos on the road still wait for: the backlog to scale inference on, also from zero. Views of photos
 * that were told to come back when inference has started are in it until then.
 */
export const BACKLOG = 'vgg_aggregator_backlog_views';
/** Seconds from the first photo that found no inference replica until one answered. */
export const REPLICA_START = 'vgg_aggregator_replica_start_seconds';

/** Counts what happens on the road. */
export interface AggregatorMetrics {
  /** An answer, with the milliseconds of its stages and the views that it did without. */
  answered(
    protocol: Protocol,
    timing: Record<'prepareMs' | 'queueMs' | 'computeMs' | 'totalMs', number>,
    spared: number,
  ): void;
  retried(stage: Stage): void;
  /** Inference had no replica, and has one again after so long. */
  replicaStarted(ms: number): void;
}

/**
 * The metrics of one server.
 *
 * @param backlog views that are waited for, now
 */
export function aggregatorMetrics(registry: Registry, backlog: () => number): AggregatorMetrics {
  const registers = [registry];
  const answers = new Counter({
    name: ANSWERS,
    help: 'Answers, by protocol.',
    labelNames: ['protocol'],
    registers,
  });
  const duration = new Histogram({
    name: STAGE_DURATION,
    help: 'Seconds of a stage of an answer.',
    labelNames: ['stage'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    registers,
  });
  const retries = new Counter({
    name: RETRIES,
    help: 'Lost calls that were begun again, by stage.',
    labelNames: ['stage'],
    registers,
  });
  const sparedViews = new Counter({
    name: SPARED,
    help: 'Views that answers did without, because they were known early.',
    registers,
  });
  new Gauge({
    name: BACKLOG,
    help: 'Views that photos on the road, and those told to come back, still wait for.',
    registers,
    collect() {
      this.set(backlog());
    },
  });
  const replicaStart = new Gauge({
    name: REPLICA_START,
    help: 'Seconds that inference took, the last time, from the first photo that found no replica until one answered.',
    registers,
  });
  for (const protocol of PROTOCOLS) answers.inc({ protocol }, 0);
  for (const stage of ['model', 'prepare', 'score']) retries.inc({ stage }, 0);
  return {
    answered(protocol, { prepareMs, queueMs, computeMs, totalMs }, spared) {
      answers.inc({ protocol });
      sparedViews.inc(spared);
      const stages = { prepare: prepareMs, queue: queueMs, compute: computeMs, total: totalMs };
      for (const [stage, ms] of Object.entries(stages)) duration.observe({ stage }, ms / 1000);
    },
    retried(stage) {
      retries.inc({ stage });
    },
    replicaStarted(ms) {
      replicaStart.set(ms / 1000);
    },
  };
}
