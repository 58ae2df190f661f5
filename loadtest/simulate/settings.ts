// What a simulated system is made of: sizes, limits, start-up and networks. Bounds are the services' own (limits.ts).
// Knows no time and no chance.

import type { Scaling, ScaledService } from '../../infra/scaling.ts';
import type { Pace } from './cores.ts';
import type { ServiceCosts } from './costs.ts';
import type { EngineTiming } from './timings.ts';

/** Bounds that the services have. */
export interface ServiceLimits {
  /** Views that may wait in an inference task. */
  queueViews: number;
  /** Photos worked on at once in a preprocess task, and those that may wait for that. */
  decodes: number;
  waitingPhotos: number;
  /** Calls that one connection may have. */
  streams: number;
  /** Attempts at a call that is lost: of gateways at aggregators, of aggregators at the others. */
  attempts: { gateway: number; aggregator: number };
  /** How long aggregators expect a task of inference to take to start until they saw one; 0: photos wait for none. */
  replicaStartMs: number;
  /** Time for which aggregators keep facts of models. */
  modelsAgeMs: number;
  /** Time for an answer. */
  deadlineMs: number;
}

/** Seconds of a phase of a task's start: a median, and a factor that one in six is beyond (log-normal). */
export interface Phase {
  name: string;
  seconds: number;
  spread: number;
}

/** How a service runs. */
export interface FleetSettings {
  /** Tasks at the start; all of them ready. */
  tasks: number;
  /** Cores of a task; undefined: all tasks of the system share one machine. */
  vcpu: number | undefined;
  /** Of machines that are not always as fast. */
  pace?: Pace;
  /** Rules and bounds; absent: the number of tasks does not change. */
  scaling?: Pick<Scaling, 'rules'> & { min: number; max: number };
  start: readonly Phase[];
}

/** A system. */
export interface SystemSettings {
  fleets: Readonly<Record<ScaledService, FleetSettings>>;
  engine: EngineTiming;
  costs: ServiceCosts;
  limits: ServiceLimits;
  /** Cores of the machine that is shared, where one is. */
  sharedCores?: number;
  /** Its pace, where it is not always as fast. */
  sharedPace?: Pace;
  /** Whether requests come through the gateway; otherwise they go to the aggregator. */
  gateway: boolean;
  /** One way between two processes. */
  networkMs: number;
  /** Lost instances of inference in an hour, each: spot interruptions, without their two minutes' notice being used. */
  interruptionsPerHour: number;
  /** From the end of a period until its datapoint is seen by alarms. */
  metricsDelaySeconds: number;
}
