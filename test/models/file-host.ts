// A host of files that misbehaves on command, and a clock that the test moves.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../../models/download/clock.ts';

/** How the host answers one request. */
export type Reply = (request: IncomingMessage, response: ServerResponse) => void;

/** A real HTTP server on this machine. Must be closed. */
export class FileHost {
  /** Every request that came. */
  readonly asked: { method: string; path: string; headers: IncomingMessage['headers'] }[] = [];
  readonly #server: Server;
  #replies: Reply[] = [];

  private constructor() {
    this.#server = createServer((request, response) => {
      this.asked.push({ method: request.method ?? '', path: request.url ?? '', headers: request.headers });
      const reply = this.#replies.length > 1 ? this.#replies.shift() : this.#replies[0];
      reply?.(request, response);
    });
  }

  static async start(...replies: Reply[]): Promise<FileHost> {
    const host = new FileHost();
    host.#replies = replies;
    await new Promise<void>((resolve) => host.#server.listen(0, '127.0.0.1', resolve));
    return host;
  }

  /** Address of a file. */
  url(path = '/weights.pth'): URL {
    return new URL(path, `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}`);
  }

  /** The next requests are answered so; the last answer is for all that follow. */
  answers(...replies: Reply[]): void {
    this.#replies = replies;
  }

  /** Cuts every connection. */
  cut(): void {
    this.#server.closeAllConnections();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** The file, or the part that Range and If-Range ask for; with `upTo`, the body stops before that byte and hangs. */
export function file(
  bytes: Uint8Array,
  facts: { etag?: string; modified?: string; upTo?: number } = {},
): Reply {
  const { etag, modified, upTo = bytes.length } = facts;
  return (request, response) => {
    if (etag !== undefined) response.setHeader('etag', etag);
    if (modified !== undefined) response.setHeader('last-modified', modified);
    const fresh = [undefined, etag, modified].includes(request.headers['if-range'] as string | undefined);
    const from = fresh ? Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0) : 0;
    if (from >= bytes.length) {
      response.writeHead(416, { 'content-range': `bytes */${String(bytes.length)}` }).end();
      return;
    }
    response.writeHead(from > 0 ? 206 : 200, {
      'content-length': bytes.length - from,
      ...(from > 0 && {
        'content-range': `bytes ${String(from)}-${String(bytes.length - 1)}/${String(bytes.length)}`,
      }),
    });
    if (request.method === 'HEAD') response.end();
    else if (upTo === bytes.length) response.end(bytes.subarray(from));
    else response.write(bytes.subarray(from, upTo));
  };
}

/** A bare answer. */
export function status(code: number, headers: Record<string, string> = {}, body = ''): Reply {
  return (_, response) => {
    response.writeHead(code, headers).end(body);
  };
}

/** What a stall is told apart from a wait by. */
export const STALL_MS = 12_345;

/** Waits are over at once, and noted; a stall happens when the test says so. */
export class TestClock implements Clock {
  /** Milliseconds of each wait. */
  readonly waits: number[] = [];
  #inVain = false;
  #pending: (() => void) | undefined;

  now(): number {
    return Date.parse('2026-01-01T00:00:00Z');
  }

  /** The wait for a byte, or the next one, is in vain. */
  stall(): void {
    if (this.#pending) this.#pending();
    else this.#inVain = true;
  }

  after(ms: number, then: () => void): () => void {
    if (ms === STALL_MS && !this.#inVain) {
      this.#pending = then;
      return () => {
        if (this.#pending === then) this.#pending = undefined;
      };
    }
    if (ms === STALL_MS) this.#inVain = false;
    else this.waits.push(ms);
    const soon = setImmediate(then);
    return () => {
      clearImmediate(soon);
    };
  }
}
