// The end of a server: nothing in flight is lost, nothing new comes in, nobody can hold it up.

import { credentials, makeClientConstructor, status, type ClientReadableStream } from '@grpc/grpc-js';
import { EventEmitter } from 'node:events';
import { service as healthService } from 'grpc-health-check';
import { afterEach, describe, expect, test } from 'vitest';
import { endOnSignals } from '../../services/host/process.ts';
import { classify, gate, logged, plainClient, serveFake } from './fake-aggregator.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const each of closing.splice(0).reverse()) await each();
});

function connect(address: string) {
  const client = plainClient(address);
  closing.push(() => {
    client.close();
  });
  return client;
}

async function until(condition: () => boolean) {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

const CALLS = 50;

test('calls in flight finish, new ones are refused, readiness is off', async () => {
  const open = gate();
  const server = await serveFake({
    async Classify(request) {
      await open.passed;
      return { answer: { views: request.photo.length } };
    },
  });
  const client = connect(server.address);
  const calls = Array.from({ length: CALLS }, (_, i) => classify(client, { photo: Buffer.alloc(i + 1) }));
  await until(() => server.inFlight === CALLS);
  const drained = server.drain();
  expect(await server.checkReady()).toBe(false);
  await expect(classify(connect(server.address))).rejects.toMatchObject({ code: status.UNAVAILABLE });
  open.open();
  const answers = await Promise.all(calls);
  expect(answers.map(({ answer }) => answer?.views)).toEqual(calls.map((_, i) => i + 1));
  await drained;
});

test('what has not finished in time is aborted and told', async () => {
  const reason = gate<unknown>();
  const server = await serveFake(
    {
      Classify: (_request, { signal }) =>
        new Promise<never>(() => {
          signal.addEventListener('abort', () => {
            reason.open(signal.reason);
          });
        }),
    },
    { config: { drain: 20 } },
  );
  const call = classify(connect(server.address));
  const failed = expect(call).rejects.toMatchObject({
    code: status.UNAVAILABLE,
    details: 'The server was shut down before the call was done',
  });
  await until(() => server.inFlight === 1);
  await server.drain();
  await failed;
  expect(await reason.passed).toMatchObject({ code: 'UNAVAILABLE' });
});

test('a stream in flight is delivered to its end', async () => {
  const open = gate();
  const server = await serveFake({
    async *ClassifyStream() {
      yield { viewsDone: 1 };
      await open.passed;
      for (let views = 2; views <= 100; views++)
        yield { viewsDone: views, answer: { posterior: Buffer.alloc(50_000) } };
    },
  });
  const stream = connect(server.address).ClassifyStream({});
  let messages = 0;
  stream.on('data', () => messages++);
  await until(() => messages === 1);
  const drained = server.drain();
  open.open();
  await new Promise((resolve, reject) => stream.on('end', resolve).on('error', reject));
  expect(messages).toBe(100);
  await drained;
});

test('a health watch sees NOT_SERVING and does not hold the end up', async () => {
  const server = await serveFake();
  const Health = makeClientConstructor(healthService, 'Health');
  const client = new Health(server.address, credentials.createInsecure());
  closing.push(() => {
    client.close();
  });
  const watch = (
    client as unknown as { watch(request: object): ClientReadableStream<{ status: string }> }
  ).watch({ service: '' });
  watch.on('error', () => {});
  const seen: string[] = [];
  watch.on('data', (message: { status: string }) => seen.push(message.status));
  await until(() => seen.length === 1);
  await server.drain();
  expect(seen).toEqual(['SERVING', 'NOT_SERVING']);
});

test('close does not wait', async () => {
  const server = await serveFake({ Classify: () => new Promise<never>(() => {}) });
  const call = classify(connect(server.address));
  const failed = expect(call).rejects.toMatchObject({ code: status.UNAVAILABLE });
  await until(() => server.inFlight === 1);
  void server.drain();
  await server.close();
  await failed;
});

describe('signals', () => {
  class FakeProcess extends EventEmitter {
    exited: (code: number) => void = () => {};
    exit(code: number) {
      this.exited(code);
    }
  }

  test.each(['SIGTERM', 'SIGINT'])('%s drains, then exits with 0', async (signal) => {
    const process = new FakeProcess();
    const order: string[] = [];
    const server = {
      drain: () => {
        order.push('drain');
        return Promise.resolve();
      },
      close: () => Promise.resolve(),
    };
    endOnSignals(server, logged().log, process as unknown as NodeJS.Process);
    const code = await new Promise<number>((resolve) => {
      process.exited = resolve;
      process.emit(signal);
    });
    expect([code, order]).toEqual([0, ['drain']]);
  });

  test('the second one does not wait', async () => {
    const process = new FakeProcess();
    const server = { drain: () => new Promise<never>(() => {}), close: () => Promise.resolve() };
    endOnSignals(server, logged().log, process as unknown as NodeJS.Process);
    const code = await new Promise<number>((resolve) => {
      process.exited = resolve;
      process.emit('SIGTERM');
      process.emit('SIGTERM');
    });
    expect(code).toBe(0);
  });

  test('a drain that fails exits with 1', async () => {
    const process = new FakeProcess();
    const server = { drain: () => Promise.reject(new Error('no')), close: () => Promise.resolve() };
    endOnSignals(server, logged().log, process as unknown as NodeJS.Process);
    const code = await new Promise<number>((resolve) => {
      process.exited = resolve;
      process.emit('SIGTERM');
    });
    expect(code).toBe(1);
  });
});
