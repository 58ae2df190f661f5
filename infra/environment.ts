// Variables of a task: what is set for a service is written by the name that the service itself has for it, and read
// back by the service's own reader before anything is deployed. Knows no service.

import { envName, readEnv, type EnvSpec, type EnvValues } from '../services/host/env.ts';
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
  readEnv(environment, service, spec);
  return environment;
}

/** What a service makes of its environment, with its defaults where that is silent. */
export function valuesOf<Spec extends EnvSpec>(
  service: string,
  spec: Spec,
  environment: Record<string, string>,
): EnvValues<Spec> {
  return readEnv(environment, service, spec);
}

/** A duration as the services read them. */
export function seconds(amount: number): string {
  return `${String(amount)}s`;
}
