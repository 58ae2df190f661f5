// The web page's files as the build leaves them: index.html, and assets whose names change with their content.
// Knows headers; not what is in them.

import files from '@fastify/static';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { formOf } from './negotiation.ts';
import { operations } from './schemas/operations.ts';

const FOLDER = join(import.meta.dirname, 'page');

/** What the page may load: its own files, and photos that the browser itself holds. */
export const CONTENT_SECURITY_POLICY = {
  useDefaults: false,
  directives: {
    'default-src': ["'none'"],
    'script-src': ["'self'"],
    'style-src': ["'self'"],
    'img-src': ["'self'", 'blob:', 'data:'],
    'media-src': ["'self'", 'blob:'],
    'font-src': ["'self'"],
    'connect-src': ["'self'"],
    'worker-src': ["'self'", 'blob:'],
    'manifest-src': ["'self'"],
    'base-uri': ["'none'"],
    'form-action': ["'self'"],
    'frame-ancestors': ["'none'"],
  },
};

/** Of what a browser can do, the page asks for the camera. */
export const PERMISSIONS_POLICY = 'camera=(self), microphone=(), geolocation=(), payment=(), usb=()';

/** Serves `/assets/…`, and `/` to browsers; whoever asks for no HTML gets `help`. */
export async function servePage(app: FastifyInstance, help: string): Promise<void> {
  const built = existsSync(join(FOLDER, 'index.html'));
  // Without a wildcard: whatever is not there has no route.
  if (built) await app.register(files, { root: FOLDER, wildcard: false, serve: false });
  if (built && existsSync(join(FOLDER, 'assets'))) {
    await app.register(files, {
      ...{ root: join(FOLDER, 'assets'), prefix: '/assets/', wildcard: false, decorateReply: false },
      cacheControl: false,
      setHeaders: (response) => {
        response.setHeader('cache-control', 'public, max-age=31536000, immutable');
      },
    });
  }
  app.get('/', { schema: operations.help, config: { gives: FORMS } }, (request, reply) =>
    built && formOf(request, FORMS) === HTML ? page(reply) : reply.type(`${TEXT}; charset=utf-8`).send(help),
  );
}

const TEXT = 'text/plain';
const HTML = 'text/html';
// Whoever takes both alike is no browser.
const FORMS = [TEXT, HTML] as const;

function page(reply: FastifyReply): FastifyReply {
  return reply
    .header('cache-control', 'no-cache')
    .header('vary', 'Accept')
    .sendFile('index.html', { cacheControl: false });
}
