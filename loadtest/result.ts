// What a load test says: the one shape that measuring fills, simulating predicts, and every report shows.
// Knows no server, no clock, no format. All times are milliseconds unless a name says otherwise.

/** A load test, whole. It is what `--json` prints. */
export interface LoadTestResult {
  /** Of this shape; reports of other versions are refused. */
  version: 1;
  /** What was asked, as a command line would. */
  command: string;
  /** ISO 8601. */
  startedAt: string;
  target: { address: string; transport: Transport };
  /** All chance of the test comes from it. */
  seed: number;
  /** What generated the load; absent: nothing did, and nobody was asked, as it is a simulation. */
  machine?: { cores: number; node: string; platform: string };
  /** What was sent, one entry a kind. */
  mix: MixEntry[];
  /** Sizes are bytes. */
  photos: { count: number; smallest: number; largest: number; total: number };
  /** One a load: one in all, one a concurrency of a sweep, one a rate of a search; in the order of running. */
  steps: Step[];
  /** Only of a search. */
  search?: SearchVerdict;
}

export type Transport = 'grpc' | 'http';

/** A kind of request and its part of all, 0 to 1. */
export interface MixEntry {
  protocol: string;
  /** Empty: the server's default. */
  model: string;
  share: number;
}

/** How a step was loaded. */
export type Load =
  /** Requests start when they were meant to, whatever the server does. */
  | { loop: 'open'; arrivals: 'poisson' | 'constant' | 'trace'; ratePerSecond: number }
  /** Each of so many clients sends its next request when the last one is answered. */
  | { loop: 'closed'; concurrency: number };

/** One load, held for a while. */
export interface Step {
  load: Load;
  /** Left out of every figure below. */
  warmUpSeconds: number;
  seconds: number;
  requests: Requests;
  /** Answers that came within the step, a second. */
  answersPerSecond: number;
  /** Of answers alone, from the moment a request was meant to start. */
  latency: Distribution;
  /** The same from the moment it was sent: what a naive test would say. */
  serviceTime: Distribution;
  /** Apart from answers; by code. */
  errors: ErrorRow[];
  /** By kind of request. */
  kinds: KindRow[];
  timeline: Second[];
  /** Only if the server's metrics could be read. */
  server?: ServerSide;
  /** Only of a step that cancelled, if the server's metrics could be read. */
  aftermath?: Aftermath;
  /** Only if there is a bound. */
  bound?: BoundVerdict;
  generator: Generator;
  /** Whether figures of the step's parts agree, so that they stand for a lasting load. */
  stability: { stable: boolean; reason: string };
  /** Set if the step was ended before its time: why. Its figures are of the time it had. */
  ended?: string;
}

/** Requests that were meant to start in a step: intended = sent + abandoned, sent = answered + failed + cancelled + slow. */
export interface Requests {
  intended: number;
  sent: number;
  /** Those that every figure of time is of. */
  answered: number;
  failed: number;
  /** Never sent: too many were under way, or the test was ended. */
  abandoned: number;
  /** Cancelled by plan, or because the step was ended; neither answers nor errors. */
  cancelled: number;
  /** Answered to a client that was slow by plan: how long that took is the client's own doing. */
  slow: number;
}

/** Whether a step kept a bound of latency: with 99 % confidence, failed and abandoned requests counted as late. */
export interface BoundVerdict {
  /** 90, 95 or 99. */
  percentile: number;
  ms: number;
  kept: boolean;
  /** Requests that the judgement is of, and those of them that broke the bound. */
  requests: number;
  late: number;
  reason: string;
}

/** What the services still had in hand after a step that cancelled requests. */
export interface Aftermath {
  cancelled: number;
  /** Dropped by the services before they reached an engine, during the step, its warm-up included, and after. */
  droppedViews: number;
  /** When the step was over, and in the end. */
  queuedViews: { first: number; last: number };
  callsInFlight: { first: number; last: number };
  /** Milliseconds from the step's end until nothing was left; null if something was left when waiting ended. */
  clearAfterMs: number | null;
}

/** An HDR histogram's summary. NaN never occurs: without samples count is 0 and all figures are 0. */
export interface Distribution {
  count: number;
  mean: number;
  min: number;
  p50: number;
  p90: number;
  p95: number;
  p99: number;
  p999: number;
  max: number;
  /** For plots: values and the part of samples that are at most so large, ascending in both. */
  percentiles: { value: number; part: number }[];
}

export interface ErrorRow {
  /** Of VggError, or what the transport called it. */
  code: string;
  /** One message of them. */
  example: string;
  count: number;
  latency: Distribution;
}

export interface KindRow {
  protocol: string;
  model: string;
  answersPerSecond: number;
  failed: number;
  latency: Distribution;
}

/** A second of a step, by the time requests were meant to start; warm-up included, with negative time. */
export interface Second {
  second: number;
  intended: number;
  answered: number;
  failed: number;
  p50: number;
  p99: number;
  /** Requests under way at its end. */
  inFlight: number;
}

/** What the services say of the same time, from their metrics. */
export interface ServerSide {
  /** Where a photo's time went; means. */
  stages: { stage: string; meanMs: number; count: number }[];
  viewsPerSecond: number;
  batches: {
    count: number;
    meanViews: number;
    meanCalls: number;
    meanMs: number;
    /** Part of the time in which the engine had a batch, 0 to 1 for each engine. */
    busy: number;
    /** Batches of at most so many views and of more than the bucket before; Infinity is written as null. */
    sizes: { upTo: number | null; count: number }[];
  };
  /** Most views that waited, of those seen when the metrics were read. */
  mostQueuedViews: number;
  droppedViews: { code: string; count: number }[];
  retries: { stage: string; count: number }[];
  /** CPU seconds a second, by process; memory is not simulated. */
  cpu: { process: string; cores: number; residentMiB?: number }[];
}

/** Whether the generator itself kept up. */
export interface Generator {
  /** From the moment a request was meant to start until it was sent; of an open loop. */
  late: Distribution;
  /** Delay of the generator's event loop. */
  eventLoopDelay: Distribution;
  /** CPU seconds a second, 0 to the machine's cores. */
  cpuCores: number;
  /** Set if the figures are the generator's rather than the server's: why. */
  saturated?: string;
}

/** The largest rate that keeps a bound (the rule of MLPerf's Server scenario). */
export interface SearchVerdict {
  bound: { percentile: number; ms: number };
  verdict: 'VALID' | 'INVALID';
  /** 0 if INVALID. */
  ratePerSecond: number;
  /** The next rate that did not keep it; absent if none was found. */
  failedRatePerSecond?: number;
  reason: string;
}
