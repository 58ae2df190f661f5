// `vgg probe` as a process, against services on sockets: plain, behind TLS, behind mutual TLS, and where nobody is.

import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packageRoot } from '../../proto/package-root.ts';
import { gatewayVariables } from '../../services/gateway/config.ts';
import { startGateway, type RunningGateway } from '../../services/gateway/main.ts';
import { startServer, type RunningServer } from '../../services/host/serve.ts';

const folder = mkdtempSync(join(tmpdir(), 'vgg-probe-'));
const file = (name: string) => join(folder, name);
const made = makeCertificates();

let ready = true;
let plain: RunningServer;
let gateway: RunningGateway;

beforeAll(async () => {
  plain = await startServer({
    ...{ name: 'preprocess', services: [], ready: () => ready },
    config: { logLevel: 'silent', metricsPort: 0 },
  });
  const defaults = Object.fromEntries(
    Object.entries(gatewayVariables).map(([name, variable]) => [name, variable.default]),
  ) as Parameters<typeof startGateway>[0];
  // Behind it is nobody: it is alive and not ready.
  const nowhere = { aggregator: '127.0.0.1:1', inference: '127.0.0.1:1' };
  gateway = await startGateway({ ...defaults, ...nowhere, port: 0, logLevel: 'silent' });
});

afterAll(async () => {
  await plain.close();
  await gateway.close();
  rmSync(folder, { recursive: true });
});

async function probe(args: string[], env: Record<string, string> = {}) {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('VGG_'));
  const command = [join(packageRoot, 'dist/cli/main.js'), 'probe', ...args];
  try {
    const { stdout } = await promisify(execFile)(process.execPath, command, {
      env: { ...Object.fromEntries(inherited), ...env },
    });
    return { status: 0, said: stdout };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { status: code, said: stdout + stderr };
  }
}

describe('a gRPC server', () => {
  test('that serves; that does not; that answers is enough', async () => {
    const target = `grpc://${plain.address}`;
    expect(await probe([target])).toEqual({ status: 0, said: `${plain.address}: SERVING\n` });
    ready = false;
    await plain.checkReady();
    try {
      expect(await probe([target])).toEqual({ status: 1, said: `${plain.address}: NOT_SERVING\n` });
      expect(await probe([target, '--live'])).toMatchObject({ status: 0 });
      expect(await probe([`http://${plain.metricsAddress ?? ''}/readyz`])).toMatchObject({ status: 1 });
      expect(await probe([`http://${plain.metricsAddress ?? ''}/healthz`])).toMatchObject({ status: 0 });
    } finally {
      ready = true;
      await plain.checkReady();
    }
  });

  test('a service of it that is unknown', async () => {
    const { status, said } = await probe([`grpc://${plain.address}`, '--health-service', 'vgg.v1.Other']);
    expect(status).toBe(3);
    expect(said).toContain('cannot be asked');
  });

  test('this machine’s own is found by its variables', async () => {
    const env = { VGG_PREPROCESS_PORT: String(plain.port), VGG_PREPROCESS_HOST: '0.0.0.0' };
    expect(await probe(['preprocess'], env)).toMatchObject({ status: 0 });
    expect(await probe(['preprocess'], { ...env, VGG_PREPROCESS_PROT: '1' })).toEqual({
      status: 4,
      said: 'Unknown variable VGG_PREPROCESS_PROT; did you mean VGG_PREPROCESS_PORT?\n',
    });
  });
});

test('the gateway: alive, and not ready while nobody is behind it', async () => {
  const env = { VGG_GATEWAY_PORT: new URL(gateway.url).port };
  expect(await probe(['gateway', '--live'], env)).toMatchObject({ status: 0 });
  expect(await probe(['gateway'], env)).toMatchObject({
    status: 1,
    said: `${gateway.url}/readyz: status 503\n`,
  });
});

test.each([['grpc://127.0.0.1:1'], ['http://127.0.0.1:1/readyz'], ['inference']])(
  'nobody at %s',
  async (target) => {
    const { status, said } = await probe([target], { VGG_INFERENCE_PORT: '1' });
    expect(status).toBe(3);
    expect(said).toMatch(/cannot be asked: .*ECONNREFUSED/);
  },
);

