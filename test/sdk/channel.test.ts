// Connections: their budget of resets, turns among addresses, replicas that come and go, TLS.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer as createHttp2Server, type ServerHttp2Session } from 'node:http2';
import { connect as connectSocket, createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentials } from '@grpc/grpc-js';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { Channel } from '../../sdk/channel.ts';
import { createClient } from '../../sdk/index.ts';
import { fakeClock } from './fake-clock.ts';
import { clientOf, serveFakes } from './fake-services.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const each of closing.splice(0).reverse()) await each();
});

const photo = Buffer.from('photo');
const named = (name: string) => ({ aggregator: { Classify: () => ({ answer: { models: [name] } }) } });

async function serve(...args: Parameters<typeof serveFakes>) {
  const server = await serveFakes(...args);
  closing.push(() => server.close());
  return server;
}

function connect(...args: Parameters<typeof clientOf>) {
  const client = clientOf(...args);
  closing.push(() => {
    client.close();
  });
  return client;
}

describe('the budget of resets', () => {
  function channel(start = 0) {
    const fake = fakeClock({ start });
    const options = { credentials: credentials.createInsecure(), maxMessageBytes: 1, silenceMs: 60_000, clock: fake.clock };
    const made = new Channel('127.0.0.1:1', 'aggregator', options);
    closing.push(() => {
      made.close();
    });
    return { channel: made, advance: fake.advance };
  }

  test('one connection carries calls without end while none is reset', () => {
    const { channel: one } = channel();
    const clients = new Set<unknown>();
    for (let i = 0; i < 5000; i++) {
      const lease = one.lease();
      clients.add(lease.client);
      lease.release(false);
    }
    expect(clients.size).toBe(1);
  });

  test('no connection is ever asked for more resets than its server allows', () => {
    const { channel: one } = channel();
    const resets = new Map<unknown, number>();
    for (let i = 0; i < 5000; i++) {
      const lease = one.lease();
      resets.set(lease.client, (resets.get(lease.client) ?? 0) + 1);
      lease.release(true);
    }
    expect(Math.max(...resets.values())).toBeLessThan(1000);
    expect(one.connections).toBe(1);
  });

  test('calls in flight count, as each may yet be reset', () => {
    const { channel: one } = channel();
    const leases = Array.from({ length: 2500 }, () => one.lease());
    const calls = new Map<unknown, number>();
    for (const { client } of leases) calls.set(client, (calls.get(client) ?? 0) + 1);
    expect(Math.max(...calls.values())).toBeLessThan(1000);
    for (const lease of leases) lease.release(true);
    expect(one.connections).toBe(1);
  });

  test('it comes back with time, no faster than the server`s', () => {
    const { channel: one, advance } = channel();
    const clients = new Set<unknown>();
    // 20 resets a second for ten minutes.
    for (let i = 0; i < 12_000; i++) {
      const lease = one.lease();
      clients.add(lease.client);
      lease.release(true);
      advance(50);
    }
    expect(clients.size).toBe(1);
  });

  test('a connection outlives its last call, not more', () => {
    const { channel: one } = channel();
    const long = one.lease();
    for (let i = 0; i < 2000; i++) one.lease().release(true);
    expect(one.connections).toBe(2);
    long.release(false);
    expect(one.connections).toBe(1);
  });
});

test('3,000 cancels in a burst: a long call lives, and so does the next one', async () => {
  let finish: () => void = () => {};
  const finished = new Promise<void>((resolve) => (finish = resolve));
  let waiting = 0;
  const server = await serve(
    {
      aggregator: {
        async Classify(request) {
          if (request.models[0] === 'long') await finished;
          else if (request.models[0] === 'never') {
            waiting++;
            await new Promise<never>(() => {});
          }
          return { answer: { models: request.models } };
        },
      },
    },
    { config: { maxStreams: 100_000 } },
  );
  const client = connect(server, { retry: false });
  const long = client.classify(photo, { models: 'long' });
  const BATCH = 250;
  for (let done = 0; done < 3000; done += BATCH) {
    const controller = new AbortController();
    const { signal } = controller;
    waiting = 0;
    const calls = Array.from({ length: BATCH }, () => client.classify(photo, { models: 'never', signal }));
    const all = Promise.allSettled(calls);
    while (waiting < BATCH) await new Promise((resolve) => setImmediate(resolve));
    controller.abort();
    for (const each of await all) expect(each).toMatchObject({ reason: { code: 'CANCELLED' } });
  }
  expect((await client.classify(photo, { models: 'next' })).models).toEqual(['next']);
  finish();
  expect((await long).models).toEqual(['long']);
});

