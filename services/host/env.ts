// Reads a service's variables from the environment, all at once, at the start. A name that nobody
// knows, or a value that is wrong, stops the start: a typing error must not become a default.

import { VggError, expected } from '../../vgg/errors.ts';
import type { Variable } from './variables.ts';

/** A service's variables by the camelCase names that its code uses. */
export type EnvSpec = Readonly<Record<string, Variable<unknown>>>;

/** The values of a spec. */
export type EnvValues<Spec extends EnvSpec> = {
  [Name in keyof Spec]: Spec[Name] extends Variable<infer Value> ? Value : never;
};

/** A line of the manual. */
export interface EnvDescription {
  /** VGG_PREPROCESS_PORT. */
  name: string;
  expects: string;
  default: string;
  description: string;
}

const PROJECT = 'VGG_';
// A project-wide name that is this near to a known one is taken for a typing error.
const NEAR = 2;

/**
 * The values of a service's variables. An empty value counts as not set.
 *
 * @param service name of the service: `preprocess` reads VGG_PREPROCESS_…
 * @throws VggError INVALID_ARGUMENT naming every variable that is unknown or wrong
 */
export function readEnv<const Spec extends EnvSpec>(
  env: Readonly<Record<string, string | undefined>>,
  service: string,
  spec: Spec,
): EnvValues<Spec> {
  const prefix = prefixOf(service);
  const problems = unknownNames(env, prefix, spec);
  const values: Record<string, unknown> = {};
  for (const [name, variable] of Object.entries(spec)) {
    const own = prefix + upper(name);
    const shared = PROJECT + upper(name);
    const set = [own, ...(variable.shared ? [shared] : [])].find((each) => isSet(env[each]));
    if (set === undefined) {
      values[name] = variable.default;
      continue;
    }
    const given = env[set] ?? '';
    const value = variable.parse(given.trim());
    if (value === undefined) problems.push(expected(variable.expects, given, set));
    values[name] = value;
  }
  const [first, ...others] = problems;
  if (first) {
    if (others.length === 0) throw first;
    throw new VggError('INVALID_ARGUMENT', problems.map(({ message }) => message).join('; '), {
      fields: problems.flatMap(({ fields }) => fields),
    });
  }
  return values as EnvValues<Spec>;
}

/** What the manual and `--help` say of a service's variables. */
export function describeEnv(service: string, spec: EnvSpec): EnvDescription[] {
  return Object.entries(spec).map(([name, variable]) => ({
    name: (variable.shared ? PROJECT : prefixOf(service)) + upper(name),
    expects: variable.expects,
    default: variable.shownDefault,
    description: variable.description,
  }));
}

/** The name of one variable of a service, for those who set it (containers, tasks). */
export function envName(service: string, spec: EnvSpec, name: string): string {
  const variable = spec[name];
  if (!variable) throw expected(`a variable of ${service}`, name, 'name');
  return (variable.shared ? PROJECT : prefixOf(service)) + upper(name);
}

function unknownNames(env: Readonly<Record<string, string | undefined>>, prefix: string, spec: EnvSpec) {
  const own = Object.keys(spec).map((name) => prefix + upper(name));
  const shared = Object.entries(spec)
    .filter(([, variable]) => variable.shared)
    .map(([name]) => PROJECT + upper(name));
  const known = new Set([...own, ...shared]);
  const problems: VggError[] = [];
  for (const name of Object.keys(env)) {
    if (known.has(name) || !name.startsWith(PROJECT)) continue;
    const ours = name.startsWith(prefix);
    const nearest = nearestOf(name, ours ? own : shared);
    // Names of other services and of other tools are not ours to judge, unless they look like a slip.
    if (!ours && (!nearest || nearest.distance > NEAR)) continue;
    const hint = nearest ? `; did you mean ${nearest.name}?` : '';
    const message = `Unknown variable ${name}${hint}`;
    problems.push(new VggError('INVALID_ARGUMENT', message, { fields: [{ field: name, message }] }));
  }
  return problems;
}

function nearestOf(name: string, names: readonly string[]): { name: string; distance: number } | undefined {
  const ranked = names.map((each) => ({ name: each, distance: editDistance(name, each) }));
  return ranked.sort((a, b) => a.distance - b.distance)[0];
}

// Levenshtein's distance: insertions, deletions and replacements of single letters.
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (let i = 0; i < from.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < to.length; j++) {
      const replaced = (row[j] ?? 0) + (from[i] === to[j] ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value.trim() !== '';
}

function prefixOf(service: string): string {
  return `${PROJECT}${upper(service)}_`;
}

// metricsPort → METRICS_PORT
function upper(name: string): string {
  return name.replace(/(?<=[a-z0-9])(?=[A-Z])|-/g, '_').toUpperCase();
}
