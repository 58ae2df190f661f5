// Arrivals like a clock's: always equally far apart, where the rate is.

/** Gaps of 1; the first is half of one, so that any stretch of a steady rate has as many as it should. */
export function constantGaps(): () => number {
  let next = 0.5;
  return () => {
    const gap = next;
    next = 1;
    return gap;
  };
}
