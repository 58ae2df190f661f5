// What docs/capacity.md shows of deployments: simulated by protocol and instance type, at growing rates, and over a day.
// Knows what is asked of the simulation; not how it is written down.

import { fargateHour, instanceHour, PRICES } from '../../infra/prices.ts';
import { SCALED_SERVICES, SCALING, type ScaledService } from '../../infra/scaling.ts';
import { steady, type Curve } from '../../loadtest/arrivals/curve.ts';
import { billOf, deployed, MEASURED_COSTS, type Deployment } from '../../loadtest/simulate/deployment.ts';
import { GPU_PLANNING, planPhoto, type PlannedPhoto } from '../../loadtest/simulate/plans.ts';
import { simulate, type Simulation, type SimulationOptions } from '../../loadtest/simulate/simulate.ts';
import { resolveEvaluation, type Protocol } from '../../vgg/views.ts';

const SPEC = { network: 'D', width: 1, hidden: 4096, classes: 1000, inputSize: 224 } as const;
const PHOTO = { width: 500, height: 375, bytes: 112_500 };
/** In the order of the page. */
export const FORECAST_PROTOCOLS = ['CENTER_CROP', 'TEN_CROP', 'DENSE', 'MULTI_CROP'] as const;
const INSTANCES = ['g4dn.xlarge', 'g6.xlarge', 'g5.xlarge', 'g6e.xlarge', 'p5.4xlarge'];
const DAY_INSTANCE = 'g6.xlarge';
const PART = 0.7;
const WARM_UP = 20;
const COMING_BACK = { attempts: 5, deadlineMs: 900_000 };

/** One task of inference, with as many of the others as it can use. */
export interface InstanceRow {
  protocol: Protocol;
  instance: string;
  gpu: string;
  photosPerSecond: number;
  p50: number;
  p99: number;
  /** Dollars of 1,000 photos at that load: the GPU, and all else by the CPU that it used. */
  gpuPerThousand: number;
  restPerThousand: number;
}

/** A rate that comes at once, and what becomes of the services. */
export interface RateRow {
  protocol: Protocol;
  rate: number;
  /** Percent of photos refused or lost, in all and in the last five minutes. */
  failedPercent: number;
  lastFailedPercent: number;
  codes: string[];
  p99: number;
  /** At the end. */
  tasks: Record<ScaledService, number>;
  busy: Record<ScaledService, number>;
  /** In the first ten minutes: the service whose tasks were busiest, and how busy. */
  first: { service: ScaledService; busy: number };
  /** Services that are as many as they may be. */
  atMost: ScaledService[];
  /** Most calls that waited for a stream of a connection. */
  waitingStreams: number;
}

/** A day. */
export interface DayRow {
  name: string;
  photos: number;
  lost: number;
  starts: number;
  p50: number;
  p99: number;
  max: number;
  gpuHours: number;
  total: number;
  perThousand: number;
}

/** All of it. */
export interface Forecast {
  computed: string;
  prices: string;
  instances: InstanceRow[];
  rates: RateRow[];
  days: DayRow[];
  /** Photos a second and tasks of inference, every ten minutes of the day that scales to zero. */
  course: { hour: number; rate: number; tasks: number }[];
}