test.each([
  [[], "missing required argument 'target'"],
  [['nonsense'], 'Expected gateway, preprocess, aggregator, inference, grpc(s)://HOST:PORT'],
  [['grpc://host'], 'Expected gateway'],
  [['inference', '--timeout', 'soon'], 'Expected a time from 1ms to 60s but received soon (--timeout)'],
  [['grpcs://h:1', '--ca', '/nowhere'], 'Expected a readable file but received /nowhere (--ca)'],
  [['grpcs://h:1', '--cert', '/nowhere'], 'Expected both --cert and --key'],
  [['grpc://h:1', '--server-name', 'h'], 'Expected a target with TLS beside its options'],
  [['inference', '--what'], "unknown option '--what'"],
])('%j is wrong: status 4', async (args, message) => {
  expect(await probe(args)).toMatchObject({ status: 4, said: expect.stringContaining(message) as string });
});

describe.skipIf(!made)('TLS', () => {
  const tls = { tlsCert: file('server.pem'), tlsKey: file('server.key') };

  async function withServer(config: object, work: (server: RunningServer) => Promise<void>): Promise<void> {
    const server = await startServer({
      ...{ name: 'inference', services: [] },
      config: { logLevel: 'silent', ...tls, ...config },
    });
    try {
      await work(server);
    } finally {
      await server.close();
    }
  }

  test('a server whose authority is told; one that is not trusted; another name', async () => {
    await withServer({}, async ({ address, port }) => {
      const ca = ['--ca', file('ca.pem')];
      expect(await probe([`grpcs://localhost:${String(port)}`, ...ca])).toMatchObject({ status: 0 });
      expect(await probe([`grpcs://localhost:${String(port)}`])).toMatchObject({ status: 3 });
      expect(await probe([`grpcs://${address}`, ...ca])).toMatchObject({ status: 3 });
      expect(await probe([`grpcs://${address}`, ...ca, '--server-name', 'localhost'])).toMatchObject({
        status: 0,
      });
    });
  });

  test('this machine’s own, also where clients must show a certificate', async () => {
    for (const config of [{}, { tlsClientCa: file('ca.pem') }]) {
      await withServer(config, async ({ port }) => {
        const env = {
          ...{ VGG_INFERENCE_PORT: String(port), VGG_TLS_CERT: tls.tlsCert, VGG_TLS_KEY: tls.tlsKey },
          ...('tlsClientCa' in config && { VGG_TLS_CLIENT_CA: file('ca.pem') }),
        };
        expect(await probe(['inference'], env)).toMatchObject({ status: 0 });
      });
    }
  });

  test('a client that shows no certificate where it must', async () => {
    await withServer({ tlsClientCa: file('ca.pem') }, async ({ port }) => {
      const target = [`grpcs://localhost:${String(port)}`, '--ca', file('ca.pem')];
      expect(await probe(target)).toMatchObject({ status: 3 });
      const shown = ['--cert', tls.tlsCert, '--key', tls.tlsKey];
      expect(await probe([...target, ...shown])).toMatchObject({ status: 0 });
    });
  });
});

// An authority and a certificate for localhost. False, and said, where there is no openssl.
function makeCertificates(): boolean {
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'ignore' });
  try {
    openssl(
      ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=authority'],
      ...['-keyout', file('ca.key'), '-out', file('ca.pem')],
    );
    openssl(
      ...['req', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=server'],
      ...['-keyout', file('server.key'), '-out', file('server.csr')],
    );
    writeFileSync(file('names'), 'subjectAltName=DNS:localhost');
    openssl(
      ...['x509', '-req', '-in', file('server.csr'), '-CA', file('ca.pem'), '-CAkey', file('ca.key')],
      ...['-CAcreateserial', '-days', '2', '-extfile', file('names'), '-out', file('server.pem')],
    );
    return true;
  } catch (error) {
    process.stderr.write(`TLS of the probe is not tested, openssl made no certificates: ${String(error)}\n`);
    return false;
  }
}
