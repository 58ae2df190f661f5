// The variables of a service that calls others: whom it trusts, and what it shows them.

import type { EnvValues } from './env.ts';
import { path, text } from './variables.ts';

/** Where another service is. */
export function addressVariable(service: string, address: string) {
  return text({
    description: `Where ${service} is: HOST:PORT, several between commas, or dns:///NAME:PORT.`,
    default: address,
    expects: 'HOST:PORT',
  });
}

/** TLS towards the services that are called. */
export const upstreamTlsVariables = {
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
}: EnvValues<typeof upstreamTlsVariables>) {
  return upstreamCa === undefined ? undefined : { ca: upstreamCa, cert: upstreamCert, key: upstreamKey };
}
