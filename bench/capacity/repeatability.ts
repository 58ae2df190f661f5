// How well a measurement agrees with itself: rounds with the same arrivals differ, so even a prediction without any
// error is off. Knows rounds; nothing that is predicted.

import { mean } from '../median.ts';
import { timesOf } from './comparison.ts';
import { countedRounds, type Session } from './session.ts';

/**
 * So many of the sessions' rows a prediction without any error would be expected to have within a tolerance.
 *
 * @param part of the answers that are as quick as the figure says: 0.99 for the 99th percentile
 */
export function rowsOfPerfection(sessions: readonly Session[], part: number, tolerance: number): number {
  let rows = 0;
  for (const { measurement, rows: own } of sessions)
    for (const row of own) {
      const rounds = countedRounds(measurement, row.part);
      rows += chanceWithin(
        rounds.map((round) => timesOf([round]).at(part)),
        tolerance,
      );
    }
  return rows;
}

/**
 * The chance that the truth is within a tolerance of what several rounds say together: their logarithms are taken to
 * be normal, with the variance that they show.
 *
 * @param figures one of each round, positive; two at least
 */
export function chanceWithin(figures: readonly number[], tolerance: number): number {
  const logs = figures.map(Math.log);
  const middle = mean(logs);
  const squares = logs.reduce((sum, log) => sum + (log - middle) ** 2, 0);
  const error = Math.sqrt(squares / (logs.length - 1) / logs.length);
  if (error === 0) return 1;
  return normal(Math.log(1 + tolerance) / error) - normal(Math.log(1 - tolerance) / error);
}

// The normal distribution, to 10⁻⁷ (Abramowitz and Stegun, 26.2.17).
function normal(z: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(z));
  const series = [0.31938153, -0.356563782, 1.781477937, -1.821255978, 1.330274429];
  const tail =
    (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) *
    series.reduce((sum, factor, i) => sum + factor * t ** (i + 1), 0);
  return z < 0 ? tail : 1 - tail;
}
