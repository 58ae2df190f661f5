// Downloading by way of the proxies that the environment names, and where redirects may not lead.

import { createHash } from 'node:crypto';
import { createServer, request as forward, type Server } from 'node:http';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockAgent } from 'undici';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { download } from '../../models/download.ts';
import { ask } from '../../models/download/request.ts';
import { FileHost, file } from './file-host.ts';

const BYTES = new Uint8Array(10_000).fill(7);
const DIGEST = { algorithm: 'sha256' as const, hex: createHash('sha256').update(BYTES).digest('hex') };
const VARIABLES = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy'];

let before: Record<string, string | undefined>;
let folder: string;
let target: string;
let host: FileHost;
let proxy: Server;
let asked: string[];
let credentials: (string | undefined)[];
beforeEach(async () => {
  before = Object.fromEntries(VARIABLES.map((name) => [name, process.env[name]]));
  for (const name of VARIABLES) Reflect.deleteProperty(process.env, name);
  folder = await mkdtemp(join(tmpdir(), 'vgg-proxy-'));
  target = join(folder, 'weights');
  host = await FileHost.start(file(BYTES));
  asked = [];
  credentials = [];
  proxy = createServer((incoming, outgoing) => {
    asked.push(`${incoming.method ?? ''} ${incoming.url ?? ''}`);
    credentials.push(incoming.headers['proxy-authorization']);
    const onward = forward(incoming.url ?? '', { headers: incoming.headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  for (const [name, value] of Object.entries(before)) {
    if (value === undefined) Reflect.deleteProperty(process.env, name);
    else process.env[name] = value;
  }
  await host.close();
  proxy.closeAllConnections();
  await new Promise((resolve) => proxy.close(resolve));
  await rm(folder, { recursive: true });
});

function proxyUrl(user = ''): string {
  return `http://${user}127.0.0.1:${String((proxy.address() as AddressInfo).port)}`;
}

test('plain http goes through HTTP_PROXY as a request, with its password', async () => {
  process.env['HTTP_PROXY'] = proxyUrl('me:secret@');
  await download(host.url(), target, { digest: DIGEST });
  expect(asked).toEqual([`GET ${host.url().href}`]);
  expect(credentials).toEqual([`Basic ${Buffer.from('me:secret').toString('base64')}`]);
  expect(Buffer.compare(await readFile(target), BYTES)).toBe(0);
});

test('NO_PROXY goes past it', async () => {
  process.env['HTTP_PROXY'] = proxyUrl();
  process.env['NO_PROXY'] = '127.0.0.1';
  await download(host.url(), target, { digest: DIGEST });
  expect(asked).toEqual([]);
});

test('https goes through a tunnel of HTTPS_PROXY', async () => {
  process.env['HTTPS_PROXY'] = proxyUrl();
  proxy.on('connect', (incoming, socket) => {
    asked.push(`CONNECT ${incoming.url ?? ''}`);
    // To a host that speaks no TLS: the tunnel is what is tested.
    const onward = connect(Number(host.url().port), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      onward.pipe(socket).pipe(onward);
    });
    for (const end of [onward, socket]) end.on('error', () => undefined);
  });
  await expect(
    download(new URL('https://weights.test/f'), target, { digest: DIGEST, attempts: 1 }),
  ).rejects.toThrow(/Cannot reach https:\/\/weights\.test\/f/);
  expect(asked).toEqual(['CONNECT weights.test:443']);
});

test('a proxy that refuses is not asked again', async () => {
  process.env['HTTPS_PROXY'] = proxyUrl('me:secret@');
  proxy.on('connect', (incoming, socket) => {
    asked.push(`CONNECT ${incoming.url ?? ''}`);
    socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
  });
  const refused = download(new URL('https://weights.test/f'), target, { digest: DIGEST });
  await expect(refused).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringMatching(
      /^Cannot reach https:\/\/weights\.test\/f: Proxy response \(403\)/,
    ) as string,
  });
  await expect(refused).rejects.not.toThrow('secret');
  expect(asked).toHaveLength(1);
});

describe('redirects between schemes', () => {
  const signal = new AbortController().signal;

  test('from https to http is refused', async () => {
    const connections = new MockAgent();
    connections.disableNetConnect();
    connections
      .get('https://safe.test')
      .intercept({ path: '/f' })
      .reply(302, '', { headers: { location: 'http://plain.test/f?key=hush' } });
    await expect(ask(new URL('https://safe.test/f'), {}, { connections, signal, now: 0 })).rejects.toThrow(
      'Expected https://safe.test/f to stay on https but it redirects to http://plain.test/f?…',
    );
    await connections.close();
  });

  test('from http to https is followed', async () => {
    const connections = new MockAgent();
    connections.disableNetConnect();
    connections
      .get('http://plain.test')
      .intercept({ path: '/f' })
      .reply(301, '', { headers: { location: 'https://safe.test/f' } });
    connections.get('https://safe.test').intercept({ path: '/f' }).reply(200, 'it');
    const { status, body } = await ask(new URL('http://plain.test/f'), {}, { connections, signal, now: 0 });
    expect(status).toBe(200);
    body.destroy();
    await connections.close();
  });
});
