// Slow clients are slow where it matters, at the server's sockets; and in no figure of the others. The client's time is
// virtual: bytes that are not due yet cannot have come, however fast or slow the machine is.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { steady } from '../../loadtest/arrivals/curve.ts';
import { steadyClock, type Clock } from '../../loadtest/clock.ts';
import type { LoadRequest, Outcome, Target } from '../../loadtest/request.ts';
import { runStep } from '../../loadtest/step.ts';
import { grpcTarget } from '../../loadtest/targets/grpc.ts';
import { httpTarget } from '../../loadtest/targets/http.ts';
import { serveFake } from '../host/fake-aggregator.ts';
import { ANSWER, taking } from './queue.ts';
import { idle, VirtualClock } from './virtual-clock.ts';

const kind = { protocol: 'CENTER_CROP' as const, model: '' };

async function serveHttp(handle: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: new URL(`http://127.0.0.1:${String((server.address() as AddressInfo).port)}`),
    close: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}

const http = (url: URL, clock: Clock) => httpTarget({ url, deadlineMs: 3_600_000, cache: false, clock });

function send(target: Target, bytes: Uint8Array, slowBytesPerSecond?: number) {
  const request: LoadRequest = {
    ...{ photo: { name: 'photo.jpg', bytes }, kind },
    ...(slowBytesPerSecond !== undefined && { slowBytesPerSecond }),
  };
  const state = { over: false };
  const answer = target.send(request, new AbortController().signal).finally(() => {
    state.over = true;
  });
  return { answer, state };
}

// Waits, in real time, for what is on its way.
async function arrival(came: () => boolean): Promise<void> {
  for (let i = 0; i < 3000 && !came(); i++) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(came()).toBe(true);
}

describe('over HTTP', () => {
  test('a photo comes at the rate that was asked for', async () => {
    let [head, bytes] = [false, 0];
    const server = await serveHttp((request, response) => {
      head = true;
      request.on('data', (chunk: Buffer) => (bytes += chunk.length));
      request.on('end', () => response.end(JSON.stringify(ANSWER)));
    });
    const clock = new VirtualClock();
    const target = http(server.url, clock);
    const [RATE, SECONDS] = [20_000, 5];
    const { answer, state } = send(target, new Uint8Array(RATE * SECONDS), RATE);
    await arrival(() => head);
    for (let ms = 0; ms < 1000 * SECONDS; ms += 500) {
      // What was due until now has come, or comes; what is due later never does.
      await arrival(() => bytes >= (RATE * ms) / 1000);
      expect(bytes).toBeLessThanOrEqual((RATE * (ms + 100)) / 1000);
      expect(state.over).toBe(false);
      await clock.pass(500);
    }
    await arrival(() => bytes === RATE * SECONDS);
    expect(await clock.run(answer)).toEqual(ANSWER);
    // One that is not slow needs no time to pass.
    bytes = 0;
    expect(await send(target, new Uint8Array(RATE * SECONDS)).answer).toEqual(ANSWER);
    expect(bytes).toBe(RATE * SECONDS);
    await target.close();
    await server.close();
  });

  // Beyond what is read, the systems' buffers take some megabytes.
  const BUFFERS = 16e6;
  const MEGABYTES = 48;

  test('an answer is taken at the rate that was asked for, beyond what buffers hold', async () => {
    const text = JSON.stringify({ ...ANSWER, photo: 'x'.repeat(MEGABYTES * 1e6) });
    let taken = () => 0;
    const server = await serveHttp((request, response) => {
      request.resume().on('end', () => {
        const { socket } = response;
        const before = socket?.bytesWritten ?? 0;
        let written = 0;
        taken = () => written - (socket?.writableLength ?? 0);
        // In pieces, each when the one before has been taken.
        const next = () => {
          const piece = text.slice(written, written + 65_536);
          if (piece === '') return void response.end();
          written += piece.length;
          response.write(piece, next);
        };
        expect(before).toBeGreaterThanOrEqual(0);
        next();
      });
    });
    const clock = new VirtualClock();
    const target = http(server.url, clock);
    const RATE = 1e6;
    const { answer, state } = send(target, new Uint8Array(10), RATE);
    await clock.pass(10);
    await arrival(() => taken() > 0);
    for (let second = 1; second <= 20; second++) {
      await clock.pass(1000);
      expect(taken()).toBeLessThan(RATE * second + BUFFERS);
      expect(state.over).toBe(false);
    }
    // It goes on as time does.
    const { photo } = await clock.run(answer);
    expect(photo).toHaveLength(MEGABYTES * 1e6);
    expect(clock.now()).toBeGreaterThan(1000 * MEGABYTES);
    await target.close();
    await server.close();
  });
});

