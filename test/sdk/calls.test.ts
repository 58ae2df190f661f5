// Calls of the client over real sockets: signals, deadlines, ids, retries, errors.

import { afterEach, describe, expect, test } from 'vitest';
import type { AverageRequest__Output } from '../../proto/generated/vgg/v1/AverageRequest.ts';
import { VggError } from '../../sdk/index.ts';
import { fakeClock } from './fake-clock.ts';
import { clientOf, collect, serveFakes, type FakeHandlers } from './fake-services.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const each of closing.splice(0).reverse()) await each();
});

async function start(
  handlers: FakeHandlers,
  ...rest: Parameters<typeof clientOf> extends [unknown, ...infer Rest] ? Rest : never
) {
  const server = await serveFakes(handlers);
  const client = clientOf(server, ...rest);
  closing.push(
    () => server.close(),
    () => {
      client.close();
    },
  );
  return { server, client };
}

const photo = Buffer.from('photo');
const unavailable = new VggError('UNAVAILABLE', 'not now');

// Retries happen at once; the clock's own start must be the real one, as deadlines travel.
const hasty = () => fakeClock({ leap: true, random: 0, start: Date.now() }).clock;

describe('a signal', () => {
  test('ends a unary call and reaches the server', async () => {
    const controller = new AbortController();
    let away: () => void = () => {};
    const gone = new Promise<void>((resolve) => (away = resolve));
    const { client } = await start({
      aggregator: {
        Classify(_request, { signal }) {
          signal.addEventListener('abort', away);
          controller.abort();
          return new Promise<never>(() => {});
        },
      },
    });
    await expect(client.classify(photo, { signal: controller.signal })).rejects.toMatchObject({
      name: 'VggError',
      code: 'CANCELLED',
    });
    await gone;
  });

  test('gives its own reason if that is a VggError', async () => {
    const controller = new AbortController();
    const reason = new VggError('DEADLINE_EXCEEDED', 'the caller had no more time');
    const { client } = await start({
      aggregator: {
        async *ClassifyStream() {
          yield { viewsDone: 1, answer: {} };
          await new Promise<never>(() => {});
        },
      },
    });
    const running = (async () => {
      for await (const { viewsDone } of client.classifyStream(photo, { signal: controller.signal })) {
        expect(viewsDone).toBe(1);
        controller.abort(reason);
      }
    })();
    await expect(running).rejects.toBe(reason);
  });

  test('that is aborted already sends nothing', async () => {
    let calls = 0;
    const { client } = await start({
      aggregator: {
        Classify: () => {
          calls++;
          return { answer: {} };
        },
      },
    });
    await expect(client.classify(photo, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'CANCELLED',
    });
    await client.classify(photo);
    expect(calls).toBe(1);
  });

  test('keeps no listener of a call that is over', async () => {
    const { client } = await start({ aggregator: { Classify: () => ({ answer: {} }) } });
    const controller = new AbortController();
    let listeners = 0;
    const { signal } = controller;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners++;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners--;
      remove(...args);
    };
    await client.classify(photo, { signal });
    await new Promise((resolve) => setImmediate(resolve));
    expect(listeners).toBe(0);
  });
});

test('a deadline ends the call and travels', async () => {
  let remaining = 0;
  const { client } = await start({
    aggregator: {
      Classify(_request, { deadline }) {
        remaining = deadline - Date.now();
        return new Promise<never>(() => {});
      },
    },
  });
  await expect(client.classify(photo, { deadlineMs: 100 })).rejects.toMatchObject({
    code: 'DEADLINE_EXCEEDED',
  });
  expect(remaining).toBeLessThanOrEqual(100);
  await expect(client.classify(photo, { deadline: Date.now() + 50 })).rejects.toMatchObject({
    code: 'DEADLINE_EXCEEDED',
  });
});

test('request id and metadata travel', async () => {
  const { client } = await start({
    aggregator: {
      Classify: (_request, { requestId, header }) => ({
        answer: { models: [requestId, header('authorization') ?? ''] },
      }),
    },
  });
  const options = { requestId: 'abc', metadata: { authorization: 'Bearer x' } };
  expect((await client.classify(photo, options)).models).toEqual(['abc', 'Bearer x']);
});

test('errors arrive with code, fields and without causes', async () => {
  const fields = [{ field: 'scales[0]', message: 'too small' }];
  const { client } = await start({
    aggregator: {
      Classify() {
        throw new VggError('TOO_LARGE', 'too many pixels', { fields, cause: new Error('secret') });
      },
    },
  });
  const error = await client.classify(photo).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(VggError);
  expect(error).toMatchObject({ code: 'TOO_LARGE', message: 'too many pixels', fields });
});

