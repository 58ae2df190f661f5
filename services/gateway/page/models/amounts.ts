// Large numbers as people read them.

const UNITS = [
  [1e9, ' G'],
  [1e6, ' M'],
  [1e3, ' k'],
] as const;

/** Three digits and a unit: "1.54 G". */
export function short(amount: number): string {
  const [size, unit] = UNITS.find(([least]) => amount >= 0.9995 * least) ?? [1, ''];
  const value = amount / size;
  return `${size === 1 ? String(value) : value.toPrecision(3)}${unit}`;
}

/** Every digit, in groups: "138,357,544". */
export function exact(amount: number): string {
  return amount.toLocaleString('en');
}
