// Predicted against measured, figure by figure. Knows answers' times; not where they come from.

import { Times } from '../../loadtest/distribution.ts';
import { median } from '../median.ts';

/** What came of a load that was held, or simulated. */
export interface Held {
  /** Of each answered request: when it was due, and how long it took; milliseconds. */
  answers: readonly (readonly [intendedMs: number, ms: number])[];
  answersPerSecond: number;
}

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
}

/** One load's figures: percentiles of all rounds together, and the median of their rates. */
export function comparison(measured: readonly Held[], predicted: readonly Held[]): Comparison {
  const [real, simulated] = [timesOf(measured), timesOf(predicted)];
  const percentile = (part: number) => figure(real.at(part), simulated.at(part));
  return {
    p50: percentile(0.5),
    p90: percentile(0.9),
    p99: percentile(0.99),
    throughput: figure(rateOf(measured), rateOf(predicted)),
  };
}

/** For people. */
export function textOf(figures: Comparison): string {
  return (['p50', 'p90', 'p99', 'throughput'] as const)
    .map((name) => {
      const { measured, predicted, ratio } = figures[name];
      return `${name} ${predicted.toFixed(1)} / ${measured.toFixed(1)} = ${ratio.toFixed(2)}`;
    })
    .join('; ');
}

/** The times of several rounds together. */
export function timesOf(rounds: readonly Pick<Held, 'answers'>[]): Times {
  const times = new Times();
  for (const { answers } of rounds) for (const [, ms] of answers) times.add(ms);
  return times;
}

function rateOf(rounds: readonly Held[]): number {
  return median(rounds.map(({ answersPerSecond }) => answersPerSecond));
}

function figure(measured: number, predicted: number): Figure {
  return { measured, predicted, ratio: predicted / measured };
}
