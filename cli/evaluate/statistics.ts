// How sure an error rate is, and whether two differ: bootstrap intervals and McNemar's test.
// Knows counts; neither photos nor models.

import { generator } from '../chance.ts';

/** Resamples of a bootstrap interval. */
export const RESAMPLES = 10_000;

/**
 * 95 % bootstrap interval of a share (percentile method, resampled by photo), from 0 to 1.
 *
 * A resample of n values that are 0 or 1, k of them 1, has a binomial number of ones, with n trials of
 * probability k/n: it is drawn from that distribution, which is the same thing at a price that does not grow with n.
 *
 * @param count photos with an error, 0 to `total`
 * @param total photos, ≥ 1
 */
export function bootstrapInterval(count: number, total: number, seed: number): [low: number, high: number] {
  const draw = binomialDraw(total, count / total);
  return resampled(seed, (random) => draw(random()) / total);
}

/**
 * 95 % bootstrap interval of the difference of two answerers' shares of errors on the same photos, the first's less
 * the second's, from -1 to 1 (percentile method, resampled by photo, so that what both have wrong has no say).
 *
 * Of the photos in a resample a binomial number differ, and of these a binomial number are the first's errors.
 *
 * @param onlyFirst photos that the first has wrong and the second right
 * @param onlySecond the other way round
 * @param total photos, ≥ 1
 */
export function differenceInterval(
  onlyFirst: number,
  onlySecond: number,
  total: number,
  seed: number,
): [low: number, high: number] {
  const differ = onlyFirst + onlySecond;
  const drawDiffering = binomialDraw(total, differ / total);
  const draws = new Map<number, Draw>();
  return resampled(seed, (random) => {
    const differing = drawDiffering(random());
    const draw = draws.get(differing) ?? binomialDraw(differing, differ > 0 ? onlyFirst / differ : 0);
    draws.set(differing, draw);
    return (2 * draw(random()) - differing) / total;
  });
}

/**
 * McNemar's exact test of two answerers of the same photos: two-sided p, from 0 to 1, of the photos that just one
 * of them has right, under the hypothesis that each of these is as likely either's.
 *
 * @param onlyFirst photos that the first has wrong and the second right
 * @param onlySecond the other way round
 */
export function mcnemar(onlyFirst: number, onlySecond: number): number {
  const trials = onlyFirst + onlySecond;
  const fewer = Math.min(onlyFirst, onlySecond);
  if (onlyFirst === onlySecond) return 1;
  // ln of C(trials, fewer) / 2^trials; the terms below it follow by ratios.
  let ln = -trials * Math.LN2;
  for (let i = 1; i <= fewer; i++) ln += Math.log((trials - fewer + i) / i);
  let sum = 0;
  let term = 1;
  for (let i = fewer; i >= 0 && term > 0; i--) {
    sum += term;
    term *= i / (trials - i + 1);
  }
  return Math.min(1, 2 * Math.exp(ln) * sum);
}

// A count from a number in [0, 1).
type Draw = (random: number) => number;

function binomialDraw(trials: number, p: number): Draw {
  if (trials === 0 || p <= 0) return () => 0;
  if (p >= 1) return () => trials;
  const { first, cumulative } = binomial(trials, p);
  return (random) => first + place(cumulative, random);
}

function resampled(seed: number, value: (random: () => number) => number): [low: number, high: number] {
  const random = generator(seed);
  const drawn = Float64Array.from({ length: RESAMPLES }, () => value(random)).sort();
  return [percentile(drawn, 0.025), percentile(drawn, 0.975)];
}

// P(X ≤ first + i) of the binomial distribution, over all counts whose probability is not negligible.
function binomial(trials: number, p: number): { first: number; cumulative: Float64Array } {
  const mode = Math.min(trials, Math.floor((trials + 1) * p));
  const odds = p / (1 - p);
  const below: number[] = [];
  for (let k = mode, value = 1; k > 0 && value > 1e-18; k--) {
    value *= k / ((trials - k + 1) * odds);
    below.push(value);
  }
  const above: number[] = [];
  for (let k = mode, value = 1; k < trials && value > 1e-18; k++) {
    value *= ((trials - k) * odds) / (k + 1);
    above.push(value);
  }
  const cumulative = Float64Array.from([...below.reverse(), 1, ...above]);
  for (let i = 1; i < cumulative.length; i++) cumulative[i] = (cumulative[i] ?? 0) + (cumulative[i - 1] ?? 0);
  const whole = cumulative.at(-1) ?? 1;
  return { first: mode - below.length, cumulative: cumulative.map((value) => value / whole) };
}

// The first place whose value is above x.
function place(cumulative: Float64Array, x: number): number {
  let low = 0;
  let high = cumulative.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((cumulative[middle] ?? 1) > x) high = middle;
    else low = middle + 1;
  }
  return low;
}

// Between the two nearest values, as numpy.percentile does.
function percentile(sorted: Float64Array, share: number): number {
  const at = share * (sorted.length - 1);
  const low = sorted[Math.floor(at)] ?? NaN;
  const high = sorted[Math.ceil(at)] ?? NaN;
  return low + (high - low) * (at - Math.floor(at));
}
