// Records whose names stay.

/** The same names, another value each. */
export function mapped<Value, Result, Name extends string>(
  values: Readonly<Record<Name, Value>>,
  each: (value: Value, name: Name) => Result,
): Record<Name, Result> {
  return Object.fromEntries(
    Object.entries<Value>(values).map(([name, value]) => [name, each(value, name as Name)]),
  ) as Record<Name, Result>;
}
