// What a handler is told of its call, and what becomes of its errors: over real sockets.

import { Metadata, status, type ServiceError } from '@grpc/grpc-js';
import { afterEach, describe, expect, test } from 'vitest';
import type { AverageRequest__Output } from '../../proto/generated/vgg/v1/AverageRequest.ts';
import { fromStatus } from '../../proto/status.ts';
import type { CallContext } from '../../services/host/handlers.ts';
import { VggError } from '../../vgg/errors.ts';
import { classify, gate, logged, plainClient, serveFake } from './fake-aggregator.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const each of closing.splice(0).reverse()) await each();
});

async function start(...args: Parameters<typeof serveFake>) {
  const server = await serveFake(...args);
  const client = plainClient(server.address);
  closing.push(
    () => server.close(),
    () => {
      client.close();
    },
  );
  return { server, client };
}

// Resolves with the reason when a handler's signal aborts.
function aborted({ signal }: CallContext): Promise<unknown> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => {
      resolve(signal.reason);
    });
  });
}

describe('deadline', () => {
  async function deadlineSeen(config: { deadline?: number; maxDeadline?: number }, wanted?: number) {
    const seen = gate<number>();
    const { client } = await start(
      {
        Classify(_request, { deadline }) {
          seen.open(deadline - performance.now());
          return {};
        },
      },
      { config },
    );
    await classify(client, {}, wanted === undefined ? {} : { deadline: Date.now() + wanted });
    return seen.passed;
  }

  test('a call whose client sets none has the default', async () => {
    const remaining = await deadlineSeen({ deadline: 60_000 });
    expect(remaining).toBeGreaterThan(30_000);
    expect(remaining).toBeLessThanOrEqual(60_000);
  });

  test("the client's is kept", async () => {
    const remaining = await deadlineSeen({ deadline: 60_000 }, 300_000);
    expect(remaining).toBeGreaterThan(60_000);
    expect(remaining).toBeLessThanOrEqual(300_001);
  });

  test('nobody gets more than the maximum', async () => {
    expect(await deadlineSeen({ maxDeadline: 90_000 }, 3_600_000)).toBeLessThanOrEqual(90_000);
  });

  test('a handler that goes on past it is answered for, and told', async () => {
    const reason = gate<unknown>();
    const { client } = await start(
      {
        async Classify(_request, context) {
          reason.open(await aborted(context));
          return new Promise<never>(() => {});
        },
      },
      { config: { deadline: 30 } },
    );
    await expect(classify(client)).rejects.toMatchObject({ code: status.DEADLINE_EXCEEDED });
    expect(await reason.passed).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  });

  test('a stream that stands still is ended too', async () => {
    const { client } = await start(
      {
        async *ClassifyStream() {
          yield { viewsDone: 1 };
          await new Promise<never>(() => {});
        },
      },
      { config: { deadline: 50 } },
    );
    const stream = client.ClassifyStream({});
    const error = await new Promise((resolve) => stream.on('error', resolve).resume());
    expect(error).toMatchObject({ code: status.DEADLINE_EXCEEDED });
  });
});

