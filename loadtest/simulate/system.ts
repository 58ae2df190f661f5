// A system of services in virtual time: fleets of tasks, what they count, and the minute's datapoints by which they
// scale. Knows what runs; how a request goes through it is road.ts.

import { SCALED_SERVICES, type MetricSource, type ScaledService } from '../../infra/scaling.ts';
import { scaled, scalerState, type Datapoint } from '../../infra/scaling/autoscaler.ts';
import type { Stage } from '../../services/aggregator/retries.ts';
import { randomAt } from '../../vgg/random.ts';
import { AggregatorTask, GatewayTask } from './callers.ts';
import { Cores } from './cores.ts';
import { Fleet, type Task } from './fleet.ts';
import { InferenceTask, noCounts, type InferenceCounts } from './inference-task.ts';
import { PreprocessTask } from './preprocess-task.ts';
import type { SystemSettings } from './settings.ts';
import type { VirtualTime } from './virtual-time.ts';

/** What stands in a system at the end of a minute. */
export interface Minute {
  /** Since the start. */
  minute: number;
  desired: Record<ScaledService, number>;
  ready: Record<ScaledService, number>;
  /** Percent of the CPU of a service's tasks; of inference, of the time in which engines had a batch. */
  busy: Record<ScaledService, number>;
  /** Photos on the road. */
  roads: number;
}

/** Counters of the aggregators. */
export interface RoadCounts {
  retries: Record<Stage, number>;
  roads: number;
}

const PERIOD_MS = 60_000;

/** See the file. */
export class System {
  readonly time: VirtualTime;
  readonly settings: SystemSettings;
  readonly gateway: Fleet<GatewayTask>;
  readonly aggregator: Fleet<AggregatorTask>;
  readonly preprocess: Fleet<PreprocessTask>;
  readonly inference: Fleet<InferenceTask>;
  readonly counts: InferenceCounts = noCounts();
  readonly roads: RoadCounts = { retries: { model: 0, prepare: 0, score: 0 }, roads: 0 };
  readonly minutes: Minute[] = [];
  /** Where all tasks share a machine: its cores. */
  readonly shared: Cores | undefined;

  constructor(time: VirtualTime, settings: SystemSettings, seed: number) {
    this.time = time;
    this.settings = settings;
    const { fleets, costs, limits, sharedCores, sharedPace, engine } = settings;
    this.shared = sharedCores === undefined ? undefined : new Cores(time, sharedCores, sharedPace);
    const common = (service: ScaledService) => ({
      time,
      random: randomAt(seed, 'fleet', service),
      settings: fleets[service],
      shared: this.shared,
    });
    const loops = (service: ScaledService) => ({
      overhead: costs[service],
      pauses: randomAt(seed, 'pauses', service),
    });
    const caller = (service: 'gateway' | 'aggregator') => {
      const clock = time.clock(randomAt(seed, 'retries', service));
      return { ...loops(service), clock, limits };
    };
    const gateways = caller('gateway');
    this.gateway = new Fleet({
      ...common('gateway'),
      create: (cores) => new GatewayTask({ ...gateways, cores }),
    });
    const aggregators = caller('aggregator');
    this.aggregator = new Fleet({
      ...common('aggregator'),
      create: (cores) => new AggregatorTask({ ...aggregators, cores }, () => this.inference.ready.length > 0),
    });
    const preprocessLoops = loops('preprocess');
    this.preprocess = new Fleet({
      ...common('preprocess'),
      create: (cores) =>
        new PreprocessTask({
          ...{ time, cores, ...preprocessLoops, pixels: costs.pixels },
          ...{ decodes: limits.decodes, waiting: limits.waitingPhotos },
        }),
    });
    const random = randomAt(seed, 'engine');
    const inferenceLoops = loops('inference');
    this.inference = new Fleet({
      ...common('inference'),
      create: (cores) =>
        new InferenceTask({
          ...{ time, random, cores, engine, counts: this.counts },
          ...{ ...inferenceLoops, queueViews: limits.queueViews },
        }),
      onLost: (task) => {
        time.touched();
        task.lost();
      },
    });
    this.#interrupt(seed);
    this.#scale();
  }

  /** A service's fleet. */
  fleet(service: ScaledService): Fleet<Task> {
    return this[service] as unknown as Fleet<Task>;
  }

  /** Milliseconds in which engines had a batch, until now. */
  get busyMs(): number {
    const now = this.time.now();
    return this.inference.tasks.reduce((sum, task) => sum + task.runningMs(now), this.counts.busyMs);
  }

