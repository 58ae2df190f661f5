// The answer as it forms, over server-sent events.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Stack } from '../../cli/stack.ts';
import type { AnswerJson } from '../../sdk/index.ts';
import type { RunningGateway } from '../../services/gateway/main.ts';
import { classify, gatewayOf, PHOTO, services, until } from './running-gateway.ts';

let stack: Stack;
let gateway: RunningGateway;
beforeAll(async () => {
  stack = await services();
  gateway = await gatewayOf(stack);
});
afterAll(async () => {
  await gateway.close();
  await stack.close();
});

const HEADERS = { 'content-type': 'image/png', accept: 'text/event-stream' };

// Calls that were cancelled, over all methods.
function sum(metrics: string): number {
  const lines = metrics.split('\n').filter((line) => /^vgg_rpc_requests_total.*code="CANCELLED"/.test(line));
  return lines.reduce((total, line) => total + Number(line.split(' ').at(-1)), 0);
}

type Data = AnswerJson & { viewsDone: number; viewsTotal: number };

function eventsOf(text: string): { type: string; data: Data }[] {
  return text.split('\n\n').flatMap((block) => {
    const [, type, data] = /^event: (\w+)\ndata: (.*)$/.exec(block) ?? [];
    return type === undefined || data === undefined ? [] : [{ type, data: JSON.parse(data) as Data }];
  });
}

describe('Accept: text/event-stream', () => {
  test('sends answers that take ever more views, then the same answer as without', async () => {
    const response = await classify(gateway, '?protocol=multi-crop&views=true', { headers: HEADERS });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('x-accel-buffering')).toBe('no');
    const events = eventsOf(await response.text());
    expect(events.map(({ type }) => type)).toEqual([...events.slice(1).map(() => 'answer'), 'done']);
    const answers = events.slice(0, -1).map(({ data }) => data);
    const done = answers.map(({ viewsDone }) => viewsDone);
    expect(done).toEqual([...done].sort((a, b) => a - b));
    expect(done.at(-1)).toBe(150);
    for (const { viewsTotal, viewScores } of answers) {
      expect(viewsTotal).toBe(150);
      expect(viewScores).toBeUndefined();
    }
    const whole = events.at(-1)?.data;
    expect(whole?.viewScores).toHaveLength(150);
    const plain = (await (await classify(gateway, '?protocol=multi-crop')).json()) as AnswerJson;
    expect(whole?.predictions).toEqual(plain.predictions);
  });

  test('is refused as ever before anything is computed', async () => {
    const bad = await classify(gateway, '?scales=5', { headers: HEADERS });
    expect(bad.status).toBe(400);
    expect(bad.headers.get('content-type')).toBe('application/problem+json');
    const none = await classify(gateway, '', { headers: HEADERS, body: Buffer.from('no photo') });
    expect(none.status).toBe(415);
    const unknown = await classify(gateway, '?model=nobody', { headers: HEADERS });
    expect(unknown.status).toBe(404);
  });

  test('ends the call when the client goes away', async () => {
    const cancelled = async () => sum(await stack.aggregator.registry.metrics());
    const before = await cancelled();
    const leave = new AbortController();
    const response = await classify(gateway, '?protocol=dense-and-multi-crop&scales=112,112,112,112', {
      headers: HEADERS,
      signal: leave.signal,
    });
    const reader = response.body?.getReader();
    await reader?.read();
    leave.abort();
    await until('a cancelled call', async () => (await cancelled()) > before);
    // And the next one is answered.
    expect((await classify(gateway, '?protocol=center-crop', { body: PHOTO })).status).toBe(200);
  });
});
