// What machines cost: one dated table, and the arithmetic of it. The only place with a price; a file may replace any
// figure. Knows no workload.
//
// The figures are AWS's public on-demand list prices of us-east-1, Linux, as the author remembered them on the table's
// date: nothing was fetched. Typical spot prices move by the hour and are orders of magnitude. Whoever decides by
// them puts today's into a file.

import { expected, VggError } from '../vgg/errors.ts';

/** A GPU as its maker describes it. */
export interface Gpu {
  name: string;
  /** Of all GPUs of the instance. */
  count: number;
  memoryGb: number;
}

/** An instance type. Prices in US dollars an hour. */
export interface InstanceType {
  vcpu: number;
  memoryGb: number;
  gpu?: Gpu;
  onDemand: number;
  /** Typical, not promised. */
  spot: number;
}

/** Prices in US dollars. */
export interface Prices {
  /** ISO 8601 day of the figures. */
  date: string;
  region: string;
  source: string;
  /** By EC2's names. */
  instances: Record<string, InstanceType>;
  /** ECS Managed Instances' fee, as a part of the on-demand price, whatever is paid for the instance. */
  managedInstancesFee: number;
  fargate: Record<'x86' | 'arm', { vcpuHour: number; gbHour: number }>;
  /** Part of Fargate's price that Fargate Spot typically costs. */
  fargateSpotPart: number;
  /** An Application Load Balancer, and its capacity unit (1 GB of traffic an hour, or 25 connections a second). */
  loadBalancer: { hour: number; lcuHour: number };
  /** Each NAT gateway, and what goes through it. */
  nat: { hour: number; gb: number };
  transfer: {
    /** Out to the internet. */
    outGb: number;
    /** Between availability zones, both directions together. */
    zonesGb: number;
  };
  /** Thousands of requests: S3 writes and lists, S3 reads, state transitions of Step Functions. */
  requests: { put1000: number; get1000: number; transition1000: number };
}

/** The table. */
export const PRICES: Prices = {
  date: '2026-11-27',
  region: 'us-east-1',
  source: 'AWS public on-demand list prices, from memory; spot prices are typical ones',
  instances: {
    'g4dn.xlarge': {
      ...{ vcpu: 4, memoryGb: 16, gpu: { name: 'T4', count: 1, memoryGb: 16 } },
      ...{ onDemand: 0.526, spot: 0.21 },
    },
    'g5.xlarge': {
      ...{ vcpu: 4, memoryGb: 16, gpu: { name: 'A10G', count: 1, memoryGb: 24 } },
      ...{ onDemand: 1.006, spot: 0.45 },
    },
    'g6.xlarge': {
      ...{ vcpu: 4, memoryGb: 16, gpu: { name: 'L4', count: 1, memoryGb: 24 } },
      ...{ onDemand: 0.8048, spot: 0.35 },
    },
    'g6e.xlarge': {
      ...{ vcpu: 4, memoryGb: 32, gpu: { name: 'L40S', count: 1, memoryGb: 48 } },
      ...{ onDemand: 1.861, spot: 0.85 },
    },
    'p5.4xlarge': {
      ...{ vcpu: 16, memoryGb: 256, gpu: { name: 'H100', count: 1, memoryGb: 80 } },
      ...{ onDemand: 6.88, spot: 2.8 },
    },
    'c7i.xlarge': { vcpu: 4, memoryGb: 8, onDemand: 0.1785, spot: 0.08 },
  },
  managedInstancesFee: 0.12,
  fargate: {
    x86: { vcpuHour: 0.04048, gbHour: 0.004445 },
    arm: { vcpuHour: 0.03238, gbHour: 0.00356 },
  },
  fargateSpotPart: 0.3,
  loadBalancer: { hour: 0.0225, lcuHour: 0.008 },
  nat: { hour: 0.045, gb: 0.045 },
  transfer: { outGb: 0.09, zonesGb: 0.02 },
  requests: { put1000: 0.005, get1000: 0.0004, transition1000: 0.025 },
};

/**
 * US dollars an hour of a managed instance.
 *
 * @param type a name in `prices.instances`
 * @throws VggError INVALID_ARGUMENT for a name that the table has not
 */
export function instanceHour(prices: Prices, type: string, spot = false): number {
  const instance = prices.instances[type];
  if (!instance) throw expected(`one of ${Object.keys(prices.instances).join(', ')}`, type, 'instance');
  return (spot ? instance.spot : instance.onDemand) + prices.managedInstancesFee * instance.onDemand;
}

/** US dollars an hour of a Fargate task. */
export function fargateHour(
  prices: Prices,
  size: { vcpu: number; memoryGb: number },
  architecture: 'x86' | 'arm' = 'x86',
): number {
  const { vcpuHour, gbHour } = prices.fargate[architecture];
  return size.vcpu * vcpuHour + size.memoryGb * gbHour;
}

/**
 * The table with what a file says instead: any part of it, such as `{"instances": {"g6.xlarge": {"spot": 0.3}}}`.
 * A date is asked for, so that nobody takes new figures for old ones.
 *
 * @param text JSON
 * @throws VggError INVALID_ARGUMENT naming the figure at fault
 */
export function readPrices(text: string, defaults: Prices = PRICES): Prices {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch (cause) {
    throw new VggError('INVALID_ARGUMENT', `Expected JSON but received ${text.slice(0, 40)} (prices)`, {
      cause,
    });
  }
  if (!isObject(given)) throw expected('an object', given, 'prices');
  if (!/^\d{4}-\d{2}-\d{2}$/.test(String(given['date']))) {
    throw expected('a day such as 2026-11-27', given['date'], 'prices.date');
  }
  return merged(defaults, given, 'prices') as Prices;
}

// An instance type that the table has not must be whole.
const NEW_INSTANCE = { vcpu: 1, memoryGb: 1, onDemand: 1, spot: 1 };
const NEW_GPU = { name: '', count: 1, memoryGb: 1 };

function merged(defaults: unknown, given: unknown, field: string): unknown {
  if (isObject(defaults)) {
    if (!isObject(given)) throw expected('an object', given, field);
    const names = new Set([...Object.keys(defaults), ...Object.keys(given)]);
    const entries = [...names].map((name) => {
      const path = `${field}.${name}`;
      if (!(name in given)) return [name, defaults[name]];
      if (name in defaults) return [name, merged(defaults[name], given[name], path)];
      if (field === 'prices.instances') return [name, whole(NEW_INSTANCE, given[name], path)];
      if (name === 'gpu' && 'onDemand' in defaults) return [name, whole(NEW_GPU, given[name], path)];
      throw expected(`one of ${Object.keys(defaults).join(', ')}`, name, field);
    });
    return Object.fromEntries(entries) as unknown;
  }
  if (typeof defaults === 'number') {
    if (typeof given === 'number' && Number.isFinite(given) && given >= 0) return given;
    throw expected('a number ≥ 0', given, field);
  }
  if (typeof given !== 'string' || given === '') throw expected('a text', given, field);
  return given;
}

function whole(shape: Record<string, unknown>, given: unknown, field: string): unknown {
  if (!isObject(given)) throw expected('an object', given, field);
  for (const name of Object.keys(shape))
    if (!(name in given)) throw expected('a value', undefined, `${field}.${name}`);
  return merged(shape, given, field);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
