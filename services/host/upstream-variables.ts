// The variables of a service that calls others: whom it trusts, and what it shows them.

import type { EnvValues } from './env.ts';
import { duration, path, text } from './variables.ts';

/** Where another service is. */
export function addressVariable(service: string, address: string) {
  return text({
    description: `Where ${service} is: HOST:PORT, several between commas, or dns:///NAME:PORT.`,
    default: address,
    expects: 'HOST:PORT',
  });
}

/** How the services that are called are reached. */
export const upstreamVariables = {
  upstreamSilence: duration({
    description:
      'Time without a sign of life after which a service that has a call is taken for lost, and the call is tried elsewhere; longer than the largest message takes.',
    default: 10_000,
    min: 100,
    max: 3_600_000,
  }),
  upstreamCa: path({
    description: 'Authorities that sign the certificates of the services that are called, PEM; turns TLS on.',
    default: undefined,
  }),
  upstreamCert: path({ description: 'Certificate to show them (mutual TLS), PEM.', default: undefined }),
  upstreamKey: path({ description: 'Private key of that certificate, PEM.', default: undefined }),
};

/** The client's TLS options of a config; none without an authority. */
export function upstreamTls({
  upstreamCa,
  upstreamCert,
  upstreamKey,
}: Pick<EnvValues<typeof upstreamVariables>, 'upstreamCa' | 'upstreamCert' | 'upstreamKey'>) {
  return upstreamCa === undefined ? undefined : { ca: upstreamCa, cert: upstreamCert, key: upstreamKey };
}
