// What a client of TLS trusts and shows: read from PEM files, and tried together before anything is sent. Knows
// options; not who is asked.

import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { VggError, expected } from '../../vgg/errors.ts';

/** TLS of a client; contents of PEM files. */
export interface ClientTls {
  /** Authorities that are trusted; without them those of Node.js. */
  ca?: Buffer;
  /** This side's certificate chain, for mutual TLS; with its key. */
  cert?: Buffer;
  key?: Buffer;
  /** Name that the server's certificate must have, where it is not that of the address. */
  serverName?: string;
}

/** Paths of PEM files, and a name. */
export interface TlsFiles {
  ca?: string;
  cert?: string;
  key?: string;
  serverName?: string;
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * Reads the files; undefined where none and no name is given.
 *
 * @throws VggError INVALID_ARGUMENT naming the option whose file cannot be read or used
 */
export async function readTls({ ca, cert, key, serverName }: TlsFiles): Promise<ClientTls | undefined> {
  if ([ca, cert, key, serverName].every((each) => each === undefined)) return undefined;
  if ((cert === undefined) !== (key === undefined)) {
    const [given, other] = cert === undefined ? ['--key', '--cert'] : ['--cert', '--key'];
    throw expected('both --cert and --key, or neither', `${given} alone`, other);
  }
  const tls: ClientTls = {
    ...(ca !== undefined && { ca: await certificates(ca, '--ca') }),
    ...(cert !== undefined && { cert: await certificates(cert, '--cert') }),
    ...(key !== undefined && { key: await readable(key, '--key') }),
    ...(serverName !== undefined && { serverName }),
  };
  try {
    createSecureContext({ cert: tls.cert, key: tls.key });
  } catch (cause) {
    throw new VggError(
      'INVALID_ARGUMENT',
      `Expected the private key of ${String(cert)} in PEM but received ${String(key)} (--key)`,
      { cause },
    );
  }
  return tls;
}

/** The same as options of tls.connect. */
export function connectOptions({ ca, cert, key, serverName }: ClientTls) {
  return {
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
    ...(serverName !== undefined && { servername: serverName }),
  };
}

// Node.js takes any file for authorities, and then trusts none.
async function certificates(file: string, option: string): Promise<Buffer> {
  const bytes = await readable(file, option);
  const all = bytes.toString('latin1').match(CERTIFICATE) ?? [];
  if (all.length === 0 || !all.every(isCertificate)) throw expected('certificates in PEM', file, option);
  return bytes;
}

function isCertificate(pem: string): boolean {
  try {
    new X509Certificate(pem);
    return true;
  } catch {
    return false;
  }
}

async function readable(file: string, option: string): Promise<Buffer> {
  return await readFile(file).catch((cause: unknown) => {
    throw new VggError('INVALID_ARGUMENT', `Expected a readable file but received ${file} (${option})`, {
      cause,
    });
  });
}
