// The one rounding rule of the geometry: half up, exact on whole numbers.

/** numerator / denominator rounded half up; both whole, denominator ≥ 1. */
export function roundHalfUp(numerator: number, denominator: number): number {
  return Math.floor((2 * numerator + denominator) / (2 * denominator));
}