/** Simulates everything; minutes. */
export async function forecast(say: (text: string) => void): Promise<Forecast> {
  const instances: InstanceRow[] = [];
  for (const protocol of FORECAST_PROTOCOLS)
    for (const instance of INSTANCES) {
      const row = await instanceRow(protocol, instance);
      instances.push(row);
      say(`${protocol} ${instance} ${row.photosPerSecond.toFixed(2)}/s p99 ${row.p99.toFixed(0)}`);
    }
  const rates: RateRow[] = [];
  for (const [protocol, rate, seconds] of [
    ['CENTER_CROP', 10, 1800],
    ['CENTER_CROP', 100, 1800],
    ['CENTER_CROP', 1000, 240],
    ['MULTI_CROP', 10, 900],
  ] as const) {
    const row = await rateRow(protocol, rate, seconds);
    rates.push(row);
    say(`${protocol} at ${String(rate)}/s: ${row.failedPercent.toFixed(1)} % failed`);
  }
  const curve = dayCurve();
  const days: DayRow[] = [];
  let course: Forecast['course'] = [];
  for (const [name, bounds, comeBack] of [
    ['to zero when idle; each photo is sent once', { min: 0, max: 40 }, false],
    ['to zero when idle; clients come back when told', { min: 0, max: 40 }, true],
    ['at least one', { min: 1, max: 40 }, false],
    ['always as many as the peak needs', { min: 2, max: 2 }, false],
  ] as const) {
    const { row, simulation } = await dayRow(name, curve, bounds, comeBack);
    days.push(row);
    say(`day, ${name}: ${row.total.toFixed(2)} USD`);
    if (comeBack) {
      const { minutes } = simulation.system;
      course = minutes
        .filter(({ minute }) => minute % 10 === 0 && minute < 1440)
        .map(({ minute, ready }) => ({
          hour: minute / 60,
          rate: rateAt(curve, minute * 60),
          tasks: ready.inference,
        }));
    }
  }
  return {
    computed: new Date().toISOString().slice(0, 10),
    prices: PRICES.date,
    instances,
    rates,
    days,
    course,
  };
}

function planOf(protocol: Protocol, grain = 1): PlannedPhoto {
  const evaluation = resolveEvaluation({ protocol, scales: [256, 384, 512] }, { inputSize: SPEC.inputSize });
  return planPhoto({ spec: SPEC, evaluation, photo: PHOTO, grain, ...GPU_PLANNING });
}

function deployment(some: Partial<Deployment> & Pick<Deployment, 'instance'>): Deployment {
  return {
    ...{ prices: PRICES, stage: 'prod', spec: SPEC, costs: MEASURED_COSTS, scaling: true },
    ...some,
  };
}

function asked(
  protocol: Protocol,
  photo: PlannedPhoto,
  options: Pick<SimulationOptions, 'settings' | 'load' | 'clients'> & { warmUpSeconds?: number },
): Promise<Simulation> {
  return simulate({
    kinds: [{ what: { protocol, model: '' }, weight: 1 }],
    photos: ['photo'],
    plan: () => photo,
    warmUpSeconds: WARM_UP,
    seed: 1,
    ...options,
  });
}

async function instanceRow(protocol: Protocol, instance: string): Promise<InstanceRow> {
  const photo = planOf(protocol, protocol === 'MULTI_CROP' ? 5 : 1);
  const tasks = { gateway: 10, aggregator: 20, preprocess: 30, inference: 1 };
  const settings = deployed(deployment({ instance, scaling: false, tasks }));
  const most = await asked(protocol, photo, {
    settings,
    load: { loop: 'closed', concurrency: protocol === 'CENTER_CROP' ? 128 : 24, seconds: 60 },
  });
  const photosPerSecond = most.step.answersPerSecond;
  const rate = PART * photosPerSecond;
  const seconds = Math.min(600, Math.max(120, 3000 / rate));
  const { step, system } = await asked(protocol, photo, {
    settings,
    load: { loop: 'open', spread: 'poisson', curve: steady(rate, seconds) },
  });
  // Tasks that track 60 % of their CPU are paid for whole.
  const rest = SCALED_SERVICES.reduce((sum, service) => {
    const { size } = SCALING[service];
    if (!size) return sum;
    const cores = system.fleet(service).usedMs / (1000 * (WARM_UP + seconds));
    return sum + (cores / size.vcpu / 0.6) * fargateHour(PRICES, size);
  }, 0);
  const perThousand = (hourly: number) => (1000 * hourly) / (3600 * rate);
  return {
    protocol,
    instance,
    gpu: PRICES.instances[instance]?.gpu?.name ?? '',
    photosPerSecond,
    p50: step.latency.p50,
    p99: step.latency.p99,
    gpuPerThousand: perThousand(instanceHour(PRICES, instance)),
    restPerThousand: perThousand(rest),
  };
}

