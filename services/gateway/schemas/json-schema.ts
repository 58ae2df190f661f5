// How schemas are written: JSON Schema 2020-12, as OpenAPI 3.1 has it. Knows no schema.

/** A JSON Schema. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** An object with exactly these properties; all are there but the optional ones. */
export function exactly<Name extends string>(
  properties: Readonly<Record<Name, JsonSchema>>,
  { optional = [], ...rest }: { optional?: readonly NoInfer<Name>[]; [keyword: string]: unknown } = {},
): JsonSchema {
  const required = (Object.keys(properties) as Name[]).filter((name) => !optional.includes(name));
  return { type: 'object', additionalProperties: false, required, properties, ...rest };
}

/** A list of numbers. */
export function numbersOf(description: string): JsonSchema {
  return { type: 'array', items: { type: 'number' }, description };
}

/** A schema of the document by its name. */
export function the(name: string): JsonSchema {
  return { $ref: `${name}#` };
}