describe('several addresses', () => {
  test('take turns', async () => {
    const servers = [await serve(named('a')), await serve(named('b')), await serve(named('c'))];
    const client = connect({ address: servers.map(({ address }) => address).join(', ') });
    const counts: Record<string, number> = {};
    for (let i = 0; i < 30; i++) {
      const [name = ''] = (await client.classify(photo)).models;
      counts[name] = (counts[name] ?? 0) + 1;
    }
    expect(counts).toEqual({ a: 10, b: 10, c: 10 });
  });

  test('one that is down costs a retry, not a call', async () => {
    const [up, down] = [await serve(named('up')), await serveFakes(named('down'))];
    const client = connect({ address: `${down.address},${up.address}` });
    await client.classify(photo);
    await client.classify(photo);
    await down.close();
    for (let i = 0; i < 10; i++) expect((await client.classify(photo)).models).toEqual(['up']);
  });

  test('one that drains loses no call', async () => {
    const servers = [await serveFakes(named('a')), await serve(named('b'))];
    const client = connect({ address: servers.map(({ address }) => address).join(',') });
    const answers: Promise<unknown>[] = [];
    let drained: Promise<void> | undefined;
    for (let i = 0; i < 200; i++) {
      answers.push(client.classify(photo));
      if (i === 100) drained = servers[0]?.drain();
      if (i % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await Promise.all(answers)).toHaveLength(200);
    await drained;
  });

  test('one that breaks off in the middle of calls loses none of them', async () => {
    let arrived = 0;
    const never = () => {
      arrived++;
      return new Promise<never>(() => {});
    };
    const [dead, up] = [await serve({ aggregator: { Classify: never } }), await serve(named('up'))];
    const sockets: Socket[] = [];
    const proxy = createServer((socket) => {
      const onward = connectSocket(dead.port, '127.0.0.1');
      for (const each of [socket, onward]) each.on('error', () => {});
      socket.pipe(onward).pipe(socket);
      sockets.push(socket, onward);
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const { port } = proxy.address() as AddressInfo;
    const client = connect({ address: `127.0.0.1:${String(port)},${up.address}` });
    const answers = Array.from({ length: 20 }, () => client.classify(photo));
    while (arrived < 10) await new Promise((resolve) => setImmediate(resolve));
    proxy.close();
    for (const socket of sockets) socket.resetAndDestroy();
    for (const { models } of await Promise.all(answers)) expect(models).toEqual(['up']);
  });

  test('a target of gRPC is taken as it is', async () => {
    const server = await serve(named('a'));
    const client = connect({ address: `dns:///${server.address}` });
    expect((await client.classify(photo)).models).toEqual(['a']);
  });
});

const openssl = spawnSync('openssl', ['version']).status === 0;
if (!openssl)
  process.stderr.write('TLS is not tested: openssl, which makes the certificates, is not installed\n');

describe.skipIf(!openssl)('TLS', () => {
  const folder = mkdtempSync(join(tmpdir(), 'vgg-tls-'));
  const file = (name: string) => join(folder, name);
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  function run(...args: string[]) {
    const { status, stderr } = spawnSync('openssl', args, { cwd: folder, encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
  }

  function authority(name: string) {
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${name}.key`];
    run('req', '-x509', ...key, '-out', `${name}.pem`, '-days', '2', '-subj', `/CN=${name}`);
  }

  function certificate(name: string, ca: string) {
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${name}.key`];
    const names = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=DNS:vgg.test'];
    run('req', ...key, '-out', `${name}.csr`, ...names);
    const signer = ['-CA', `${ca}.pem`, '-CAkey', `${ca}.key`, '-CAcreateserial', '-copy_extensions', 'copy'];
    run('x509', '-req', '-in', `${name}.csr`, ...signer, '-out', `${name}.pem`, '-days', '2');
  }

  function makeCertificates() {
    authority('ca');
    authority('other-ca');
    certificate('server', 'ca');
    certificate('client', 'ca');
    certificate('stranger', 'other-ca');
  }
  if (openssl) makeCertificates();

  const serverName = 'vgg.test';
  const server = { tlsCert: file('server.pem'), tlsKey: file('server.key') };

  test('a client that trusts the authority is served', async () => {
    const { address } = await serve(named('tls'), { config: server });
    const client = connect({ address }, { tls: { ca: file('ca.pem'), serverName } });
    expect((await client.classify(photo)).models).toEqual(['tls']);
  });

  test.each([
    ['that does not trust it', { ca: file('other-ca.pem'), serverName }],
    ['that expects another name', { ca: file('ca.pem'), serverName: 'other.test' }],
    ['without TLS', false],
  ])('a client %s is not', async (_name, tls) => {
    const { address } = await serve(named('tls'), { config: server });
    const client = connect({ address }, { tls, retry: false, deadlineMs: 5000 });
    await expect(client.classify(photo)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  describe('both ways', () => {
    const mutual = { ...server, tlsClientCa: file('ca.pem') };

    test('a client with a certificate is served', async () => {
      const { address } = await serve(named('mtls'), { config: mutual });
      const tls = { ca: file('ca.pem'), cert: file('client.pem'), key: file('client.key'), serverName };
      expect((await connect({ address }, { tls }).classify(photo)).models).toEqual(['mtls']);
    });

    test.each([
      ['without one', {}],
      ['with one of another authority', { cert: file('stranger.pem'), key: file('stranger.key') }],
    ])('a client %s is not', async (_name, shown) => {
      const { address } = await serve(named('mtls'), { config: mutual });
      const tls = { ca: file('ca.pem'), serverName, ...shown };
      const client = connect({ address }, { tls, retry: false, deadlineMs: 5000 });
      await expect(client.classify(photo)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    });
  });

  test.each([
    [{ tlsCert: 'a' }, 'Expected both tlsCert and tlsKey'],
    [{ tlsClientCa: 'a' }, 'Expected tlsCert and tlsKey beside tlsClientCa'],
    [{ tlsCert: '/no/such', tlsKey: '/no/such' }, 'tlsCert'],
  ])('a server with %j does not start', async (config, message) => {
    await expect(serve({}, { config })).rejects.toThrow(message);
  });
});

test('a stream that ends without a status is a call that was lost, and is tried again', async () => {
  let calls = 0;
  const server = createHttp2Server();
  server.on('stream', (stream) => {
    calls++;
    stream.resume();
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
    stream.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => sessions.add(session));
  closing.push(() => {
    for (const session of sessions) session.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const retry = { attempts: 3, firstBackoffMs: 1, maxBackoffMs: 1 };
  const client = createClient({ aggregator: `127.0.0.1:${String(port)}`, retry });
  closing.push(() => {
    client.close();
  });
  await expect(client.classify(photo)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  expect(calls).toBe(3);
});
