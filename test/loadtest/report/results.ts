// Results of load tests, for tests of reports: drawn from a seed, in every form that a result has. Knows no report.

import type {
  Distribution,
  ErrorRow,
  Load,
  LoadTestResult,
  Second,
  ServerSide,
  Step,
} from '../../../loadtest/result.ts';
import { randomAt } from '../../../vgg/random.ts';

const PARTS = [0, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.99, 0.995, 0.999, 0.9995, 0.9999, 1];

/** A distribution of log-normal times. */
export function distribution(seed: number, median: number, spread: number, count: number): Distribution {
  const random = randomAt(seed, 'times');
  const values = Array.from({ length: count }, () => median * Math.exp(spread * random.normal())).sort(
    (a, b) => a - b,
  );
  const of = (part: number) => values[Math.min(count - 1, Math.floor(part * count))] ?? 0;
  return {
    count,
    mean: count > 0 ? values.reduce((sum, value) => sum + value, 0) / count : 0,
    ...{ min: of(0), p50: of(0.5), p90: of(0.9), p95: of(0.95), p99: of(0.99), p999: of(0.999), max: of(1) },
    percentiles: count > 0 ? PARTS.map((part) => ({ value: of(part), part })) : [],
  };
}

/** A step of a load, the slower the more load there is. */
export function step(load: Load, { failed = 0, seconds = 30, seed = 1 } = {}): Step {
  const size = load.loop === 'open' ? load.ratePerSecond : 4 * load.concurrency;
  const rate = Math.min(size, 55);
  const median = 30 * (1 + size / 20);
  const answered = Math.round(rate * seconds) - failed;
  return {
    load,
    ...{ warmUpSeconds: 5, seconds },
    requests: {
      intended: answered + failed + 3,
      sent: answered + failed,
      answered,
      failed,
      abandoned: 3,
      cancelled: 0,
      slow: 0,
    },
    answersPerSecond: answered / seconds,
    latency: distribution(seed, median, 0.4, answered),
    serviceTime: distribution(seed, median * 0.9, 0.35, answered),
    errors: errorRows(failed, seed),
    kinds: ['MULTI_CROP', 'DENSE'].map((protocol, i) => ({
      ...{
        protocol,
        model: i === 0 ? '' : 'caltech-101-d',
        answersPerSecond: rate / 2,
        failed: i === 0 ? failed : 0,
      },
      latency: distribution(seed + i, median * (1 - 0.3 * i), 0.4, Math.round(answered / 2)),
    })),
    timeline: timeline(rate, median, seconds, failed),
    server: serverSide(rate, seconds, failed),
    generator: {
      late: distribution(seed, 0.4, 0.8, answered),
      eventLoopDelay: distribution(seed, 1.2, 0.5, 100),
      cpuCores: 0.31,
    },
    stability: { stable: true, reason: 'halves of the step agree to 3 %' },
  };
}

/** A result of these steps. */
export function result(steps: readonly Step[], rest: Partial<LoadTestResult> = {}): LoadTestResult {
  return {
    version: 1,
    command: 'vgg loadtest grpc://127.0.0.1:50051 --rate 20 --seconds 30',
    startedAt: '2026-11-27T04:20:00.000Z',
    target: { address: '127.0.0.1:50051', transport: 'grpc' },
    seed: 7,
    machine: { cores: 2, node: 'v20.20.0', platform: 'linux x64' },
    mix: [
      { protocol: 'MULTI_CROP', model: '', share: 0.5 },
      { protocol: 'DENSE', model: 'caltech-101-d', share: 0.5 },
    ],
    photos: { count: 3, smallest: 9000, largest: 2_400_000, total: 2_600_000 },
    steps: [...steps],
    ...rest,
  };
}

// A step in which clients cancelled or were slow, and what was left afterwards.
function storm(clients: number, left: number): Step {
  const own = step({ loop: 'closed', concurrency: clients }, { seconds: 8, seed: clients });
  const { requests } = own;
  return {
    ...own,
    requests: {
      ...requests,
      sent: requests.sent + 250,
      intended: requests.intended + 250,
      cancelled: 200,
      slow: 50,
    },
    aftermath: {
      ...{ cancelled: 200, droppedViews: 4321, queuedViews: { first: 1500, last: 10 * left } },
      ...{ callsInFlight: { first: 12, last: left }, clearAfterMs: left > 0 ? null : 412 },
    },
  };
}

