// vgg serve as a process: it answers over HTTP and gRPC, encrypted where it is told so, and ends in good order.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startStack } from '../../cli/stack.ts';
import { packageRoot } from '../../proto/package-root.ts';
import { createClient, type TlsOptions } from '../../sdk/index.ts';
import { Authority, withoutOpenssl } from '../faults/certificates.ts';

const PHOTO = join(packageRoot, 'test/golden/photo.png');
const MODELS = join(packageRoot, 'models');

let served: ChildProcess | undefined;
afterEach(() => {
  served?.kill('SIGKILL');
  served = undefined;
});

/** Starts it; where it says that it listens. */
async function serve(
  env: Record<string, string>,
): Promise<{ http: string; grpc: string; child: ChildProcess }> {
  const args = [join(packageRoot, 'dist/cli/main.js'), 'serve', '--models', MODELS];
  const child = spawn(process.execPath, [...args, '--port', '0', '--grpc-port', '0'], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  served = child;
  let told = '';
  child.stderr.on('data', (chunk: Buffer) => (told += chunk.toString()));
  child.stdout.on('data', (chunk: Buffer) => (told += chunk.toString()));
  for (;;) {
    const [, http] = /^ {2}HTTP +(\S+)/m.exec(told) ?? [];
    const [, grpc] = /^ {2}gRPC +(\S+)/m.exec(told) ?? [];
    if (http !== undefined && grpc !== undefined) return { http, grpc, child };
    const over = await Promise.race([once(child, 'exit'), once(child.stdout, 'data').then(() => undefined)]);
    if (over) throw new Error(`vgg serve does not start:\n${told}`);
  }
}

async function classFrom(aggregator: string, tls?: TlsOptions): Promise<string | undefined> {
  const client = createClient({ aggregator, tls, deadlineMs: 30_000, retry: false });
  try {
    return (await client.classify(PHOTO, { protocol: 'CENTER_CROP' })).predictions[0]?.label;
  } finally {
    client.close();
  }
}

test('answers over HTTP and gRPC, and ends in good order', async () => {
  const { http, grpc, child } = await serve({});
  const body = await readFile(PHOTO);
  const headers = { 'content-type': 'image/png' };
  const response = await fetch(`${http}/v1/classify?protocol=center-crop`, { method: 'POST', headers, body });
  expect(response.status).toBe(200);
  const { predictions } = (await response.json()) as { predictions: { label: string }[] };
  expect(await classFrom(grpc)).toBe(predictions[0]?.label);
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([0, null]);
});

const without = withoutOpenssl();
if (without !== undefined) process.stderr.write(`TLS of vgg serve is not tested: ${without}\n`);

describe.skipIf(without !== undefined)('encrypted', () => {
  let folder: string;
  const of = (name: string) => join(folder, 'authority', name);
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'vgg-serve-'));
    new Authority(join(folder, 'authority'));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true });
  });
  // What its services show, and ask of each other too.
  const mutual = () => ({
    VGG_TLS_CERT: of('aggregator-0.pem'),
    VGG_TLS_KEY: of('aggregator-0.key'),
    VGG_TLS_CLIENT_CA: of('ca.pem'),
    ...Object.fromEntries(
      ['AGGREGATOR', 'GATEWAY'].flatMap((name) => [
        [`VGG_${name}_UPSTREAM_CA`, of('ca.pem')],
        [`VGG_${name}_UPSTREAM_CERT`, of('inference-0.pem')],
        [`VGG_${name}_UPSTREAM_KEY`, of('inference-0.key')],
      ]),
    ),
  });

  test('with certificates on both sides, it answers those who show one', async () => {
    const { http, grpc } = await serve({
      ...mutual(),
      VGG_GATEWAY_TLS_CERT: of('preprocess-0.pem'),
      VGG_GATEWAY_TLS_KEY: of('preprocess-0.key'),
    });
    const tls = { ca: of('ca.pem'), cert: of('inference-1.pem'), key: of('inference-1.key') };
    expect(await classFrom(grpc, tls)).toEqual(expect.any(String));
    await expect(classFrom(grpc, { ca: tls.ca })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(new URL(http).protocol).toBe('https:');
    const ca = await readFile(tls.ca);
    const status = await new Promise<number | undefined>((resolve, reject) => {
      request(`${http}/readyz`, { ca }, (response) => {
        resolve(response.resume().statusCode);
      })
        .once('error', reject)
        .end();
    });
    expect(status).toBe(200);
  });

  test('services of a command of its own talk in plain text, whatever the environment says', async () => {
    const env = { ...mutual(), VGG_TLS_CERT: '/nowhere.pem' };
    const stack = await startStack({ models: MODELS, logLevel: 'silent', env });
    try {
      expect(await classFrom(stack.aggregator.address)).toEqual(expect.any(String));
    } finally {
      await stack.close();
    }
  });
});
