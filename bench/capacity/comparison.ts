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

/** A load. */
export interface Comparison {
  /** Milliseconds. */
  p50: Figure;
  p90: Figure;
  p99: Figure;
  /** Answers a second. */
  throughput: Figure;
  /** For people. */
  text: string;
}

/** One load's figures; predicted ones are medians over runs of chance. */
export function comparison(
  measured: { p50: number; p90: number; p99: number; answersPerSecond: number },
  runs: readonly Step[],
): Comparison {
  const figure = (value: number, pick: (step: Step) => number): Figure => {
    const predicted = median(runs.map(pick));
    return { measured: value, predicted, ratio: predicted / value };
  };
  const p50 = figure(measured.p50, ({ latency }) => latency.p50);
  const p90 = figure(measured.p90, ({ latency }) => latency.p90);
  const p99 = figure(measured.p99, ({ latency }) => latency.p99);
  const throughput = figure(measured.answersPerSecond, ({ answersPerSecond }) => answersPerSecond);
  const shown = (name: string, { measured: real, predicted, ratio }: Figure) =>
    `${name} ${predicted.toFixed(1)} / ${real.toFixed(1)} = ${ratio.toFixed(2)}`;
  return {
    ...{ p50, p90, p99, throughput },
    text: [shown('p50', p50), shown('p90', p90), shown('p99', p99), shown('throughput', throughput)].join(
      '; ',
    ),
  };
}
