// A server over real sockets: calls of each kind, health, reflection, probes, limits, metrics.

import { Client, credentials, makeClientConstructor, status, type ServiceError } from '@grpc/grpc-js';
import { loadSync, type ServiceDefinition } from '@grpc/proto-loader';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { service as healthService } from 'grpc-health-check';
import { afterEach, describe, expect, test } from 'vitest';
import { classify, plainClient, serveFake } from './fake-aggregator.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const each of closing.splice(0).reverse()) await each();
});

async function serve(...args: Parameters<typeof serveFake>) {
  const server = await serveFake(...args);
  closing.push(() => server.close());
  return server;
}

function connect(address: string) {
  const client = plainClient(address);
  closing.push(() => {
    client.close();
  });
  return client;
}

describe('the four kinds of call', () => {
  test('unary', async () => {
    const server = await serve();
    const response = await classify(connect(server.address), { photo: Buffer.alloc(7), models: ['a'] });
    expect(response.answer).toMatchObject({ models: ['a'], views: 7 });
  });

  test('server streaming gives every message, in order', async () => {
    const server = await serve();
    const seen: number[] = [];
    for await (const message of connect(server.address).ClassifyStream({})) {
      seen.push((message as { viewsDone: number }).viewsDone);
    }
    expect(seen).toEqual([1, 2, 3]);
  });

  test('client streaming takes every message', async () => {
    const server = await serve();
    const client = connect(server.address);
    const count = await new Promise((resolve, reject) => {
      const call = client.Average((error, response) => {
        if (error) reject(error);
        else resolve(response?.count);
      });
      call.write({ options: {} });
      for (let i = 0; i < 40; i++) call.write({ posterior: { index: i } });
      call.end();
    });
    expect(count).toBe(40);
  });

  test('an answer does not wait for requests that nobody reads', async () => {
    const server = await serve({ Average: () => ({ count: 1 }) });
    const client = connect(server.address);
    const count = await new Promise((resolve, reject) => {
      const call = client.Average((error, response) => {
        if (error) reject(error);
        else resolve(response?.count);
      });
      call.write({ options: {} });
    });
    expect(count).toBe(1);
  });

  test('a stream is no faster than its reader', async () => {
    let sent = 0;
    const server = await serve({
      async *ClassifyStream() {
        for (; sent < 10_000; sent++) {
          await Promise.resolve();
          yield { answer: { posterior: Buffer.alloc(64 * 1024) } };
        }
      },
    });
    const stream = connect(server.address).ClassifyStream({});
    await new Promise((resolve) => stream.once('data', resolve));
    stream.pause();
    // Nothing moves any more once every buffer between the two is full.
    let before = -1;
    while (before !== sent) {
      before = sent;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(sent).toBeLessThan(200);
    stream.on('error', () => {});
    stream.cancel();
  });
});

describe('health', () => {
  const Health = makeClientConstructor(healthService, 'Health') as unknown as new (
    address: string,
    creds: unknown,
  ) => Client & {
    check(
      request: { service: string },
      callback: (error: ServiceError | null, response?: { status: string }) => void,
    ): void;
  };
  async function check(address: string, service: string): Promise<string> {
    const client = new Health(address, credentials.createInsecure());
    closing.push(() => {
      client.close();
    });
    return new Promise((resolve, reject) => {
      client.check({ service }, (error, response) => {
        if (error) reject(error);
        else resolve(response?.status ?? '');
      });
    });
  }

  test.each(['', 'vgg.v1.AggregatorService'])('tells what the service says (%j)', async (service) => {
    let ready = false;
    const server = await serve({}, { ready: () => ready });
    expect(await check(server.address, service)).toBe('NOT_SERVING');
    ready = true;
    await server.checkReady();
    expect(await check(server.address, service)).toBe('SERVING');
  });

  test('a check that fails is not ready', async () => {
    const ready = () => {
      throw new Error('no GPU');
    };
    const server = await serve({}, { ready });
    expect(await check(server.address, '')).toBe('NOT_SERVING');
  });

  test('services that are not served are unknown', async () => {
    const server = await serve();
    await expect(check(server.address, 'vgg.v1.PreprocessService')).rejects.toMatchObject({
      code: status.NOT_FOUND,
    });
  });
});

test('reflection lists what is served, and only that', async () => {
  const server = await serve();
  const root = dirname(createRequire(import.meta.url).resolve('@grpc/reflection/package.json'));
  const file = [
    'build/proto/grpc/reflection/v1/reflection.proto',
    'proto/grpc/reflection/v1/reflection.proto',
  ]
    .map((each) => join(root, each))
    .find((each) => existsSync(each));
  const definition = loadSync(file ?? '', {})['grpc.reflection.v1.ServerReflection'] as ServiceDefinition;
  const Reflection = makeClientConstructor(definition, 'ServerReflection');
  const client = new Reflection(server.address, credentials.createInsecure());
  closing.push(() => {
    client.close();
  });
  const ask = (request: object) =>
    new Promise<Record<string, unknown>>((resolve, reject) => {
      // eslint-disable-next-line @typescript-eslint/no-unsafe-assignment -- a client made at run time
      const call: import('@grpc/grpc-js').ClientDuplexStream<object, Record<string, unknown>> =
        client['ServerReflectionInfo']?.();
      call.on('data', resolve);
      call.on('error', reject);
      call.write(request);
      call.end();
    });
  const { listServicesResponse } = await ask({ listServices: '' });
  const { service } = listServicesResponse as { service: { name: string }[] };
  expect(service.map(({ name }) => name).sort()).toEqual([
    'grpc.health.v1.Health',
    'vgg.v1.AggregatorService',
  ]);
  const { fileDescriptorResponse } = await ask({ fileContainingSymbol: 'vgg.v1.AggregatorService' });
  expect(fileDescriptorResponse).toHaveProperty('fileDescriptorProto');
});

describe('probes', () => {
  async function get(address: string | undefined, path: string, method = 'GET') {
    const response = await fetch(`http://${address ?? ''}${path}`, { method });
    return { code: response.status, body: await response.text() };
  }

  test('readiness and health', async () => {
    let ready = true;
    const server = await serve({}, { ready: () => ready, config: { metricsPort: 0 } });
    expect(await get(server.metricsAddress, '/readyz')).toMatchObject({ code: 200 });
    ready = false;
    expect(await get(server.metricsAddress, '/readyz')).toMatchObject({ code: 503 });
    expect(await get(server.metricsAddress, '/healthz')).toMatchObject({ code: 200 });
    expect(await get(server.metricsAddress, '/secrets')).toMatchObject({ code: 404 });
    expect(await get(server.metricsAddress, '/metrics', 'POST')).toMatchObject({ code: 405 });
  });

  test('counters start at 0 and count by code', async () => {
    const server = await serve({}, { config: { metricsPort: 0 } });
    const series =
      'vgg_rpc_requests_total{service="fake",method="vgg.v1.AggregatorService/Classify",code="OK"}';
    expect((await get(server.metricsAddress, '/metrics')).body).toContain(`${series} 0`);
    await classify(connect(server.address));
    const { body } = await get(server.metricsAddress, '/metrics');
    expect(body).toContain(`${series} 1`);
    expect(body).toContain('vgg_ready{service="fake"} 1');
  });

  test('servers in one process do not share metrics', async () => {
    const [one, other] = [await serve(), await serve()];
    await classify(connect(one.address));
    expect(await one.registry.metrics()).toMatch(/Classify",code="OK"} 1/);
    expect(await other.registry.metrics()).toMatch(/Classify",code="OK"} 0/);
  });
});

test('a message over the limit is refused', async () => {
  const server = await serve({}, { config: { maxMessage: 64 * 1024 } });
  await expect(classify(connect(server.address), { photo: Buffer.alloc(70_000) })).rejects.toMatchObject({
    code: status.RESOURCE_EXHAUSTED,
  });
});

test('a socket file is an address', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'vgg-host-'));
  closing.push(() => rm(folder, { recursive: true }));
  const server = await serve({}, { config: { host: `unix:${join(folder, 'a.sock')}` } });
  expect(server.address).toBe(`unix:${join(folder, 'a.sock')}`);
  expect((await classify(connect(server.address))).answer?.views).toBe(3);
});

test('a port that is taken stops the start', async () => {
  const server = await serve();
  await expect(serve({}, { config: { port: server.port } })).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: `Cannot listen at 127.0.0.1:${String(server.port)}`,
  });
});