test('a message over the server`s limit is TOO_LARGE, and is sent once', async () => {
  const server = await serveFakes({}, { config: { maxMessage: 65_536 } });
  const client = clientOf(server);
  closing.push(
    () => server.close(),
    () => {
      client.close();
    },
  );
  await expect(client.classify(Buffer.alloc(70_000))).rejects.toMatchObject({ code: 'TOO_LARGE' });
});

describe('retries', () => {
  test('a unary call that was refused is made again', async () => {
    let tries = 0;
    const handlers = {
      aggregator: {
        Classify() {
          if (++tries < 3) throw unavailable;
          return { answer: { views: tries } };
        },
      },
    };
    const { client } = await start(handlers, {}, hasty());
    expect((await client.classify(photo)).views).toBe(3);
  });

  test('not where the client was told not to', async () => {
    let tries = 0;
    const handlers = {
      aggregator: {
        Classify() {
          tries++;
          throw unavailable;
        },
      },
    };
    const { client } = await start(handlers, { retry: false });
    await expect(client.classify(photo)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(tries).toBe(1);
  });

  test('a full queue is tried again after the time that it names', async () => {
    let tries = 0;
    const { clock, waits } = fakeClock({ leap: true, random: 0, start: Date.now() });
    const handlers = {
      aggregator: {
        Classify() {
          if (++tries === 1) throw new VggError('RESOURCE_EXHAUSTED', 'full', { retryAfterMs: 40 });
          return { answer: {} };
        },
      },
    };
    const { client } = await start(handlers, {}, clock);
    await client.classify(photo);
    expect(waits).toEqual([40]);
  });

  test('a stream is begun again only while nothing has been delivered', async () => {
    let tries = 0;
    const handlers = {
      aggregator: {
        async *ClassifyStream() {
          await Promise.resolve();
          if (++tries === 1) throw unavailable;
          yield { viewsDone: tries, answer: {} };
          if (tries === 2) throw unavailable;
        },
      },
    };
    const { client } = await start(handlers, {}, hasty());
    const seen: number[] = [];
    const running = (async () => {
      for await (const { viewsDone } of client.classifyStream(photo)) seen.push(viewsDone);
    })();
    await expect(running).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect([seen, tries]).toEqual([[2], 2]);
  });

  test('requests that were already sent are sent again', async () => {
    let tries = 0;
    const handlers = {
      aggregator: {
        async Average(requests: AsyncIterable<AverageRequest__Output>) {
          tries++;
          let count = 0;
          for await (const { posterior } of requests) {
            if (posterior) count++;
            if (tries === 1 && count === 1) throw unavailable;
          }
          return { count };
        },
      },
    };
    const { client } = await start(handlers, {}, hasty());
    const posteriors = [1, 2, 3].map(() => ({ posterior: new Float32Array(2) }));
    expect((await client.average(posteriors)).count).toBe(3);
    expect(tries).toBe(2);
  });

  test('a server that nobody reaches is UNAVAILABLE', async () => {
    const client = clientOf({ address: '127.0.0.1:1' }, {}, hasty());
    await expect(client.classify(photo)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    client.close();
    await expect(client.classify(photo)).rejects.toThrow('The client is closed');
  });
});

test('leaving a stream early tells the server', async () => {
  let away: () => void = () => {};
  const gone = new Promise<void>((resolve) => (away = resolve));
  const { client } = await start({
    aggregator: {
      async *ClassifyStream(_request, { signal }) {
        signal.addEventListener('abort', away);
        for (let i = 1; ; i++) {
          await new Promise((resolve) => setImmediate(resolve));
          yield { viewsDone: i, answer: {} };
        }
      },
    },
  });
  for await (const { viewsDone } of client.classifyStream(photo)) if (viewsDone === 3) break;
  await gone;
});

test('a stream is no faster than its reader', async () => {
  let sent = 0;
  const { client } = await start({
    aggregator: {
      async *ClassifyStream() {
        for (; sent < 5000; sent++) {
          await Promise.resolve();
          yield { viewsDone: sent, answer: { posterior: Buffer.alloc(65_536) } };
        }
      },
    },
  });
  for await (const { viewsDone } of client.classifyStream(photo)) {
    expect(viewsDone).toBe(0);
    let before = -1;
    while (before !== sent) {
      before = sent;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    break;
  }
  expect(sent).toBeLessThan(500);
  expect(
    await collect(
      (async function* () {
        await Promise.resolve();
        yield 1;
      })(),
    ),
  ).toEqual([1]);
});