describe('over gRPC', () => {
  test('a running answer is taken at the rate that was asked for, beyond what buffers hold', async () => {
    const [MESSAGES, CLASSES] = [4000, 1000];
    let sent = 0;
    const posterior = Buffer.from(new Float32Array(CLASSES).fill(1 / CLASSES).buffer);
    const server = await serveFake({
      async *ClassifyStream() {
        for (sent = 0; sent < MESSAGES;) {
          await Promise.resolve();
          yield { viewsDone: ++sent, viewsTotal: MESSAGES, answer: { models: ['queue'], posterior } };
        }
      },
    });
    const clock = new VirtualClock();
    const target = grpcTarget({ address: server.address, deadlineMs: 3_600_000, attempts: 1, clock });
    const { answer, state } = send(target, new Uint8Array(10), 100_000);
    await arrival(() => sent > 0);
    await clock.pass(2000);
    expect(state.over).toBe(false);
    expect(sent).toBeLessThan(MESSAGES / 2);
    // All of it takes the time of all of it: a message is some kilobytes of text.
    await clock.run(answer);
    expect(sent).toBe(MESSAGES);
    expect(clock.now()).toBeGreaterThan(MESSAGES * 10);
    await target.close();
    await server.close();
  });
});

describe('a step', () => {
  // Answers take 10 ms, those of slow clients 5 s.
  const target = (clock: VirtualClock): Target => ({
    send: ({ slowBytesPerSecond }) =>
      new Promise((resolve) => {
        clock.at(clock.now() + (slowBytesPerSecond === undefined ? 10 : 5000), () => {
          resolve(ANSWER);
        });
      }),
    close: () => Promise.resolve(),
  });

  test('counts them as slow, and has them in no other figure', async () => {
    const run = async (part: number) => {
      const clock = new VirtualClock();
      return await clock.run(
        runStep({
          load: { loop: 'open', spread: 'constant', curve: steady(50, 10) },
          workload: {
            ...{ photos: [taking(10)], kinds: [{ what: kind, weight: 1 }] },
            slow: { part, bytesPerSecond: 1000 },
          },
          bound: { percentile: 90, ms: 100 },
          ...{ warmUpSeconds: 0, seed: 1, target: target(clock), clock, watch: idle },
        }),
      );
    };
    const [none, some] = [await run(0), await run(0.3)];
    const { sent, answered, slow } = some.requests;
    expect(none.requests).toMatchObject({ sent: 500, answered: 500, slow: 0 });
    expect([sent, answered + slow]).toEqual([500, 500]);
    expect(slow).toBeGreaterThan(100);
    expect(slow).toBeLessThan(200);
    for (const { latency, serviceTime, requests, bound, stability, kinds } of [none, some]) {
      expect(latency.max).toBeCloseTo(10, 6);
      expect(serviceTime.count).toBe(requests.answered);
      expect(latency.count).toBe(requests.answered);
      expect(bound).toMatchObject({ kept: true, requests: requests.answered, late: 0 });
      expect(stability.stable, stability.reason).toBe(true);
      expect(kinds[0]?.latency.count).toBe(requests.answered);
    }
  });

  test('over real sockets the slow ones are slow, and the others are those that are measured', async () => {
    // By the moment that the server had the whole photo.
    const server = await serveHttp((request, response) => {
      request.resume().on('end', () => response.end(JSON.stringify(ANSWER)));
    });
    const target = http(server.url, steadyClock);
    const outcomes: Outcome[] = [];
    const step = await runStep({
      load: { loop: 'open', spread: 'constant', curve: steady(20, 2) },
      // A photo takes a slow client a second.
      workload: {
        ...{
          photos: [{ name: 'photo.jpg', bytes: new Uint8Array(10_000) }],
          kinds: [{ what: kind, weight: 1 }],
        },
        slow: { part: 0.4, bytesPerSecond: 10_000 },
      },
      ...{ warmUpSeconds: 0, seed: 1, target },
      onOutcome: (outcome) => outcomes.push(outcome),
    });
    await target.close();
    await server.close();
    const slow = outcomes.filter(({ request }) => request.slowBytesPerSecond !== undefined);
    expect(slow.length).toBeGreaterThan(0);
    for (const outcome of slow) {
      expect(outcome.end).toBe('answered');
      // The last of ten pieces is sent after nine tenths of it.
      if (outcome.end === 'answered') expect(outcome.endedMs - outcome.sentMs).toBeGreaterThan(890);
    }
    expect(step.requests).toMatchObject({
      slow: slow.length,
      answered: outcomes.length - slow.length,
      failed: 0,
    });
    expect(step.latency.count).toBe(outcomes.length - slow.length);
  });
});
