// The metrics of inference: batch size and batch wait apart, what waits, what was dropped.

import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { ErrorCode } from '../../vgg/errors.ts';
import type { BatcherEvents } from './batcher.ts';
import type { LoadPhase } from './engine.ts';

/** Views that were scored. */
export const VIEWS = 'vgg_inference_views_total';
/** Views in a batch. */
export const BATCH_VIEWS = 'vgg_inference_batch_views';
/** Upper bounds of its buckets; the last one has none. */
export const BATCH_VIEWS_BUCKETS = [1, 2, 4, 8, 16, 32, 64, 128] as const;
/** Calls whose views shared a batch. */
export const BATCH_CALLS = 'vgg_inference_batch_calls';
/** Seconds that the engine took for a batch. */
export const BATCH_DURATION = 'vgg_inference_batch_duration_seconds';
/** Views that wait and could be computed now: the backlog to scale on. */
export const BACKLOG = 'vgg_inference_backlog_views';
/** Views that hold a place in the queue, those announced but not arrived too. */
export const QUEUED = 'vgg_inference_queued_views';
/** Bytes of planes that are held. */
export const PLANE_BYTES = 'vgg_inference_plane_bytes';
/** Views that were dropped before they were computed, by code. */
export const DROPPED = 'vgg_inference_dropped_views_total';
/** Seconds that loading a model took. */
export const MODEL_LOAD = 'vgg_inference_model_load_seconds';
/** Seconds that each phase of the start took, by model; `ready` is of the process, from its start. */
export const START = 'vgg_inference_start_seconds';
/** Bytes of models that were fetched. */
export const FETCHED_BYTES = 'vgg_inference_fetched_bytes_total';
/** Times that the engine's worker ended unasked. */
export const WORKER_FAILURES = 'vgg_inference_worker_failures_total';

/** What happens between the start of the process and its first answer; `ready` is all of it. */
export type StartPhase = 'fetch' | 'verify' | LoadPhase | 'ready';

/** Counts what happens in the service. */
export interface InferenceMetrics extends Required<BatcherEvents> {
  modelLoaded(model: string, ms: number): void;
  started(phase: StartPhase, ms: number, model?: string): void;
  fetched(bytes: number): void;
  workerFailed(): void;
  /** Gauges read these when they are asked. */
  watch(
    queue: { readonly waitingViews: number; readonly queuedViews: number },
    planes: { readonly planeBytes: number },
  ): void;
}

const DROP_CODES: ErrorCode[] = [
  'INVALID_ARGUMENT',
  'TOO_LARGE',
  'CANCELLED',
  'DEADLINE_EXCEEDED',
  'RESOURCE_EXHAUSTED',
  'UNAVAILABLE',
  'INTERNAL',
];

/** The metrics of one server. */
export function inferenceMetrics(registry: Registry): InferenceMetrics {
  const registers = [registry];
  const views = new Counter({ name: VIEWS, help: 'Views that were scored.', registers });
  const batchViews = new Histogram({
    name: BATCH_VIEWS,
    help: 'Views in a batch.',
    buckets: [...BATCH_VIEWS_BUCKETS],
    registers,
  });
  const batchCalls = new Histogram({
    name: BATCH_CALLS,
    help: 'Calls whose views shared a batch.',
    buckets: [1, 2, 3, 4, 8, 16, 32],
    registers,
  });
  const duration = new Histogram({
    name: BATCH_DURATION,
    help: 'Seconds that the engine took for a batch.',
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers,
  });
  const dropped = new Counter({
    name: DROPPED,
    help: 'Views that were dropped before they were computed, by code.',
    labelNames: ['code'],
    registers,
  });
  for (const code of DROP_CODES) dropped.inc({ code }, 0);
  const load = new Gauge({
    name: MODEL_LOAD,
    help: 'Seconds that loading a model took.',
    labelNames: ['model'],
    registers,
  });
  const start = new Gauge({
    name: START,
    help: 'Seconds that each phase of the start took, by model; ready is of the process, from its start.',
    labelNames: ['phase', 'model'],
    registers,
  });
  const fetchedBytes = new Counter({
    name: FETCHED_BYTES,
    help: 'Bytes of models that were fetched.',
    registers,
  });
  const failures = new Counter({
    name: WORKER_FAILURES,
    help: "Times that the engine's worker ended unasked.",
    registers,
  });
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  return {
    onBatch({ views: count, jobs, computeMs }) {
      views.inc(count);
      batchViews.observe(count);
      batchCalls.observe(jobs);
      duration.observe(computeMs / 1000);
    },
    onDropped(count, code) {
      dropped.inc({ code }, count);
    },
    modelLoaded(model, ms) {
      load.set({ model }, ms / 1000);
    },
    started(phase, ms, model = '') {
      start.set({ phase, model }, ms / 1000);
    },
    fetched(count) {
      fetchedBytes.inc(count);
    },
    workerFailed() {
      failures.inc();
    },
    watch(queue, planes) {
      gauge(BACKLOG, 'Views that wait and could be computed now.', () => queue.waitingViews);
      gauge(QUEUED, 'Views that hold a place in the queue.', () => queue.queuedViews);
      gauge(PLANE_BYTES, 'Bytes of planes that are held.', () => planes.planeBytes);
    },
  };
}