describe('cancellation', () => {
  test('reaches a unary handler as an aborted signal', async () => {
    const arrived = gate();
    const reason = gate<unknown>();
    const { client } = await start({
      async Classify(_request, context) {
        arrived.open();
        reason.open(await aborted(context));
        throw new Error('never seen');
      },
    });
    const call = client.Classify({}, () => {});
    await arrived.passed;
    call.cancel();
    expect(await reason.passed).toMatchObject({ name: 'VggError', code: 'CANCELLED' });
  });

  test('closes the generator of a stream', async () => {
    const closed = gate();
    const { client } = await start({
      async *ClassifyStream(_request, context) {
        try {
          for (let views = 1; ; views++) {
            yield { viewsDone: views };
            if (views === 2) await aborted(context);
          }
        } finally {
          closed.open();
        }
      },
    });
    const stream = client.ClassifyStream({});
    stream.on('error', () => {});
    stream.on('data', () => {
      stream.cancel();
    });
    await closed.passed;
  });

  test('ends the requests of a handler that reads them, and aborts its signal', async () => {
    const reason = gate<unknown>();
    const arrived = gate();
    const { client } = await start({
      async Average(requests, context) {
        const away = aborted(context);
        try {
          for await (const request of requests as AsyncIterable<AverageRequest__Output>) {
            if (request.options) arrived.open();
          }
        } finally {
          reason.open(await away);
        }
        return {};
      },
    });
    const call = client.Average(() => {});
    call.write({ options: {} });
    await arrived.passed;
    call.cancel();
    expect(await reason.passed).toMatchObject({ code: 'CANCELLED' });
  });

  test('leaves nothing in flight', async () => {
    const { server, client } = await start({ Classify: () => new Promise<never>(() => {}) });
    const calls = Array.from({ length: 20 }, () => {
      const call = client.Classify({}, () => {});
      return call;
    });
    while (server.inFlight < 20) await new Promise((resolve) => setImmediate(resolve));
    for (const call of calls) call.cancel();
    while (server.inFlight > 0) await new Promise((resolve) => setImmediate(resolve));
    expect(await server.registry.metrics()).toMatch(/Classify",code="CANCELLED"} 20\n/);
  });
});

describe('request id', () => {
  async function echo(sent?: string) {
    const seen = gate<string>();
    const { client } = await start({
      Classify(_request, { requestId }) {
        seen.open(requestId);
        return {};
      },
    });
    const metadata = new Metadata();
    if (sent !== undefined) metadata.set('x-request-id', sent);
    const back = await new Promise<unknown>((resolve) => {
      client
        .Classify({}, metadata, () => {})
        .on('metadata', (initial: Metadata) => {
          resolve(initial.get('x-request-id')[0]);
        });
    });
    expect(back).toBe(await seen.passed);
    return back;
  }

  test("is the client's, and comes back", async () => {
    expect(await echo('a-1:b')).toBe('a-1:b');
  });

  test('is made where there is none, or none that a log may hold', async () => {
    expect(await echo()).toMatch(/^[0-9a-f-]{36}$/);
    expect(await echo('a "quoted" one')).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('errors', () => {
  const secret = 'password123';

  async function failWith(error: unknown) {
    const { lines, log } = logged();
    const { client } = await start(
      {
        Classify() {
          throw error;
        },
      },
      { log },
    );
    const came = await classify(client).catch((thrown: unknown) => thrown);
    return { came: came as ServiceError, lines: lines.join('') };
  }

  test('a VggError arrives with code, fields and time to wait; its cause stays here', async () => {
    const sent = new VggError('TOO_LARGE', 'Expected less', {
      cause: new Error(secret),
      fields: [{ field: 'photo', message: 'Expected less' }],
      retryAfterMs: 1500,
    });
    const { came, lines } = await failWith(sent);
    expect(came.code).toBe(status.INVALID_ARGUMENT);
    expect(fromStatus(came)).toMatchObject({
      code: 'TOO_LARGE',
      message: 'Expected less',
      fields: sent.fields,
      retryAfterMs: 1500,
    });
    expect(JSON.stringify([came.details, came.metadata.toJSON()])).not.toContain(secret);
    expect(lines).toContain(secret);
  });

  test.each([new Error(secret), new TypeError(secret), secret, null])(
    '%s becomes INTERNAL',
    async (error) => {
      const { came } = await failWith(error);
      expect(came).toMatchObject({ code: status.INTERNAL, details: 'Internal error' });
      expect(JSON.stringify([came.message, came.metadata.toJSON()])).not.toContain(secret);
    },
  );

  test('a stream that fails midway delivers what it had, then the error', async () => {
    const { client } = await start({
      async *ClassifyStream() {
        await Promise.resolve();
        yield { viewsDone: 1 };
        throw new VggError('NOT_FOUND', 'No model x');
      },
    });
    const stream = client.ClassifyStream({});
    let messages = 0;
    stream.on('data', () => messages++);
    const error = await new Promise<ServiceError>((resolve) => stream.on('error', resolve));
    expect(fromStatus(error)).toMatchObject({ code: 'NOT_FOUND', message: 'No model x' });
    expect(messages).toBe(1);
  });

  test('are counted by their own code', async () => {
    const { server, client } = await start({
      Classify() {
        throw new VggError('UNSUPPORTED_FORMAT', 'Expected an image');
      },
    });
    await classify(client).catch(() => {});
    expect(await server.registry.metrics()).toMatch(/Classify",code="UNSUPPORTED_FORMAT"} 1\n/);
  });
});
