// Predicted against measured, figure by figure. Knows steps of load tests; not where they come from.

import type { Step } from '../../loadtest/result.ts';
import { median } from '../median.ts';

/** A figure, measured and predicted. */
export interface Figure {
  measured: number;
  predicted: number;
  /** predicted / measured. */
  ratio: number;
}

/** A rate. */
export interface Comparison {
  protocol: string;
  /** Of what the services can do at most. */
  part: number;
  ratePerSecond: number;
  requests: number;
  p50: Figure;
  p90: Figure;
  p99: Figure;
  throughput: Figure;
  /** For people. */
  text: string;
}

/** One load's figures; predicted ones are medians over runs of chance. */
export function comparison(protocol: string, part: number, step: Step, runs: readonly Step[]): Comparison {
  const figure = (pick: (step: Step) => number): Figure => {
    const measured = pick(step);
    const predicted = median(runs.map(pick));
    return { measured, predicted, ratio: predicted / measured };
  };
  const p50 = figure(({ latency }) => latency.p50);
  const p90 = figure(({ latency }) => latency.p90);
  const p99 = figure(({ latency }) => latency.p99);
  const throughput = figure(({ answersPerSecond }) => answersPerSecond);
  const ratePerSecond = step.load.loop === 'open' ? step.load.ratePerSecond : 0;
  const shown = (name: string, { measured, predicted, ratio }: Figure) =>
    `${name} ${predicted.toFixed(1)} / ${measured.toFixed(1)} = ${ratio.toFixed(2)}`;
  return {
    ...{ protocol, part, ratePerSecond, requests: step.requests.intended, p50, p90, p99, throughput },
    text: `${protocol} at ${String(Math.round(100 * part))} %, ${ratePerSecond.toFixed(1)}/s, ${String(step.requests.intended)} requests: ${[
      shown('p50', p50),
      shown('p90', p90),
      shown('p99', p99),
      shown('throughput', throughput),
    ].join('; ')}`,
  };
}
