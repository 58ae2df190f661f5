// Which other sites' pages may ask (CORS, the Fetch Standard, 3.2). Knows headers; no route.

import cors from '@fastify/cors';
import type { FastifyInstance } from 'fastify';

const ANY = '*';
// Browsers keep what a preflight said for no longer than two hours.
const PREFLIGHT_S = 7200;
const SHOWN = [
  'X-Request-Id',
  'Server-Timing',
  'Retry-After',
  'ETag',
  'Cache-Status',
  'RateLimit',
  'RateLimit-Policy',
];

/** Lets pages of these origins ask; `*`: of all, but then without cookies and the like. None: of none. */
export async function allowOrigins(app: FastifyInstance, origins: readonly string[]): Promise<void> {
  if (origins.length === 0) return;
  const any = origins.includes(ANY);
  await app.register(cors, {
    origin: any ? ANY : [...origins],
    credentials: !any,
    methods: ['GET', 'HEAD', 'POST'],
    allowedHeaders: [
      'Authorization',
      'X-API-Key',
      'Content-Type',
      'Cache-Control',
      'If-None-Match',
      'X-Request-Id',
    ],
    exposedHeaders: SHOWN,
    maxAge: PREFLIGHT_S,
    // A plain OPTIONS is not a preflight: it asks for Allow.
    strictPreflight: false,
  });
}
