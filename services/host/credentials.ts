// TLS of a server, from files. Plain text where no certificate is given.

import { readFileSync } from 'node:fs';
import { ServerCredentials } from '@grpc/grpc-js';
import { VggError } from '../../vgg/errors.ts';

/** Paths of PEM files. */
export interface TlsFiles {
  readonly tlsCert?: string | undefined;
  readonly tlsKey?: string | undefined;
  /** With it, a client must show a certificate that one of these authorities signed. */
  readonly tlsClientCa?: string | undefined;
}

/**
 * What a server shows and asks of its clients.
 *
 * @throws VggError INVALID_ARGUMENT where only one half is given or a file cannot be read
 */
export function serverCredentials({ tlsCert, tlsKey, tlsClientCa }: TlsFiles): ServerCredentials {
  if (tlsCert === undefined && tlsKey === undefined) {
    if (tlsClientCa === undefined) return ServerCredentials.createInsecure();
    throw new VggError('INVALID_ARGUMENT', 'Expected tlsCert and tlsKey beside tlsClientCa');
  }
  if (tlsCert === undefined || tlsKey === undefined) {
    throw new VggError('INVALID_ARGUMENT', 'Expected both tlsCert and tlsKey, or neither');
  }
  const pair = { cert_chain: read(tlsCert, 'tlsCert'), private_key: read(tlsKey, 'tlsKey') };
  const ca = tlsClientCa === undefined ? null : read(tlsClientCa, 'tlsClientCa');
  try {
    return ServerCredentials.createSsl(ca, [pair], ca !== null);
  } catch (cause) {
    throw new VggError('INVALID_ARGUMENT', `Expected a certificate and its key in ${tlsCert} and ${tlsKey}`, {
      cause,
    });
  }
}

function read(file: string, field: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new VggError('INVALID_ARGUMENT', `Expected a readable file but received ${file} (${field})`, {
      cause,
    });
  }
}
