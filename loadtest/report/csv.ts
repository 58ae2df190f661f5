// A load test as a table for other programs: RFC 4180, a row a step. Knows columns; computes nothing.

import type { Distribution, LoadTestResult, Step } from '../result.ts';

/** A column: its name, what is in it, and its value; empty where a step has none. */
interface Column {
  name: string;
  what: string;
  value: (step: Step, i: number) => string | number | undefined;
}

const distribution = (prefix: string, what: string, of: (step: Step) => Distribution): Column[] =>
  (['count', 'mean', 'min', 'p50', 'p90', 'p95', 'p99', 'p999', 'max'] as const).map((figure) => ({
    name: `${prefix}_${figure}${figure === 'count' ? '' : '_ms'}`,
    what: `${what}: ${figure}`,
    value: (step) => of(step)[figure],
  }));

/** The columns, in their order. */
export const CSV_COLUMNS: readonly Column[] = [
  { name: 'step', what: 'number of the step, from 1', value: (_, i) => i + 1 },
  { name: 'loop', what: 'open or closed', value: ({ load }) => load.loop },
  {
    name: 'arrivals',
    what: 'poisson, constant or trace; of an open loop',
    value: ({ load }) => (load.loop === 'open' ? load.arrivals : undefined),
  },
  {
    name: 'rate_per_second',
    what: 'requests meant to start in a second; of an open loop',
    value: ({ load }) => (load.loop === 'open' ? load.ratePerSecond : undefined),
  },
  {
    name: 'concurrency',
    what: 'clients; of a closed loop',
    value: ({ load }) => (load.loop === 'closed' ? load.concurrency : undefined),
  },
  { name: 'warm_up_seconds', what: 'before the measured part', value: (step) => step.warmUpSeconds },
  { name: 'seconds', what: 'length of the measured part', value: (step) => step.seconds },
  ...(['intended', 'sent', 'answered', 'failed', 'abandoned', 'cancelled', 'slow'] as const).map((name) => ({
    name,
    what: `requests: ${name}`,
    value: ({ requests }: Step) => requests[name],
  })),
  { name: 'answers_per_second', what: 'answers a second', value: (step) => step.answersPerSecond },
  ...distribution(
    'latency',
    'from the moment a request was meant to start, answers alone',
    (step) => step.latency,
  ),
  ...distribution(
    'service_time',
    'from the moment a request was sent, answers alone',
    (step) => step.serviceTime,
  ),
  {
    name: 'errors',
    what: 'CODE:COUNT of each, separated by spaces',
    value: ({ errors }) => errors.map(({ code, count }) => `${code}:${String(count)}`).join(' '),
  },
  { name: 'bound_percentile', what: 'the bound, if there is one', value: ({ bound }) => bound?.percentile },
  { name: 'bound_ms', what: 'the bound, if there is one', value: ({ bound }) => bound?.ms },
  {
    name: 'bound_kept',
    what: 'true or false, with 99 % confidence',
    value: ({ bound }) => bound && String(bound.kept),
  },
  {
    name: 'server_views_per_second',
    what: 'views that the engines scored; of services whose metrics were read, as all that begins with server_',
    value: ({ server }) => server?.viewsPerSecond,
  },
  { name: 'server_batches', what: 'batches', value: ({ server }) => server?.batches.count },
  {
    name: 'server_batch_mean_views',
    what: 'views of a batch, mean',
    value: ({ server }) => server?.batches.meanViews,
  },
  {
    name: 'server_batch_mean_calls',
    what: 'calls of a batch, mean',
    value: ({ server }) => server?.batches.meanCalls,
  },
  {
    name: 'server_batch_mean_ms',
    what: 'time of a batch, mean',
    value: ({ server }) => server?.batches.meanMs,
  },
  {
    name: 'server_engine_busy',
    what: 'part of the time with a batch, 0 to 1',
    value: ({ server }) => server?.batches.busy,
  },
  {
    name: 'server_most_queued_views',
    what: 'most views seen waiting',
    value: ({ server }) => server?.mostQueuedViews,
  },
  {
    name: 'server_dropped_views',
    what: 'views that were dropped',
    value: ({ server }) => server?.droppedViews.reduce((sum, { count }) => sum + count, 0),
  },
  {
    name: 'server_retries',
    what: 'calls begun again',
    value: ({ server }) => server?.retries.reduce((sum, { count }) => sum + count, 0),
  },
  {
    name: 'server_cpu_cores',
    what: 'CPU seconds a second of all processes',
    value: ({ server }) => server?.cpu.reduce((sum, { cores }) => sum + cores, 0),
  },
  {
    name: 'aftermath_dropped_views',
    what: 'views dropped in the step and after it; of steps that cancelled, as all that begins with aftermath_',
    value: ({ aftermath }) => aftermath?.droppedViews,
  },
  {
    name: 'aftermath_left_views',
    what: 'views that still waited when waiting for the services ended',
    value: ({ aftermath }) => aftermath?.queuedViews.last,
  },
  {
    name: 'aftermath_left_calls',
    what: 'calls that had not ended then',
    value: ({ aftermath }) => aftermath?.callsInFlight.last,
  },
  {
    name: 'aftermath_clear_after_ms',
    what: 'from the last answer until nothing was left; empty if something was',
    value: ({ aftermath }) => aftermath?.clearAfterMs ?? undefined,
  },
  ...distribution('late', 'how late requests were sent', (step) => step.generator.late),
  ...distribution(
    'event_loop_delay',
    "delay of the generator's event loop",
    (step) => step.generator.eventLoopDelay,
  ),
  {
    name: 'generator_cpu_cores',
    what: 'CPU seconds a second of the generator',
    value: ({ generator }) => generator.cpuCores,
  },
  {
    name: 'generator_saturated',
    what: 'why the figures are the generator’s; empty if they are not',
    value: ({ generator }) => generator.saturated,
  },
  { name: 'stable', what: 'true or false', value: ({ stability }) => String(stability.stable) },
  {
    name: 'stability_reason',
    what: 'why the step is stable, or is not',
    value: ({ stability }) => stability.reason,
  },
];

/** The table with its header; lines end in CR LF. */
export function csvReport({ steps }: LoadTestResult): string {
  const rows = steps.map((step, i) => CSV_COLUMNS.map(({ value }) => cell(value(step, i))));
  return [CSV_COLUMNS.map(({ name }) => name), ...rows].map((row) => `${row.join(',')}\r\n`).join('');
}

// Texts that a spreadsheet would take for a formula are quoted by an apostrophe, as OWASP says: codes are the server's words.
function cell(value: string | number | undefined): string {
  if (value === undefined) return '';
  if (typeof value === 'number') return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
