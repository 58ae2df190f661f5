// The end in good order: what is in flight is answered, what comes later is not taken.

import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Stack } from '../../cli/stack.ts';
import type { RunningGateway } from '../../services/gateway/main.ts';
import { classify, gatewayOf, metric, PHOTO, services, until, untilQuiet } from './running-gateway.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await services();
});
afterAll(async () => {
  await stack.close();
});

const inFlight = (gateway: RunningGateway) => metric(gateway, 'vgg_http_in_flight');

// A connection that stays open, and all that has come over it.
async function connection({ url }: RunningGateway) {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let received = '';
  socket.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')));
  socket.on('error', () => undefined); // That it ended is what counts.
  const closed = new Promise<void>((resolve) => {
    socket.once('close', () => {
      resolve();
    });
  });
  await new Promise<void>((resolve) => {
    socket.once('connect', resolve);
  });
  return { socket, closed, received: () => received };
}

const CLASSIFY =
  'POST /v1/classify?protocol=ten-crop HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\n' +
  `Content-Length: ${String(PHOTO.length)}\r\n\r\n`;

describe('drain', () => {
  test('answers what is in flight and refuses connections', async () => {
    const gateway = await gatewayOf(stack);
    const answered = classify(gateway);
    await until('a request in flight', async () => (await inFlight(gateway)) === 1);
    const drained = gateway.drain();
    await until('no new connections', async () =>
      fetch(`${gateway.url}/healthz`).then(
        () => false,
        () => true,
      ),
    );
    expect((await answered).status).toBe(200);
    await drained;
    expect(await inFlight(gateway)).toBe(0);
    await gateway.close();
  });

  test('waits for a photo that is half sent, and closes its connection after the answer', async () => {
    const gateway = await gatewayOf(stack);
    const { socket, closed, received } = await connection(gateway);
    socket.write(CLASSIFY);
    socket.write(PHOTO.subarray(0, 1000));
    await until('a request in flight', async () => (await inFlight(gateway)) === 1);
    const drained = gateway.drain();
    socket.write(PHOTO.subarray(1000));
    await Promise.all([closed, drained]);
    expect(received()).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(received()).toContain('"protocol":"TEN_CROP"');
    expect(received()).toMatch(/\r\nconnection: close\r\n/i);
  });

  test('while it lasts, a second connection’s next request gets 503 and Retry-After', async () => {
    const gateway = await gatewayOf(stack);
    const [busy, next] = [await connection(gateway), await connection(gateway)];
    busy.socket.write(CLASSIFY);
    // Half a request keeps the connection from being idle.
    next.socket.write('GET /v1/models HTTP/1.1\r\nHost: a\r\n');
    await until('a request in flight', async () => (await inFlight(gateway)) === 1);
    const drained = gateway.drain();
    next.socket.write('\r\n');
    await next.closed;
    expect(next.received()).toMatch(/^HTTP\/1\.1 503 Service Unavailable\r\n/);
    expect(next.received()).toMatch(/\r\nretry-after: [1-9]\d*\r\n/);
    expect(next.received()).toMatch(/\r\nconnection: close\r\n/i);
    expect(next.received()).toContain('"detail":"The server is shutting down"');
    busy.socket.write(PHOTO);
    await Promise.all([busy.closed, drained]);
    expect(busy.received()).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });

  test('is not ready meanwhile, though alive', async () => {
    const gateway = await gatewayOf(stack);
    const [busy, ready, alive] = [
      await connection(gateway),
      await connection(gateway),
      await connection(gateway),
    ];
    busy.socket.write(CLASSIFY);
    ready.socket.write('GET /readyz HTTP/1.1\r\nHost: a\r\n');
    alive.socket.write('GET /healthz HTTP/1.1\r\nHost: a\r\n');
    await until('a request in flight', async () => (await inFlight(gateway)) === 1);
    const drained = gateway.drain();
    ready.socket.write('\r\n');
    alive.socket.write('\r\n');
    await Promise.all([ready.closed, alive.closed]);
    expect(ready.received()).toMatch(/^HTTP\/1\.1 503 .*not ready\n$/s);
    expect(alive.received()).toMatch(/^HTTP\/1\.1 200 .*ok\n$/s);
    busy.socket.write(PHOTO);
    await Promise.all([busy.closed, drained]);
  });

  test('ends what does not finish in its time, and idle connections do not hold it up', async () => {
    const gateway = await gatewayOf(stack, { drain: 50 });
    const [idle, stuck] = [await connection(gateway), await connection(gateway)];
    stuck.socket.write(CLASSIFY);
    await until('a request in flight', async () => (await inFlight(gateway)) === 1);
    await gateway.drain();
    await Promise.all([idle.closed, stuck.closed]);
    expect(stuck.received()).toBe('');
    await until('no request in flight', async () => (await inFlight(gateway)) === 0);
  });
});

describe('close', () => {
  test('ends at once; views of whoever waited are dropped; may be called again', async () => {
    const gateway = await gatewayOf(stack);
    const answered = classify(gateway, '?protocol=dense-and-multi-crop&grid=10&scales=200,224&share=off');
    answered.catch(() => undefined); // Awaited below.
    await until('views', async () => (await metric(stack.inference, 'vgg_inference_queued_views')) > 0);
    await gateway.close();
    await expect(answered).rejects.toThrow();
    await gateway.close();
    await gateway.drain();
    await untilQuiet(stack, gateway);
  });

  test('frees the port', async () => {
    const first = await gatewayOf(stack);
    const port = Number(new URL(first.url).port);
    await expect(gatewayOf(stack, { port })).rejects.toThrow(`Cannot listen at 127.0.0.1:${String(port)}`);
    await first.close();
    const second = await gatewayOf(stack, { port });
    expect((await fetch(`${second.url}/readyz`)).status).toBe(200);
    await second.close();
  });
});
