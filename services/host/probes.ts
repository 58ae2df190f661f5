// The small HTTP server beside a gRPC server: /metrics for Prometheus, /healthz and /readyz for
// whatever restarts and routes. Knows neither calls nor services.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';

/** What the probes report. */
export interface ProbeSource {
  readonly registry: Registry;
  /** Asked at each /readyz. */
  ready(): Promise<boolean>;
}

/** A running probe server. */
export interface Probes {
  /** Host and port. */
  readonly address: string;
  readonly port: number;
  close(): Promise<void>;
}

/** Serves the probes. */
export async function serveProbes(host: string, port: number, source: ProbeSource): Promise<Probes> {
  const server = createServer((request, response) => {
    answer(request, response, source).catch(() => {
      if (!response.headersSent) response.writeHead(500);
      response.end();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  // A scraper that keeps its connection must not keep the process.
  server.unref();
  const { address, port: bound, family } = server.address() as AddressInfo;
  return {
    address: `${family === 'IPv6' ? `[${address}]` : address}:${String(bound)}`,
    port: bound,
    async close() {
      const closed = new Promise<void>((resolve) =>
        server.close(() => {
          resolve();
        }),
      );
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  source: ProbeSource,
): Promise<void> {
  const say = (code: number, body: string, type = 'text/plain; charset=utf-8') => {
    response.writeHead(code, { 'content-type': type, 'cache-control': 'no-store' });
    response.end(request.method === 'HEAD' ? undefined : body);
  };
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    say(405, 'Expected GET or HEAD\n');
    return;
  }
  switch ((request.url ?? '').split('?')[0] ?? '') {
    case '/metrics':
      say(200, await source.registry.metrics(), source.registry.contentType);
      return;
    case '/healthz':
      say(200, 'alive\n');
      return;
    case '/readyz': {
      const isReady = await source.ready();
      say(isReady ? 200 : 503, isReady ? 'ready\n' : 'not ready\n');
      return;
    }
    default:
      say(404, 'Expected /metrics, /healthz or /readyz\n');
  }
}
