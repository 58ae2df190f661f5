// Whether a client takes what a route gives (RFC 9110, Section 12.5.1). Knows the header Accept; no route.

import type { FastifyRequest } from 'fastify';
import { expected, type VggError } from '../../vgg/errors.ts';
import { formOf } from './negotiation.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Media types that the route gives; without them Accept is not looked at. */
    gives?: readonly string[];
  }
}

/** Why no answer of the route would be taken, with what there is; undefined: one would be. */
export function unacceptable(request: FastifyRequest): VggError | undefined {
  const { accept } = request.headers;
  const { gives } = request.routeOptions.config;
  if (accept === undefined || accept.trim() === '' || gives === undefined) return undefined;
  if (formOf(request, gives) !== undefined) return undefined;
  return expected(`Accept to take ${gives.join(' or ')}`, accept, 'Accept');
}