async function rateRow(protocol: Protocol, rate: number, seconds: number): Promise<RateRow> {
  const { step, system } = await asked(protocol, planOf(protocol, 10), {
    settings: deployed(deployment({ instance: DAY_INSTANCE })),
    load: { loop: 'open', spread: 'poisson', curve: steady(rate, seconds) },
    warmUpSeconds: 0,
  });
  const last = step.timeline.filter(({ second }) => second >= seconds - 300);
  const sum = (pick: (second: (typeof last)[number]) => number) =>
    last.reduce((all, second) => all + pick(second), 0);
  const end = system.minutes.findLast(({ minute }) => minute < seconds / 60 - 1);
  const early = system.minutes.filter(({ minute }) => minute < 10);
  const [service = 'inference', busy = 0] =
    SCALED_SERVICES.map((each) => [each, Math.max(...early.map(({ busy: all }) => all[each]))] as const).sort(
      (a, b) => b[1] - a[1],
    )[0] ?? [];
  if (!end) throw new Error('Expected at least a minute');
  const tasks = [...system.gateway.tasks, ...system.aggregator.tasks];
  return {
    protocol,
    rate,
    failedPercent: (100 * step.requests.failed) / step.requests.intended,
    lastFailedPercent: (100 * sum(({ failed }) => failed)) / sum(({ intended }) => intended),
    codes: step.errors.map(({ code }) => code),
    p99: Math.max(...last.map(({ p99 }) => p99)),
    tasks: end.ready,
    busy: end.busy,
    first: { service, busy },
    atMost: SCALED_SERVICES.filter((each) => end.desired[each] >= SCALING[each].tasks.prod.max),
    waitingStreams: Math.max(0, ...tasks.map(({ mostWaiting }) => mostWaiting)),
  };
}

// A shop's day: nobody at night but now and then, most in the afternoon.
function dayCurve(): Curve {
  const night = { seconds: 7 * 3600, from: 0.0002, to: 0.0002 };
  const at = (hour: number) => 0.05 + 60 * Math.sin((Math.PI * (hour - 7)) / 15) ** 2;
  const hours = Array.from({ length: 15 }, (_, i) => ({ seconds: 3600, from: at(7 + i), to: at(8 + i) }));
  return [
    night,
    ...hours.map((piece) => ({ ...piece, from: piece.from / 12, to: piece.to / 12 })),
    {
      seconds: 2 * 3600,
      from: 0.0002,
      to: 0.0002,
    },
  ];
}

function rateAt(curve: Curve, seconds: number): number {
  let left = seconds;
  for (const { seconds: length, from, to } of curve) {
    if (left < length) return from + ((to - from) * left) / length;
    left -= length;
  }
  return 0;
}

async function dayRow(name: string, curve: Curve, bounds: { min: number; max: number }, comeBack: boolean) {
  const protocol = 'TEN_CROP';
  const simulation = await asked(protocol, planOf(protocol, 10), {
    settings: deployed(deployment({ instance: DAY_INSTANCE, bounds: { inference: bounds } })),
    load: { loop: 'open', spread: 'poisson', curve, trace: true },
    warmUpSeconds: 0,
    ...(comeBack && { clients: COMING_BACK }),
  });
  const { step, system } = simulation;
  const bill = billOf(system, PRICES, DAY_INSTANCE);
  const row: DayRow = {
    name,
    photos: step.requests.intended,
    lost: step.requests.failed,
    starts: system.inference.starts.length,
    p50: step.latency.p50,
    p99: step.latency.p99,
    max: step.latency.max,
    gpuHours: system.inference.paidMs / 3_600_000,
    total: bill.total,
    perThousand: (1000 * bill.total) / step.requests.answered,
  };
  return { row, simulation };
}
