// How many requests it takes to say that a percentile keeps a bound: the early stopping rule of MLPerf's LoadGen
// (tolerance 0, confidence 99 %). Knows counts alone.

const CONFIDENCE = 0.99;

/**
 * Whether so many late ones of so many requests show, with 99 % confidence, that the percentile keeps its bound: if
 * just the allowed part were late in truth, so few late ones would come by chance in less than 1 % of tests. Without
 * late ones 459 requests show it of the 99th percentile, with one 662; of the 90th 44 and 64.
 *
 * @param percentile such as 99
 */
export function isKept(requests: number, late: number, percentile: number): boolean {
  return requests > 0 && atMost(late, requests, 1 - percentile / 100) < 1 - CONFIDENCE;
}

/** Late ones that so many requests may have at most and still show it; −1 if they are too few for none. */
export function mostLate(requests: number, percentile: number): number {
  let most = -1;
  for (const chance of cumulative(requests, 1 - percentile / 100)) {
    if (chance >= 1 - CONFIDENCE) break;
    most++;
  }
  return most;
}

/** Requests that show it where so many are late. */
export function requestsFor(late: number, percentile: number): number {
  let [tooFew, enough] = [late, late + 1];
  while (!isKept(enough, late, percentile)) [tooFew, enough] = [enough, enough * 2];
  while (enough - tooFew > 1) {
    const middle = Math.floor((tooFew + enough) / 2);
    if (isKept(middle, late, percentile)) enough = middle;
    else tooFew = middle;
  }
  return enough;
}

function atMost(most: number, n: number, p: number): number {
  let k = 0;
  for (const chance of cumulative(n, p)) if (k++ === most) return chance;
  return 1;
}

// The binomial distribution: the chances of at most 0, 1, 2 … n of n events that have chance p each. In logarithms,
// because the first ones of many events are smaller than the smallest number.
function* cumulative(n: number, p: number): Generator<number, void> {
  let term = n * Math.log1p(-p);
  let sum = term;
  yield Math.exp(sum);
  for (let k = 1; k <= n; k++) {
    term += Math.log((n - k + 1) / k) + Math.log(p) - Math.log1p(-p);
    sum = Math.max(sum, term) + Math.log1p(Math.exp(-Math.abs(sum - term)));
    yield Math.exp(sum);
  }
}