/** Every form: one step, a sweep, a search with its verdict, cancelled requests, nothing answered. */
export function everyResult(): Record<string, LoadTestResult> {
  const open = (ratePerSecond: number): Load => ({ loop: 'open', arrivals: 'poisson', ratePerSecond });
  const closed = (concurrency: number): Load => ({ loop: 'closed', concurrency });
  const bound = { percentile: 99, ms: 250 };
  const judged = (rate: number, kept: boolean): Step => {
    const own = step(open(rate), { failed: kept ? 0 : 40, seconds: 12, seed: rate });
    return {
      ...own,
      bound: {
        ...bound,
        kept,
        requests: own.requests.sent,
        late: kept ? 1 : 90,
        reason: kept ? 'few are late' : 'too many are late',
      },
      ...(!kept && {
        stability: { stable: false, reason: 'latency grew from 180 ms to 900 ms over the step' },
        generator: { ...own.generator, saturated: 'half of the requests were sent more than 10 ms late' },
      }),
    };
  };
  const searched = [10, 20, 40, 30, 35].map((rate) => judged(rate, rate < 34));
  const silent = step(open(5), { failed: 150 });
  delete silent.server;
  return {
    single: result([step(open(20), { failed: 12 })]),
    sweep: result(
      [1, 2, 4, 8, 16, 32].map((clients) => step(closed(clients), { seconds: 8, seed: clients })),
    ),
    storm: result([storm(8, 0), storm(16, 3)]),
    search: result(searched, {
      search: {
        bound,
        verdict: 'VALID',
        ratePerSecond: 30,
        failedRatePerSecond: 35,
        reason: 'Found in 5 steps.',
      },
    }),
    failing: result([{ ...silent, kinds: [], timeline: [] }], {
      search: { bound, verdict: 'INVALID', ratePerSecond: 0, reason: 'Every request failed.' },
    }),
  };
}

function errorRows(failed: number, seed: number): ErrorRow[] {
  if (failed === 0) return [];
  const example = 'Expected at most 4096 queued views but there are 4096; try again in 800 ms (queue)';
  return [
    { code: 'RESOURCE_EXHAUSTED', example, count: failed, latency: distribution(seed, 4, 0.3, failed) },
  ];
}

function timeline(rate: number, median: number, seconds: number, failed: number): Second[] {
  return Array.from({ length: seconds + 5 }, (_, i) => {
    const wave = 1 + 0.2 * Math.sin(i / 3);
    const broken = i > seconds / 2 && i < seconds / 2 + 4 ? Math.round(failed / 3) : 0;
    const intended = Math.round(rate * wave);
    return {
      ...{ second: i - 5, intended, failed: Math.min(broken, intended) },
      answered: Math.max(0, intended - broken),
      ...{
        p50: median * wave,
        p99: 2.4 * median * wave,
        inFlight: Math.round((rate * median * wave) / 1000),
      },
    };
  });
}

function serverSide(rate: number, seconds: number, failed: number): ServerSide {
  const photos = Math.round(rate * seconds);
  const sizes = [1, 2, 4, 8, 16, 32, 64, 128, null].map((upTo, i) => ({
    upTo,
    count: Math.round(200 / (1 + (i - 4) ** 2)),
  }));
  return {
    stages: [
      ...[
        { stage: 'prepare', meanMs: 9.1 },
        { stage: 'queue', meanMs: 0.8 * rate },
        { stage: 'compute', meanMs: 31 },
      ],
      ...[
        { stage: 'total', meanMs: 45 + 0.8 * rate },
        { stage: 'decode', meanMs: 3 },
      ],
    ].map((each) => ({ ...each, count: photos })),
    viewsPerSecond: 75 * rate,
    batches: {
      count: sizes.reduce((sum, { count }) => sum + count, 0),
      ...{ meanViews: 17.3, meanCalls: 1.4, meanMs: 22.4, busy: Math.min(0.99, rate / 60), sizes },
    },
    mostQueuedViews: 1234,
    droppedViews: failed > 0 ? [{ code: 'RESOURCE_EXHAUSTED', count: 150 * failed }] : [],
    retries: failed > 0 ? [{ stage: 'score', count: 2 }] : [],
    cpu: ['gateway', 'aggregator', 'preprocess', 'inference'].map((process, i) => ({
      ...{ process, cores: 0.07 * (1 + i ** 2), residentMiB: 90 + 60 * i },
    })),
  };
}

/** The result, with this text wherever a server's or a person's words are. */
export function hostile(result_: LoadTestResult, text: string): LoadTestResult {
  return {
    ...result_,
    command: text,
    target: { ...result_.target, address: text },
    machine: { cores: 2, node: text, platform: text },
    mix: result_.mix.map((each) => ({ ...each, model: text, protocol: text })),
    steps: result_.steps.map((each): Step => ({
      ...each,
      errors: each.errors.map((error) => ({ ...error, code: text, example: text })),
      kinds: each.kinds.map((kind) => ({ ...kind, model: text, protocol: text })),
      ...(each.server && {
        server: {
          ...each.server,
          stages: each.server.stages.map((stage) => ({ ...stage, stage: text })),
          droppedViews: [{ code: text, count: 1 }],
          retries: [{ stage: text, count: 1 }],
          cpu: each.server.cpu.map((process) => ({ ...process, process: text })),
        },
      }),
      stability: { stable: false, reason: text },
      generator: { ...each.generator, saturated: text },
    })),
    ...(result_.search && { search: { ...result_.search, reason: text } }),
  };
}
