// What is probed: an address, and how it is spoken to. Knows the variables of services by their configs; asks nothing.

import { readFileSync } from 'node:fs';
import { VggError, expected } from '../../vgg/errors.ts';

/** Services that can be probed by their own variables. */
export const OWN = ['gateway', 'preprocess', 'aggregator', 'inference'] as const;
type OwnName = (typeof OWN)[number];

/** TLS of a probe; PEM. */
export interface ProbeTls {
  ca?: Buffer;
  cert?: Buffer;
  key?: Buffer;
  /** Name that the certificate must have, where it is not that of the address. */
  serverName?: string;
  /**
   * Whose certificate it is does not matter: the server is this machine's own, whose name is in no certificate, and
   * it is told nothing.
   */
  own?: boolean;
}

/** One question to one server. */
export interface ProbeTarget {
  kind: 'grpc' | 'http';
  /** `HOST:PORT` or `unix:/path` of gRPC; a URL of HTTP. */
  address: string;
  /** Plain text without. */
  tls?: ProbeTls;
}

/** Paths of PEM files. */
export interface TlsFlags {
  ca?: string;
  cert?: string;
  key?: string;
  serverName?: string;
}

/**
 * What a word of the command line means.
 *
 * @param live whether answering at all is enough
 * @throws VggError INVALID_ARGUMENT for what is no target, a file that cannot be read, a wrong variable
 */
export async function targetOf(
  text: string,
  flags: TlsFlags,
  live: boolean,
  env: NodeJS.ProcessEnv,
): Promise<ProbeTarget> {
  const own = OWN.find((name) => name === text);
  const target = own ? await ownTarget(own, live, env) : namedTarget(text);
  const given = tlsOf(flags);
  if (Object.keys(given).length === 0) return target;
  if (!target.tls) throw expected('a target with TLS beside its options', text, 'target');
  return { ...target, tls: { ...target.tls, ...given } };
}

function namedTarget(text: string): ProbeTarget {
  const [, scheme, address = ''] = /^(grpcs?|https?):\/\/(.+)$/.exec(text) ?? [];
  if (scheme?.startsWith('http') === true && URL.canParse(text)) {
    return { kind: 'http', address: text, ...(scheme === 'https' && { tls: {} }) };
  }
  if (scheme?.startsWith('grpc') === true && /^([^\s/]+:\d+|unix:.+)$/.test(address)) {
    return { kind: 'grpc', address, ...(scheme === 'grpcs' && { tls: {} }) };
  }
  throw expected(`${OWN.join(', ')}, grpc(s)://HOST:PORT or http(s)://HOST:PORT/path`, text, 'target');
}

async function ownTarget(name: OwnName, live: boolean, env: NodeJS.ProcessEnv): Promise<ProbeTarget> {
  if (name === 'gateway') {
    const { readConfig } = await import('../../services/gateway/config.ts');
    const config = readConfig(env);
    const path = live ? '/healthz' : '/readyz';
    const tls = config.tlsCert === undefined ? undefined : { own: true };
    const scheme = tls ? 'https' : 'http';
    return { kind: 'http', address: `${scheme}://${local(config, name)}${path}`, ...(tls && { tls }) };
  }
  const { readConfig } =
    name === 'inference'
      ? await import('../../services/inference/config.ts')
      : name === 'preprocess'
        ? await import('../../services/preprocess/config.ts')
        : await import('../../services/aggregator/config.ts');
  const config = readConfig(env);
  const target = { kind: 'grpc', address: local(config, name) } as const;
  if (config.tlsCert === undefined) return target;
  // Where clients must show a certificate, the service's own is the one at hand.
  const shown = config.tlsClientCa === undefined ? {} : { cert: config.tlsCert, key: config.tlsKey ?? '' };
  return { ...target, tls: { own: true, ...tlsOf(shown) } };
}

// Where a server that listens at an address can be reached from the same machine.
function local({ host, port }: { host: string; port: number }, name: OwnName): string {
  if (host.startsWith('unix:')) return host;
  if (port === 0) throw expected('a port that is known before', port, `VGG_${name.toUpperCase()}_PORT`);
  const reached = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `${reached.includes(':') && !reached.startsWith('[') ? `[${reached}]` : reached}:${String(port)}`;
}

function tlsOf({ ca, cert, key, serverName }: TlsFlags): ProbeTls {
  if ((cert === undefined) !== (key === undefined)) {
    throw new VggError('INVALID_ARGUMENT', 'Expected both --cert and --key, or neither');
  }
  return {
    ...(ca !== undefined && { ca: read(ca, '--ca') }),
    ...(cert !== undefined && { cert: read(cert, '--cert') }),
    ...(key !== undefined && { key: read(key, '--key') }),
    ...(serverName !== undefined && { serverName }),
  };
}

function read(file: string, option: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new VggError('INVALID_ARGUMENT', `Expected a readable file but received ${file} (${option})`, {
      cause,
    });
  }
}
