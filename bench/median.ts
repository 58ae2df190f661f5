// The middle of several measurements, and how far they spread: the machine is shared, and one of them is no figure.

/** The median; of an even number the mean of the two in the middle, NaN of none. */
export function median(numbers: readonly number[]): number {
  return quantile(numbers, 0.5);
}

/** The mean; NaN of none. */
export function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}

/** A quarter of the numbers is below, half, three quarters. */
export interface Quartiles {
  low: number;
  middle: number;
  high: number;
}

/** Quartiles; NaN of none. */
export function quartiles(numbers: readonly number[]): Quartiles {
  return {
    low: quantile(numbers, 0.25),
    middle: quantile(numbers, 0.5),
    high: quantile(numbers, 0.75),
  };
}

// Between two numbers, on the straight line between them.
function quantile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const at = share * (sorted.length - 1);
  const [below = NaN, above = NaN] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  return below + (above - below) * (at - Math.floor(at));
}