  // Each minute: datapoints of the minute, and a little later what the rules make of them.
  #scale(): void {
    const { fleets, metricsDelaySeconds } = this.settings;
    const scalers = SCALED_SERVICES.flatMap((service) => {
      const { scaling } = fleets[service];
      if (!scaling) return [];
      return [{ service, scaling, state: scalerState(scaling.rules, fleets[service].tasks) }];
    });
    let before = this.#counters();
    const tick = (minute: number) => {
      const after = this.#counters();
      const read = this.#reader(before, after);
      this.#note(minute, before, after);
      before = after;
      for (const scaler of scalers) {
        const { service, scaling } = scaler;
        const datapoints = scaling.rules.map((rule): Datapoint => {
          if (rule.metric === 'ECSServiceAverageCPUUtilization') return read.cpu(service);
          const series = Object.entries(rule.metric.metrics).map(([id, source]) => [id, read.series(source)]);
          return rule.metric.value(Object.fromEntries(series) as Record<string, Datapoint>);
        });
        this.time.after(metricsDelaySeconds * 1000, () => {
          scaler.state = scaled(scaling.rules, scaling, scaler.state, datapoints, this.time.now() / 1000);
          const fleet = this.fleet(service);
          if (scaler.state.desired !== fleet.desired) fleet.want(scaler.state.desired);
        });
      }
      this.time.after(PERIOD_MS, () => {
        tick(minute + 1);
      });
    };
    this.time.after(PERIOD_MS, () => {
      tick(0);
    });
  }

  #counters() {
    return {
      used: Object.fromEntries(
        SCALED_SERVICES.map((service) => [service, this.fleet(service).usedMs]),
      ) as Record<ScaledService, number>,
      busyMs: this.busyMs,
      views: this.counts.views,
      retries: Object.values(this.roads.retries).reduce((sum, each) => sum + each, 0),
    };
  }

  #reader(before: Counters, after: Counters) {
    const cpu = (service: ScaledService): Datapoint => {
      const fleet = this.fleet(service);
      const cores = this.settings.fleets[service].vcpu ?? 1;
      if (fleet.size === 0) return undefined;
      return (100 * (after.used[service] - before.used[service])) / (PERIOD_MS * cores * fleet.size);
    };
    const published: Record<string, () => Datapoint> = {
      vgg_aggregator_backlog_views: () => Math.max(0, ...this.aggregator.tasks.map(({ backlog }) => backlog)),
      vgg_aggregator_retries_total: () => after.retries - before.retries,
      vgg_inference_backlog_views: () => {
        const { ready } = this.inference;
        if (ready.length === 0) return undefined;
        return ready.reduce((sum, { batcher }) => sum + batcher.waitingViews, 0) / ready.length;
      },
      vgg_inference_views_total: () =>
        this.inference.ready.length === 0 ? undefined : after.views - before.views,
      vgg_inference_batch_duration_seconds_sum: () =>
        this.inference.ready.length === 0 ? undefined : (after.busyMs - before.busyMs) / 1000,
    };
    const series = ({ source, service, name }: MetricSource): Datapoint =>
      source === 'tasks' ? this.fleet(service).desired : published[name]?.();
    return { cpu, series };
  }

  #note(minute: number, before: Counters, after: Counters): void {
    const { cpu } = this.#reader(before, after);
    const each = (pick: (service: ScaledService) => number) =>
      Object.fromEntries(SCALED_SERVICES.map((service) => [service, pick(service)])) as Record<
        ScaledService,
        number
      >;
    const busy = (after.busyMs - before.busyMs) / PERIOD_MS / Math.max(1, this.inference.ready.length);
    this.minutes.push({
      minute,
      desired: each((service) => this.fleet(service).desired),
      ready: each((service) => this.fleet(service).ready.length),
      busy: each((service) => (service === 'inference' ? 100 * busy : (cpu(service) ?? 0))),
      roads: this.roads.roads,
    });
  }

  // Each instance is lost after a time that knows no age.
  #interrupt(seed: number): void {
    const { interruptionsPerHour } = this.settings;
    if (interruptionsPerHour <= 0) return;
    const random = randomAt(seed, 'interruptions');
    const next = () => {
      const tasks = Math.max(1, this.inference.size);
      const hours = -Math.log(1 - random.next()) / (interruptionsPerHour * tasks);
      this.time.after(hours * 3_600_000, () => {
        const { ready } = this.inference;
        const task = ready.length > 0 ? ready[random.integer(ready.length)] : undefined;
        if (task) this.inference.lose(task);
        next();
      });
    };
    next();
  }
}

interface Counters {
  used: Record<ScaledService, number>;
  busyMs: number;
  views: number;
  retries: number;
}
