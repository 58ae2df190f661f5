// Whether the generator itself kept up. Where it did not, the figures are its own and not the server's.
//
// It is saturated if
//   1. a request was abandoned, because as many were under way as may be;
//   2. requests were sent late: half of them, or one in a hundred, by more than 10 ms and more than a tenth of what half of
//      the answers, or all but one in a hundred, took from the sending (like beside like: it is in the same percentile);
//   3. its event loop was late: the same of its delay, and 20 ms;
//   4. its thread had little time left: it was busy for more than 75 % of the step. Beyond that, what it does itself
//      waits for itself: at 75 % three times as long, on average, as it takes (M/M/1).

import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { NOTHING, rounded } from './distribution.ts';
import type { Distribution, Generator } from './result.ts';

const LATE_MS = 10;
const DELAY_MS = 20;
const PART = 0.1;
const BUSY = 0.75;
const RESOLUTION_MS = 10;
const PARTS = { p50: 'half', p99: '1 %' };

/** What the generator's own process says of a stretch of time. */
export interface Self {
  eventLoopDelay: Distribution;
  /** CPU seconds a second. */
  cpuCores: number;
  /** Part of the time in which the thread was busy, 0 to 1. */
  busy: number;
}

/** Watches this process from now on; call what it returns once, for what was seen. */
export function watchSelf(): () => Self {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  const began = performance.now();
  const cpu = process.cpuUsage();
  const utilization = performance.eventLoopUtilization();
  return () => {
    delay.disable();
    const seconds = (performance.now() - began) / 1000;
    const { user, system } = process.cpuUsage(cpu);
    // What is recorded is the time between two looks; what is more than was asked for is delay.
    const beyond = (nanoseconds: number) => rounded(Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS));
    const at = (part: number) => beyond(delay.percentile(Math.max(part * 100, Number.MIN_VALUE)));
    return {
      cpuCores: (user + system) / 1e6 / seconds,
      busy: performance.eventLoopUtilization(utilization).utilization,
      eventLoopDelay:
        delay.count === 0
          ? NOTHING
          : {
              count: delay.count,
              mean: beyond(delay.mean),
              min: beyond(delay.min),
              p50: at(0.5),
              p90: at(0.9),
              p95: at(0.95),
              p99: at(0.99),
              p999: at(0.999),
              max: beyond(delay.max),
              percentiles: [0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1].map((part) => ({
                value: at(part),
                part,
              })),
            },
    };
  };
}

/** What a result says of the generator. @param service times of answers from the moment they were sent */
export function generatorOf(
  { eventLoopDelay, cpuCores, busy }: Self,
  late: Distribution,
  abandoned: number,
  service: Pick<Distribution, 'p50' | 'p99'>,
): Generator {
  const ms = (value: number) => `${value.toFixed(1)} ms`;
  // The largest percentile that matters, if any does.
  const beyond = (of: Distribution, least: number) =>
    (['p99', 'p50'] as const).find((key) => of[key] > Math.max(least, PART * service[key]));
  const sentLate = beyond(late, LATE_MS);
  const loopLate = beyond(eventLoopDelay, DELAY_MS);
  const reasons = [
    ...(abandoned > 0 ? [`${String(abandoned)} requests were not sent: too many were under way`] : []),
    ...(sentLate ? [`${PARTS[sentLate]} of requests were sent more than ${ms(late[sentLate])} late`] : []),
    ...(loopLate
      ? [`its event loop was more than ${ms(eventLoopDelay[loopLate])} late ${PARTS[loopLate]} of the time`]
      : []),
    ...(busy > BUSY ? [`its thread was busy for ${(busy * 100).toFixed(0)} % of the time`] : []),
  ];
  return {
    late,
    eventLoopDelay,
    cpuCores: Math.round(cpuCores * 1000) / 1000,
    ...(reasons.length > 0 && { saturated: reasons.join('; ') }),
  };
}
