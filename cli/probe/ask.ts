// Asks a server whether it serves: gRPC's health protocol, or an HTTP status. Knows the two protocols and nothing of
// services. The health messages are two fields, so they are written here rather than loaded from their .proto, which
// would take longer than all the rest.

import { Client, Metadata, credentials, type ServiceError } from '@grpc/grpc-js';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { ProbeTarget, ProbeTls } from './target.ts';

/** What a server says: whether it serves, in its words; or why it says nothing. */
export type Verdict =
  { answered: true; serving: boolean; words: string } | { answered: false; words: string };

const CHECK = '/grpc.health.v1.Health/Check';
const STATUSES = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];

/**
 * Asks once.
 *
 * @param service of gRPC's health protocol; empty: the whole server
 */
export function ask(target: ProbeTarget, service: string, timeoutMs: number): Promise<Verdict> {
  return target.kind === 'grpc' ? askGrpc(target, service, timeoutMs) : askHttp(target, timeoutMs);
}

function askGrpc({ address, tls }: ProbeTarget, service: string, timeoutMs: number): Promise<Verdict> {
  const client = new Client(address, credentialsOf(tls), {
    'grpc.enable_channelz': 0,
    ...(tls?.serverName !== undefined && {
      'grpc.ssl_target_name_override': tls.serverName,
      'grpc.default_authority': tls.serverName,
    }),
  });
  return new Promise((resolve) => {
    const done = (error: ServiceError | null, status?: number) => {
      client.close();
      if (error) resolve({ answered: false, words: error.details || error.message });
      else {
        const words = STATUSES[status ?? 0] ?? String(status);
        resolve({ answered: true, serving: words === 'SERVING', words });
      }
    };
    const deadline = Date.now() + timeoutMs;
    client.makeUnaryRequest(CHECK, encode, decode, service, new Metadata(), { deadline }, done);
  });
}

function credentialsOf(tls: ProbeTls | undefined) {
  if (!tls) return credentials.createInsecure();
  const { ca = null, cert = null, key = null, own = false } = tls;
  return credentials.createSsl(ca, key, cert, own && !ca ? { rejectUnauthorized: false } : {});
}

// Field 1, text, shorter than 128 bytes.
function encode(service: string): Buffer {
  const text = Buffer.from(service);
  return text.length === 0 ? text : Buffer.concat([Buffer.from([0x0a, text.length]), text]);
}

// Field 1, a number below 128; nothing is 0.
function decode(message: Buffer): number {
  return message[0] === 0x08 ? (message[1] ?? 0) : 0;
}

function askHttp({ address, tls }: ProbeTarget, timeoutMs: number): Promise<Verdict> {
  const { ca, cert, key, serverName, own = false } = tls ?? {};
  const request = tls ? requestHttps : requestHttp;
  const signal = AbortSignal.timeout(timeoutMs);
  return new Promise((resolve) => {
    const options = {
      ...{ ca, cert, key, signal, agent: false, rejectUnauthorized: !own || ca !== undefined },
      ...(serverName !== undefined && { servername: serverName }),
    };
    request(address, options, (response) => {
      response.resume();
      const status = response.statusCode ?? 0;
      resolve({ answered: true, serving: status >= 200 && status < 300, words: `status ${String(status)}` });
    })
      .on('error', (error) => {
        const words = signal.aborted ? `no answer in ${String(timeoutMs)} ms` : error.message;
        resolve({ answered: false, words });
      })
      .end();
  });
}
