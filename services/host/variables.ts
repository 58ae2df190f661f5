// Kinds of environment variables: how each is written, read and described.
// Knows no variable by name and never touches the environment.

/** A variable: how its text becomes a value, and what a reader of the manual needs to know. */
export interface Variable<Value> {
  /** What it is for, one sentence with its unit. */
  readonly description: string;
  /** What a right value looks like: `a whole number from 1 to 65535`. */
  readonly expects: string;
  /** Value where the variable is not set. */
  readonly default: Value;
  /** How the default is written; `—` for none. */
  readonly shownDefault: string;
  /**
   * Whether it is the project's (VGG_LOG_LEVEL) rather than one service's (VGG_PREPROCESS_PORT).
   * A service may still be given its own: VGG_PREPROCESS_LOG_LEVEL wins over VGG_LOG_LEVEL.
   */
  readonly shared: boolean;
  /** The value, or undefined if the text is none. */
  parse(text: string): Value | undefined;
}

/** What all kinds are told. */
export interface VariableOptions<Value> {
  description: string;
  default: Value;
  shared?: boolean;
}

/** What every kind is made of. */
function variable<Value>(
  { description, default: value, shared = false }: VariableOptions<Value>,
  expects: string,
  parse: (text: string) => Value | undefined,
  shown: (value: Value) => string = String,
): Variable<Value> {
  const shownDefault = value === undefined ? '—' : shown(value);
  return { description, expects, default: value, shownDefault, shared, parse };
}

/** A whole number in a range. */
export function integer<const Value extends number | undefined>(
  options: VariableOptions<Value> & { min: number; max: number },
): Variable<Value extends undefined ? number | undefined : number> {
  const { min, max } = options;
  return variable<number | undefined>(
    options,
    `a whole number from ${String(min)} to ${String(max)}`,
    (text) => {
      const value = /^-?\d+$/.test(text) ? Number(text) : NaN;
      return value >= min && value <= max ? value : undefined;
    },
  ) as Variable<Value extends undefined ? number | undefined : number>;
}

const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/;
const UNIT_MS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** A span of time: `250ms`, `60s`, `1.5m`, `1h`. The value is in milliseconds. */
export function duration(options: VariableOptions<number> & { min?: number; max: number }): Variable<number> {
  const { min = 0, max } = options;
  const expects = `a duration from ${durationText(min)} to ${durationText(max)}, such as 500ms, 60s or 5m`;
  return variable<number>(
    options,
    expects,
    (text) => {
      const [, amount, unit = ''] = DURATION.exec(text) ?? [];
      const value = Number(amount) * (UNIT_MS[unit] ?? NaN);
      return value >= min && value <= max ? value : undefined;
    },
    durationText,
  );
}

function durationText(ms: number): string {
  for (const unit of ['h', 'm', 's']) {
    const size = UNIT_MS[unit] ?? 1;
    if (ms > 0 && ms % size === 0) return `${String(ms / size)}${unit}`;
  }
  return `${String(ms)}ms`;
}

/** A size in bytes: `65536`, `64KiB`, `20MiB`, `1GiB`. */
export function bytes(options: VariableOptions<number> & { min: number; max: number }): Variable<number> {
  const { min, max } = options;
  return variable<number>(
    options,
    `a size from ${bytesText(min)} to ${bytesText(max)}, such as 20MiB`,
    (text) => {
      const [, amount, unit = ''] = /^(\d+)(KiB|MiB|GiB)?$/.exec(text) ?? [];
      const value = Number(amount) * 1024 ** ['', 'KiB', 'MiB', 'GiB'].indexOf(unit);
      return value >= min && value <= max ? value : undefined;
    },
    bytesText,
  );
}

function bytesText(value: number): string {
  for (const [power, unit] of [
    [3, 'GiB'],
    [2, 'MiB'],
    [1, 'KiB'],
  ] as const) {
    if (value > 0 && value % 1024 ** power === 0) return `${String(value / 1024 ** power)}${unit}`;
  }
  return String(value);
}

/** One of a few words. */
export function choice<const Word extends string>(
  options: VariableOptions<NoInfer<Word>> & { of: readonly Word[] },
): Variable<Word> {
  const { of } = options;
  return variable<Word>(options, `one of ${of.join(', ')}`, (text) => of.find((word) => word === text));
}

/** true or false. */
export function flag(options: VariableOptions<boolean>): Variable<boolean> {
  return variable<boolean>(options, 'true or false', (text) =>
    text === 'true' ? true : text === 'false' ? false : undefined,
  );
}

/** Text of any form, or of the form that `matches` knows. */
export function text<const Value extends string | undefined>(
  options: VariableOptions<Value> & { expects?: string; matches?: { test(text: string): boolean } },
): Variable<Value extends undefined ? string | undefined : string> {
  const { expects = 'text', matches } = options;
  return variable<string | undefined>(options, expects, (given) =>
    matches?.test(given) === false ? undefined : given,
  ) as Variable<Value extends undefined ? string | undefined : string>;
}

/** A file or folder; whether it exists is its reader's concern. */
export function path<const Value extends string | undefined>(
  options: VariableOptions<Value>,
): Variable<Value extends undefined ? string | undefined : string> {
  return text({ ...options, expects: 'a path' });
}

/** Values between commas; empty ones are dropped. */
export function list(
  options: VariableOptions<readonly string[]> & { expects?: string; matches?: RegExp },
): Variable<readonly string[]> {
  const { expects = 'values between commas', matches } = options;
  return variable<readonly string[]>(
    options,
    expects,
    (given) => {
      const values = given.split(',').map((each) => each.trim());
      const filled = values.filter((each) => each !== '');
      return matches && !filled.every((each) => matches.test(each)) ? undefined : filled;
    },
    (values) => (values.length === 0 ? '—' : values.join(',')),
  );
}
