// A server before the emulator of S3, over HTTP as everything here: passes calls on, remembers how each ended, and does
// to some what networks and busy services do. Knows HTTP; nothing of jobs.

import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A call that has come. */
export interface Call {
  method: string;
  /** Bucket, key and query, not decoded. */
  path: string;
  headers: IncomingMessage['headers'];
  body: Buffer;
}

/**
 * What is done to a call instead of passing it on and back: an answer of ours; nothing at all, ever; the answer lost
 * after the emulator has done what it was told; the answer broken off, or held up for ever, in the middle of its body.
 */
export type Trouble =
  { status: number; code: string } | 'silence' | 'answer lost' | 'body broken off' | 'body held up';

/** A running front. */
export interface Front {
  endpoint: string;
  port: number;
  /** Where calls are passed on to; nowhere at first. */
  to: string;
  /** `PUT /results/job.json 200`, in the order of answers. */
  log: string[];
  /** Asked before a call is passed on, and again (`done`) once the emulator has answered, but nobody has been told. */
  interfere: (call: Call, done: boolean) => Trouble | undefined | Promise<Trouble | undefined>;
  /** Answers some calls itself. */
  answer: ((call: Call) => Promise<{ status: number; body: string } | undefined>) | undefined;
  close(): Promise<void>;
}

/** Starts one. */
export async function startFront(): Promise<Front> {
  const server = createServer((incoming, outgoing) => {
    handle(incoming, outgoing).catch(() => outgoing.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const front: Front = {
    ...{ endpoint: `http://127.0.0.1:${String(port)}`, port, to: '' },
    log: [],
    interfere: () => undefined,
    answer: undefined,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
  // The emulator looks whether an object is there and then writes it; S3 does both in one.
  let writing: Promise<unknown> = Promise.resolve();

  async function handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { method = '', url: path = '', headers } = incoming;
    const call = { method, path, headers, body: await bodyOf(incoming) };
    const own = await front.answer?.(call);
    if (own) {
      outgoing.writeHead(own.status, { 'content-type': 'application/x-amz-json-1.1' }).end(own.body);
      return;
    }
    const pass = () => forward(front.to, call);
    const before = await front.interfere(call, false);
    if (before === 'silence') return;
    if (typeof before === 'object') {
      const text = `<?xml version="1.0"?><Error><Code>${before.code}</Code><Message>by the test</Message></Error>`;
      front.log.push(`${method} ${path} ${String(before.status)}`);
      outgoing.writeHead(before.status, { 'content-type': 'application/xml' }).end(text);
      return;
    }
    const passed = method === 'PUT' ? writing.then(pass) : pass();
    if (method === 'PUT') writing = passed.catch(() => undefined);
    const { status, headers: said, body } = await passed;
    front.log.push(`${method} ${path} ${String(status)}`);
    const trouble = (await front.interfere(call, true)) ?? before;
    if (trouble === 'answer lost') {
      outgoing.destroy();
      return;
    }
    outgoing.writeHead(status, said);
    if (trouble === 'body broken off' || trouble === 'body held up') {
      outgoing.write(body.subarray(0, body.length >> 1), () => {
        if (trouble === 'body broken off') outgoing.destroy();
      });
    } else {
      outgoing.end(body);
    }
  }
  return front;
}

interface Answer {
  status: number;
  headers: IncomingMessage['headers'];
  body: Buffer;
}

function forward(to: string, { method, path, headers, body }: Call): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(`${to}${path}`, {
      method,
      headers: { ...endToEnd(headers), connection: 'close' },
    });
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      bodyOf(response).then((whole) => {
        resolve({ status: response.statusCode ?? 500, headers: endToEnd(response.headers), body: whole });
      }, reject);
    });
    outgoing.end(body);
  });
}

// Without what is between two neighbours only.
function endToEnd(headers: IncomingMessage['headers']): IncomingMessage['headers'] {
  const own = ['connection', 'transfer-encoding', 'keep-alive'];
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !own.includes(name)));
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
