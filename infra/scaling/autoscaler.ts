// What Application Auto Scaling makes of the rules in infra/scaling.ts: alarms over datapoints, policies, cooldowns, as
// pure functions of a state. Knows no clock but the seconds that it is told, and no cloud.
//
// As documented by AWS: an alarm looks at its last datapoints once a period. A target tracking policy has two of them,
// whose datapoints its users do not choose: three minutes above the target scale out, fifteen below nine tenths of it
// scale in, to as many tasks as the value asks for in proportion. While an alarm lasts its policy is asked again each
// minute; what a scale-out has added within its cooldown counts as done, and only what is wanted beyond it is added.
// Of several policies the one that gives the most tasks decides, up and down.

import type { ScalingRule, StepRule, TrackingRule } from '../scaling.ts';

/** Datapoints that target tracking's alarms ask for. */
export const TRACKING_ALARMS = { out: 3, in: 15 } as const;
/** Below this part of the target tasks are taken away. */
export const TRACKING_SCALE_IN_PART = 0.9;

/** A datapoint; undefined where a period has none. */
export type Datapoint = number | undefined;

/** What is known of a service that scales. Never changed; a step gives the next one. */
export interface ScalerState {
  /** Tasks that are wanted. */
  readonly desired: number;
  readonly rules: readonly RuleState[];
}

interface RuleState {
  /** The last datapoints, oldest first. */
  readonly datapoints: readonly Datapoint[];
  readonly out?: { readonly from: number; readonly until: number };
  readonly inUntil?: number;
}

/** Least and most tasks. */
export interface TaskBounds {
  min: number;
  max: number;
}

/** A service before its first datapoint. */
export function scalerState(rules: readonly ScalingRule[], desired: number): ScalerState {
  return { desired, rules: rules.map(() => ({ datapoints: [] })) };
}

/**
 * The state after one more period.
 *
 * @param datapoints of each rule's metric, in the order of the rules
 * @param seconds since any moment, for cooldowns
 */
export function scaled(
  rules: readonly ScalingRule[],
  { min, max }: TaskBounds,
  state: ScalerState,
  datapoints: readonly Datapoint[],
  seconds: number,
): ScalerState {
  const seen = rules.map((rule, i): RuleState => {
    const before = state.rules[i] ?? { datapoints: [] };
    return { ...before, datapoints: [...before.datapoints, datapoints[i]].slice(-periodsOf(rule)) };
  });
  const within = (tasks: number) => Math.min(max, Math.max(min, tasks));
  const wanted = rules.map((rule, i) => {
    const own = seen[i] ?? { datapoints: [] };
    const from = own.out && seconds < own.out.until ? own.out.from : state.desired;
    const tasks = tasksWanted(rule, own.datapoints, { from, desired: state.desired });
    return tasks === undefined ? undefined : within(tasks);
  });
  const most = Math.max(...wanted.map((tasks) => tasks ?? -Infinity));
  if (most > state.desired) {
    return {
      desired: most,
      rules: seen.map((own, i) => {
        const rule = rules[i];
        if (!rule || (wanted[i] ?? 0) <= state.desired) return own;
        const running = own.out && seconds < own.out.until;
        const { datapoints: kept } = own;
        // A scale-out ends the wait of a scale-in.
        return {
          datapoints: kept,
          out: { from: running ? own.out.from : state.desired, until: seconds + cooldowns(rule).out },
        };
      }),
    };
  }
  const lower = wanted.map((tasks, i) =>
    tasks !== undefined && tasks < state.desired && seconds >= (seen[i]?.inUntil ?? -Infinity) ? tasks : undefined,
  );
  const least = Math.max(...lower.map((tasks) => tasks ?? -Infinity));
  const desired = within(least === -Infinity ? state.desired : least);
  return {
    desired,
    rules: seen.map((own, i) => {
      const rule = rules[i];
      if (!rule || desired >= state.desired || lower[i] === undefined) return own;
      return { ...own, inUntil: seconds + cooldowns(rule).in };
    }),
  };
}

/** Whether an alarm is in alarm: so many of its last datapoints breach. */
export function inAlarm(rule: StepRule, datapoints: readonly Datapoint[]): boolean {
  const last = datapoints.slice(-rule.evaluationPeriods);
  // Before there were so many periods, those before had no data.
  const missing = rule.evaluationPeriods - last.length;
  const breaches = last.filter((value) =>
    value === undefined
      ? rule.treatMissingData === 'breaching'
      : rule.comparison === 'GreaterThanOrEqualToThreshold'
        ? value >= rule.threshold
        : value <= rule.threshold,
  ).length;
  return breaches + (rule.treatMissingData === 'breaching' ? missing : 0) >= rule.datapointsToAlarm;
}

interface Capacity {
  /** Tasks before what a cooldown still counts as added. */
  from: number;
  desired: number;
}

function tasksWanted(
  rule: ScalingRule,
  datapoints: readonly Datapoint[],
  capacity: Capacity,
): number | undefined {
  return rule.type === 'step'
    ? stepWanted(rule, datapoints, capacity)
    : trackingWanted(rule, datapoints, capacity);
}

function stepWanted(rule: StepRule, datapoints: readonly Datapoint[], { from }: Capacity): number | undefined {
  const value = datapoints.findLast((each) => each !== undefined);
  if (!inAlarm(rule, datapoints) || value === undefined) return undefined;
  const beyond = value - rule.threshold;
  const above = rule.comparison === 'GreaterThanOrEqualToThreshold';
  // The bound nearer to the threshold belongs to a step, the farther one to the next.
  const step = rule.steps.find(({ lower = -Infinity, upper = Infinity }) =>
    above ? lower <= beyond && beyond < upper : lower < beyond && beyond <= upper,
  );
  if (!step) return undefined;
  switch (rule.adjustmentType) {
    case 'ExactCapacity':
      return step.adjustment;
    case 'ChangeInCapacity':
      return from + step.adjustment;
    case 'PercentChangeInCapacity':
      return from + percentOf(from, step.adjustment, rule.minAdjustmentMagnitude ?? 0);
  }
}

/** Tasks that a percentage of them is: towards zero, but at least one, or as many as are asked for. */
function percentOf(tasks: number, percent: number, least: number): number {
  const exact = (tasks * percent) / 100;
  const whole = Math.max(Math.trunc(Math.abs(exact)), exact === 0 ? 0 : 1, least);
  return percent < 0 ? -whole : whole;
}

function trackingWanted(
  { target }: TrackingRule,
  datapoints: readonly Datapoint[],
  { from, desired }: Capacity,
): number | undefined {
  const value = datapoints.at(-1);
  if (value === undefined) return undefined;
  const last = (count: number, holds: (value: number) => boolean) =>
    datapoints.length >= count &&
    datapoints.slice(-count).every((each) => each !== undefined && holds(each));
  if (last(TRACKING_ALARMS.out, (each) => each > target)) return Math.ceil((from * value) / target);
  if (last(TRACKING_ALARMS.in, (each) => each < TRACKING_SCALE_IN_PART * target)) {
    return Math.ceil((desired * value) / target);
  }
  return undefined;
}

function periodsOf(rule: ScalingRule): number {
  return rule.type === 'step' ? rule.evaluationPeriods : TRACKING_ALARMS.in;
}

function cooldowns(rule: ScalingRule): { out: number; in: number } {
  return rule.type === 'step'
    ? { out: rule.cooldownSeconds, in: rule.cooldownSeconds }
    : { out: rule.scaleOutCooldownSeconds, in: rule.scaleInCooldownSeconds };
}
