// The services as they are deployed: a GPU instance for each task of inference, Fargate for the others, and what that
// costs. Knows the scaling rules, the price table and estimates of GPUs and starts, each marked as what it is.

import { fargateHour, instanceHour, type Prices } from '../../infra/prices.ts';
import { SCALED_SERVICES, SCALING, type ScaledService, type Stage } from '../../infra/scaling.ts';
import { TIMES } from '../../infra/settings.ts';
import { expected } from '../../vgg/errors.ts';
import { parameterCount, type NetworkSpec } from '../../vgg/networks.ts';
import type { ServiceCosts } from './costs.ts';
import { gpuSheet, gpuTiming } from './gpu.ts';
import { serviceLimits } from './limits.ts';
import type { FleetSettings, Phase, SystemSettings } from './settings.ts';
import type { System } from './system.ts';
import type { EngineTiming } from './timings.ts';

/**
 * CPU of the services, fitted to what bench/capacity measured on two cores of a Xeon on 2026-11-27; a megabyte of photo
 * or plane and a view cost so much, whatever the model. The gateway was not measured: it is assumed to cost what an
 * aggregator does that handles no planes.
 */
export const MEASURED_COSTS: ServiceCosts = {
  client: { call: 1.2, plane: 0, megabyte: 0, view: 0, helpers: 0.3 },
  gateway: { call: 3.2, plane: 0, megabyte: 5.4, view: 0, helpers: 0.5 },
  aggregator: { call: 3.2, plane: 0.25, megabyte: 5.4, view: 0.03, helpers: 0.5 },
  preprocess: { call: 2.3, plane: 0.55, megabyte: 2.4, view: 0, helpers: 0.4 },
  inference: { call: 1.25, plane: 0.2, megabyte: 4.6, view: 0.026, helpers: 0.5 },
  pixels: { decode: { call: 3.6, megapixel: 4.1 }, resize: { call: 2.8, megapixel: 28.7 } },
};

/** Phases of a GPU task's start, from nothing: estimates. The image has CUDA's libraries, 6 GB. */
export function gpuStart(spec: NetworkSpec): Phase[] {
  const gigabytes = (4 * parameterCount(spec)) / 1e9;
  return [
    { name: 'instance launch', seconds: 60, spread: 1.3 },
    { name: 'image pull', seconds: 75, spread: 1.3 },
    { name: 'model fetch', seconds: 2 + 10 * gigabytes, spread: 1.4 },
    { name: 'load', seconds: 5 + 5 * gigabytes, spread: 1.3 },
    { name: 'warm-up', seconds: 8, spread: 1.3 },
  ];
}

/** A Fargate task's: an estimate. */
const FARGATE_START: readonly Phase[] = [{ name: 'task start', seconds: 40, spread: 1.3 }];

/** What is deployed. */
export interface Deployment {
  prices: Prices;
  /** A name in the price table; one with a GPU unless an engine's timing is given. */
  instance: string;
  stage: Stage;
  spec: NetworkSpec;
  /** The services' variables, where they are not what is deployed. */
  env?: NodeJS.ProcessEnv;
  costs: ServiceCosts;
  /** Absent: an estimate for the instance's GPU. */
  engine?: EngineTiming;
  /** Tasks at the start; the stage's least number unless given. */
  tasks?: Partial<Record<ScaledService, number>>;
  /** Least and most tasks, where they are not the stage's. */
  bounds?: Partial<Record<ScaledService, { min: number; max: number }>>;
  /** Whether the numbers change. */
  scaling: boolean;
  interruptionsPerHour?: number;
}

/** @throws VggError INVALID_ARGUMENT for an instance that is unknown or has no GPU */
export function deployed(options: Deployment): SystemSettings {
  const { prices, instance, stage, spec, env = {}, costs, tasks = {}, bounds = {} } = options;
  const type = prices.instances[instance];
  if (!type) throw expected(`one of ${Object.keys(prices.instances).join(', ')}`, instance, '--instance');
  if (!options.engine && !type.gpu) throw expected('an instance with a GPU', instance, '--instance');
  const fleetOf = (service: ScaledService): FleetSettings => {
    const { size, rules } = SCALING[service];
    const { min, max } = bounds[service] ?? SCALING[service].tasks[stage];
    return {
      tasks: tasks[service] ?? min,
      vcpu: size?.vcpu ?? type.vcpu,
      start: size ? FARGATE_START : gpuStart(spec),
      ...(options.scaling && { scaling: { rules, min, max } }),
    };
  };
  return {
    fleets: {
      gateway: fleetOf('gateway'),
      aggregator: fleetOf('aggregator'),
      preprocess: fleetOf('preprocess'),
      inference: fleetOf('inference'),
    },
    engine: options.engine ?? gpuTiming(spec, gpuSheet(type.gpu?.name ?? '')),
    limits: serviceLimits(env, {
      decodes: SCALING.preprocess.size?.vcpu ?? type.vcpu,
      replicaStart: TIMES.inferenceStart,
    }),
    ...{ costs, gateway: true },
    networkMs: 0.5,
    interruptionsPerHour: options.interruptionsPerHour ?? 0,
    metricsDelaySeconds: 30,
  };
}

/** US dollars of what ran. */
export interface Bill {
  inference: number;
  fargate: number;
  /** The load balancer and one NAT gateway, by the hour; traffic is not in it. */
  network: number;
  total: number;
}

/** What a simulated system has cost until now. */
export function billOf(system: System, prices: Prices, instance: string, spot = false): Bill {
  const hours = (ms: number) => ms / 3_600_000;
  const fargate = SCALED_SERVICES.reduce((sum, service) => {
    const { size } = SCALING[service];
    return size ? sum + hours(system.fleet(service).paidMs) * fargateHour(prices, size) : sum;
  }, 0);
  const inference = hours(system.inference.paidMs) * instanceHour(prices, instance, spot);
  const network = hours(system.time.now()) * (prices.loadBalancer.hour + prices.nat.hour);
  return { inference, fargate, network, total: inference + fargate + network };
}
