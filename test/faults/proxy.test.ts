// The proxy itself: what it does to bytes is what it says.

import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Proxy } from './proxy.ts';

let server: Server;
let proxy: Proxy;
let served: Socket[];
const clients: Socket[] = [];

beforeEach(async () => {
  served = [];
  server = createServer((socket) => {
    served.push(socket);
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  proxy = await Proxy.start('127.0.0.1', (server.address() as AddressInfo).port);
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await proxy.close();
  for (const each of served) each.destroy();
  await new Promise((resolve) => server.close(resolve));
});

async function client(): Promise<Socket> {
  const [host = '', port] = proxy.address.split(':');
  const socket = connect(Number(port), host);
  socket.on('error', () => undefined);
  clients.push(socket);
  await once(socket, 'connect');
  return socket;
}

function received(socket: Socket, bytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  return new Promise<Buffer>((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length >= bytes) resolve(Buffer.concat(chunks));
    });
  });
}

async function echo(socket: Socket, bytes: Buffer): Promise<Buffer> {
  const whole = received(socket, bytes.length);
  socket.write(bytes);
  return whole;
}

test.each([
  ['at once', {}],
  ['late', { delayMs: 20 }],
  ['thinly', { bytesPerSecond: 2_000_000 }],
])('carries all bytes in their order, %s', async (_how, road) => {
  proxy.slow(road);
  const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, i) => i % 251));
  expect(Buffer.compare(await echo(await client(), bytes), bytes)).toBe(0);
});

test('chunks that come a moment apart do not overtake each other', async () => {
  const socket = await client();
  const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, i) => i % 251));
  proxy.slow({ delayMs: 5.5, bytesPerSecond: 1_000_000 });
  const whole = received(socket, bytes.length);
  for (let i = 0; i < bytes.length; i += 100) {
    await new Promise(setImmediate);
    socket.write(bytes.subarray(i, i + 100));
  }
  expect(Buffer.compare(await whole, bytes)).toBe(0);
});

test.each(['reset', 'end'] as const)('a cut (%s) is seen on both sides', async (how) => {
  const socket = await client();
  await echo(socket, Buffer.from('hello'));
  const [far] = served;
  const ends = [socket, far as Socket].map((each) => new Promise((resolve) => each.once('close', resolve)));
  proxy.cut(how);
  await Promise.all(ends);
  expect(proxy.connections).toBe(0);
});

test('silence: nothing comes back, and nobody hears of the end of the other', async () => {
  const [one, other] = [await client(), await client()];
  await echo(one, Buffer.from('hello'));
  await echo(other, Buffer.from('hello'));
  proxy.silence();
  let heard = 0;
  one.on('data', () => heard++);
  one.write('is anybody there?');
  other.destroy();
  // A connection that is made now is silent too; one that is made after is not.
  const silent = await client();
  silent.on('data', () => heard++);
  silent.write('hello?');
  proxy.heal();
  await echo(await client(), Buffer.from('hello'));
  expect(heard).toBe(0);
  expect(served.filter(({ destroyed }) => destroyed)).toEqual([]);
});
