// Variables of a task: what is set for a service is written by the name that the service itself has for it, and read
// back by the service's own reader before anything is deployed. Knows no service.

import { envName, readEnv, type EnvSpec } from '../services/host/env.ts';
import { expected } from '../vgg/errors.ts';

/** Values of some variables, as texts: `{ port: '8080' }`. */
export type Settings<Spec extends EnvSpec> = Partial<Record<keyof Spec & string, string>>;

/**
 * The environment of a service's task.
 *
 * @throws VggError INVALID_ARGUMENT for a variable that the service has not, or a value that it would refuse
 */
export function environmentOf<Spec extends EnvSpec>(
  service: string,
  spec: Spec,
  settings: Settings<Spec>,
): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(settings)) {
    // An empty value counts as not set: it would be a setting that does nothing.
    if (value === undefined || value === '') throw expected('a value', value, `${service}.${name}`);
    environment[envName(service, spec, name)] = value;
  }
  // What only the deployment will know, such as the name of a bucket, is checked with a name in its place.
  const known = Object.entries(environment).map(([name, value]) => [name, value.replace(UNRESOLVED, 'name')]);
  readEnv(Object.fromEntries(known) as Record<string, string>, service, spec);
  return environment;
}

// How the CDK writes what it does not know yet.
const UNRESOLVED = /\$\{Token\[[^\]]*\]\}/g;

/** A duration as the services read them. */
export function seconds(amount: number): string {
  return `${String(amount)}s`;
}
