// A line through measured costs: how much a call, a plane, a megabyte and a view take, none of them less than nothing.
// Knows numbers only.

/** Least squares with coefficients ≥ 0, by coordinate descent; rows are weighted by 1 / target, so that small ones count. */
export function nonNegativeFit(rows: readonly (readonly number[])[], targets: readonly number[]): number[] {
  const count = rows[0]?.length ?? 0;
  const fitted = Array.from({ length: count }, () => 0);
  const weights = targets.map((target) => 1 / Math.max(1e-9, target) ** 2);
  for (let round = 0; round < 20_000; round++) {
    for (let place = 0; place < count; place++) {
      let above = 0;
      let below = 0;
      for (const [i, row] of rows.entries()) {
        const own = row[place] ?? 0;
        const rest = row.reduce((sum, value, j) => sum + (j === place ? 0 : value * (fitted[j] ?? 0)), 0);
        above += (weights[i] ?? 0) * own * ((targets[i] ?? 0) - rest);
        below += (weights[i] ?? 0) * own * own;
      }
      fitted[place] = below > 0 ? Math.max(0, above / below) : 0;
    }
  }
  return fitted;
}
