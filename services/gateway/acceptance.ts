// Whether a client takes what a route gives (RFC 9110, Section 12.5.1). Knows the header Accept; no route.

import type { FastifyRequest } from 'fastify';
import { expected, type VggError } from '../../vgg/errors.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Media types that the route gives; without them Accept is not looked at. */
    gives?: readonly string[];
  }
}

interface Range {
  type: string;
  subtype: string;
  quality: number;
}

/** Why no answer of the route would be taken, with what there is; undefined: one would be. */
export function unacceptable({ headers, routeOptions }: FastifyRequest): VggError | undefined {
  const { accept } = headers;
  const { gives } = routeOptions.config;
  if (accept === undefined || accept.trim() === '' || gives === undefined) return undefined;
  const ranges = accept.split(',').flatMap(rangeOf);
  // What cannot be read excludes nothing.
  if (ranges.length === 0 || gives.some((media) => quality(media, ranges) > 0)) return undefined;
  return expected(`Accept to take ${gives.join(' or ')}`, accept, 'Accept');
}

// The most specific range decides.
function quality(media: string, ranges: readonly Range[]): number {
  const [type, subtype] = media.split('/');
  const exact = ranges.find((range) => range.type === type && range.subtype === subtype);
  const kind = ranges.find((range) => range.type === type && range.subtype === '*');
  const any = ranges.find((range) => range.type === '*' && range.subtype === '*');
  return (exact ?? kind ?? any)?.quality ?? 0;
}

function rangeOf(text: string): Range[] {
  const [media = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const [, type, subtype] = /^([^/\s]+)\/([^/\s]+)$/.exec(media) ?? [];
  if (type === undefined || subtype === undefined) return [];
  const [, q] =
    parameters.map((part) => /^q\s*=\s*([\d.]+)$/.exec(part)).find((found) => found !== null) ?? [];
  const value = q === undefined ? 1 : Number(q);
  return [{ type, subtype, quality: Number.isNaN(value) ? 1 : value }];
}
