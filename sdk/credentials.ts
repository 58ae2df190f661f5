// TLS of a client, from PEM: who is trusted, and what this side shows.

import { readFileSync } from 'node:fs';
import { credentials, type ChannelCredentials } from '@grpc/grpc-js';
import { VggError } from '../vgg/errors.ts';

/** TLS of a client. Each is a path of a PEM file, or its content. */
export interface TlsOptions {
  /** Authorities that are trusted. Default: those of Node.js. */
  ca?: string | URL | Uint8Array | undefined;
  /** This side's certificate chain, for mutual TLS. */
  cert?: string | URL | Uint8Array | undefined;
  /** Its private key. */
  key?: string | URL | Uint8Array | undefined;
  /** Name that the server's certificate must have, where it is not that of the address. */
  serverName?: string | undefined;
}

/**
 * What a client shows and asks of its servers; plain text without TLS options.
 *
 * @throws VggError INVALID_ARGUMENT where only one of cert and key is given or a file cannot be read
 */
export function channelCredentials(tls: TlsOptions | boolean | undefined): ChannelCredentials {
  if (tls === undefined || tls === false) return credentials.createInsecure();
  const { ca, cert, key } = tls === true ? ({} as TlsOptions) : tls;
  if ((cert === undefined) !== (key === undefined)) {
    throw new VggError('INVALID_ARGUMENT', 'Expected both tls.cert and tls.key, or neither');
  }
  return credentials.createSsl(pem(ca, 'tls.ca'), pem(key, 'tls.key'), pem(cert, 'tls.cert'));
}

function pem(source: string | URL | Uint8Array | undefined, field: string): Buffer | null {
  if (source === undefined) return null;
  if (source instanceof Uint8Array) return Buffer.from(source);
  try {
    return readFileSync(source);
  } catch (cause) {
    const message = `Expected a readable file but received ${String(source)} (${field})`;
    throw new VggError('INVALID_ARGUMENT', message, { cause, fields: [{ field, message }] });
  }
}
