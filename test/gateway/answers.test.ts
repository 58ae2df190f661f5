// Answers that are kept and shared, over real sockets and services: what is computed is told by the metrics of
// inference.

import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Stack } from '../../cli/stack.ts';
import type { AnswerJson } from '../../sdk/index.ts';
import type { RunningGateway } from '../../services/gateway/main.ts';
import {
  cancelledCalls,
  classify,
  gatewayOf,
  metric,
  PHOTO,
  problemOf,
  services,
  until,
  untilQuiet,
} from './running-gateway.ts';

const MISS = 'vgg-serve; fwd=miss; stored';
const HIT = 'vgg-serve; hit';
const COLLAPSED = 'vgg-serve; fwd=miss; collapsed';
const BYPASS = 'vgg-serve; fwd=bypass';
const VIEWS = 'vgg_inference_views_total';
const IMAGE = { 'content-type': 'image/png' };
// Much work, so that others come while it is done.
const SLOW = '?protocol=dense-and-multi-crop&grid=10&scales=200,224&share=off';

let stack: Stack;
let gateway: RunningGateway;
beforeAll(async () => {
  stack = await services();
});
afterAll(async () => {
  await stack.close();
});
beforeEach(async () => {
  gateway = await gatewayOf(stack);
});
afterEach(async () => {
  await gateway.close();
});

const views = () => metric(stack.inference, VIEWS);
const given = (source: string, by = gateway) => metric(by, `vgg_http_answers_total{source="${source}"}`);
const status = (response: Response) => response.headers.get('cache-status');

async function answer(query: string, headers: Record<string, string> = {}, by = gateway) {
  const response = await classify(by, query, { headers: { ...IMAGE, ...headers } });
  expect(response.status, await response.clone().text()).toBe(200);
  return { response, cache: status(response), body: (await response.json()) as AnswerJson };
}

describe('an answer that was given', () => {
  test('is given again without computing, and says so', async () => {
    const first = await answer('?protocol=center-crop&posterior=true&views=true');
    expect(first.cache).toBe(MISS);
    expect(first.body).not.toHaveProperty('cached');
    const before = await views();
    const again = await answer('?protocol=center-crop&posterior=true&views=true');
    expect(again.cache).toBe(HIT);
    expect(again.body).toEqual({ ...first.body, cached: true });
    expect(await views()).toBe(before);
    // No time went where nothing was computed.
    expect(again.response.headers.get('server-timing')).toMatch(/^total;dur=[\d.]+$/);
    expect([await given('miss'), await given('hit')]).toEqual([1, 1]);
    expect(await metric(gateway, 'vgg_http_answer_bytes')).toBeGreaterThan(JSON.stringify(first.body).length);
  });

  test.each([
    '?protocol=center-crop&top=3',
    '?protocol=center-crop&posterior=true',
    '?protocol=center-crop&views=true',
    '?protocol=center-crop&scoreMaps=true',
    '?protocol=center-crop&scales=72',
    '?protocol=center-crop&kernel=cubic',
    '?protocol=center-crop&share=off',
    '?protocol=ten-crop',
  ])('is not given to %s', async (query) => {
    await answer('?protocol=center-crop');
    const other = await answer(query);
    expect([other.cache, other.body.cached]).toEqual([MISS, undefined]);
  });

  test('is given whatever the photo’s name is, however the query is written and the photo sent', async () => {
    const first = await answer('?protocol=center-crop&top=2');
    const data = new FormData();
    data.append('photo', new Blob([PHOTO]), 'another.png');
    const response = await classify(gateway, '?top=2.0&model=caltech-101-d&protocol=CENTER_CROP', {
      body: data,
      headers: {},
    });
    expect(status(response)).toBe(HIT);
    expect(await response.json()).toEqual({ ...first.body, photo: 'another.png', cached: true });
  });

  test.each(['no-cache', 'no-store', 'max-age=0'])(
    'is neither given nor kept with Cache-Control: %s',
    async (value) => {
      const refused = await answer('?protocol=center-crop', { 'cache-control': value });
      expect(refused.cache).toBe(BYPASS);
      expect((await answer('?protocol=center-crop')).cache).toBe(MISS);
      const before = await views();
      const anew = await answer('?protocol=center-crop', { 'cache-control': value });
      expect([anew.cache, anew.body.cached]).toEqual([BYPASS, undefined]);
      expect((await views()) - before).toBe(3);
      expect(await given('bypass')).toBe(2);
    },
  );

  test('is forgotten when its time is over', async () => {
    let later = 0;
    const now = () => performance.now() + later;
    const forgetful = await gatewayOf(stack, { answerTtl: 60_000 }, { now });
    expect((await answer('?protocol=center-crop', {}, forgetful)).cache).toBe(MISS);
    expect((await answer('?protocol=center-crop', {}, forgetful)).cache).toBe(HIT);
    later = 60_001;
    expect((await answer('?protocol=center-crop', {}, forgetful)).cache).toBe(MISS);
    await forgetful.close();
  });

  test('is not kept where the config says so', async () => {
    const plain = await gatewayOf(stack, { answerCache: 0 });
    const before = await views();
    for (let time = 0; time < 2; time++)
      expect((await answer('?protocol=center-crop', {}, plain)).cache).toBe(BYPASS);
    expect((await views()) - before).toBe(6);
    await plain.close();
  });

  test('over a hundred different questions, all that are kept stay within the bound', async () => {
    const bound = 20_000;
    const small = await gatewayOf(stack, { answerCache: bound });
    const ask = (top: number) => answer(`?protocol=center-crop&scales=72&top=${String(top)}`, {}, small);
    for (let top = 1; top <= 100; top++) {
      expect((await ask(top)).cache).toBe(MISS);
      const bytes = await metric(small, 'vgg_http_answer_bytes');
      expect(bytes).toBeGreaterThan(0);
      expect(bytes).toBeLessThanOrEqual(bound);
    }
    expect(await metric(small, 'vgg_http_answer_evictions_total')).toBeGreaterThan(50);
    expect((await ask(100)).cache).toBe(HIT);
    expect((await ask(1)).cache).toBe(MISS);
    await small.close();
  });

  test('that is larger than the bound is not kept', async () => {
    const tiny = await gatewayOf(stack, { answerCache: 1000 });
    for (let time = 0; time < 2; time++) {
      const { cache } = await answer('?protocol=center-crop&posterior=true', {}, tiny);
      expect(cache).toBe('vgg-serve; fwd=miss');
    }
    expect(await metric(tiny, 'vgg_http_answer_bytes')).toBe(0);
    await tiny.close();
  });
});

describe('an answer by events', () => {
  const EVENTS = { accept: 'text/event-stream' };
  const types = (text: string) => [...text.matchAll(/^event: (\w+)$/gm)].map(([, type]) => type);

  test('is kept at its end; the next ones are given at once, as events or whole', async () => {
    const first = await classify(gateway, '?protocol=ten-crop', { headers: { ...IMAGE, ...EVENTS } });
    expect(status(first)).toBe('vgg-serve; fwd=miss');
    const done = /event: done\ndata: (.*)\n/.exec(await first.text())?.[1] ?? '';
    const before = await views();
    const again = await classify(gateway, '?protocol=ten-crop', { headers: { ...IMAGE, ...EVENTS } });
    expect(status(again)).toBe(HIT);
    expect(again.headers.get('content-type')).toBe('text/event-stream');
    const text = await again.text();
    expect(types(text)).toEqual(['done']);
    const data = JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? '') as AnswerJson;
    expect(data).toEqual({ ...(JSON.parse(done) as AnswerJson), cached: true });
    const whole = await answer('?protocol=ten-crop');
    expect([whole.cache, whole.body]).toEqual([HIT, data]);
    expect(await views()).toBe(before);
  });

  test('is computed anew with Cache-Control: no-cache', async () => {
    await answer('?protocol=center-crop');
    const headers = { ...IMAGE, ...EVENTS, 'cache-control': 'no-cache' };
    const anew = await classify(gateway, '?protocol=center-crop', { headers });
    expect(status(anew)).toBe(BYPASS);
    expect(types(await anew.text()).length).toBeGreaterThan(1);
  });
});

describe('the same question at the same time', () => {
  test('is computed once for twenty', async () => {
    const before = await views();
    const all = await Promise.all(Array.from({ length: 20 }, () => answer('?protocol=multi-crop&share=off')));
    expect((await views()) - before).toBe(150);
    for (const { body } of all) expect(body.predictions).toEqual(all[0]?.body.predictions);
    const counts = [await given('miss'), (await given('hit')) + (await given('coalesced'))];
    expect(counts).toEqual([1, 19]);
    expect(all.filter(({ cache }) => cache === MISS)).toHaveLength(1);
    const collapsed = all.filter(({ cache }) => cache === COLLAPSED);
    expect(collapsed.length).toBe(await given('coalesced'));
    for (const { body } of collapsed) expect(body).not.toHaveProperty('cached');
  });

  test.each([
    ['who began', 0],
    ['who joined', 1],
  ])('goes on when the one %s leaves', async (_name, leaver) => {
    const before = await views();
    const two = await pair();
    two[leaver]?.leave.abort();
    await expect(two[leaver]?.answered).rejects.toThrow();
    await until('one that left', async () => (await metric(gateway, 'vgg_http_abandoned_total')) === 1);
    const response = await two[1 - leaver]?.answered;
    expect(response?.status).toBe(200);
    const body = (await response?.json()) as AnswerJson;
    expect((await views()) - before).toBe(body.views);
    await untilQuiet(stack, gateway);
  });

  test('is cancelled when both leave, and computed anew for the next', async () => {
    const gone = () => cancelledCalls(stack);
    const before = await gone();
    const two = await pair();
    await until('a call', () => stack.aggregator.inFlight > 0);
    const [first, second] = two;
    first?.leave.abort();
    await until('one that left', async () => (await metric(gateway, 'vgg_http_abandoned_total')) === 1);
    expect(await gone()).toBe(before);
    second?.leave.abort();
    for (const { answered } of two) await expect(answered).rejects.toThrow();
    await until('a cancelled call', async () => (await gone()) === before + 1);
    await untilQuiet(stack, gateway);
    expect(await metric(gateway, 'vgg_http_answer_bytes')).toBe(0);
    expect((await answer(SLOW)).cache).toBe(MISS);
  });

  test('fails for each at its own deadline, and the failure is not kept', async () => {
    const hasty = await gatewayOf(stack, { deadline: 200 });
    const late = await Promise.all([classify(hasty, SLOW), classify(hasty, SLOW)]);
    for (const response of late) {
      const { status: code, detail } = await problemOf(response);
      expect([code, detail]).toEqual([504, 'There was no answer in time']);
    }
    await untilQuiet(stack, hasty);
    expect(await metric(hasty, 'vgg_http_answer_bytes')).toBe(0);
    await hasty.close();
  });

  // Two who ask the same: the second one joins the first.
  async function pair() {
    const joined = await given('coalesced');
    const ask = () => {
      const leave = new AbortController();
      const answered = classify(gateway, SLOW, { signal: leave.signal });
      answered.catch(() => undefined); // Whoever leaves is not answered.
      return { leave, answered };
    };
    const first = ask();
    await until('one that computes', async () => (await given('miss')) > 0);
    const second = ask();
    await until('one that joins', async () => (await given('coalesced')) > joined);
    return [first, second];
  }
});

test('a call that is killed fails for all who wait for it, and the next one is computed', async () => {
  const [host = '', port = ''] = stack.aggregator.address.split(':');
  const sockets = new Set<Socket>();
  const forward = (incoming: Socket) => {
    const outgoing = connect(Number(port), host);
    for (const socket of [incoming, outgoing]) {
      sockets.add(socket);
      socket.on('error', () => undefined); // They are killed here.
    }
    incoming.pipe(outgoing).pipe(incoming);
  };
  let wire = createServer(forward).listen(0, '127.0.0.1');
  await new Promise((resolve) => wire.once('listening', resolve));
  const at = (wire.address() as AddressInfo).port;
  const aggregator = { address: `127.0.0.1:${String(at)}` };
  const cut = await gatewayOf({ ...stack, aggregator: { ...stack.aggregator, ...aggregator } });
  const both = [classify(cut, SLOW), classify(cut, SLOW)];
  await until('both to wait', async () => (await given('miss', cut)) + (await given('coalesced', cut)) === 2);
  await until('views', async () => (await metric(stack.inference, 'vgg_inference_backlog_views')) > 0);
  wire.close();
  for (const socket of sockets) socket.destroy();
  for (const response of await Promise.all(both)) {
    expect(response.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
    expect((await problemOf(response)).code).toBe('UNAVAILABLE');
  }
  expect(await metric(cut, 'vgg_http_answer_bytes')).toBe(0);
  wire = createServer(forward).listen(at, '127.0.0.1');
  let last = '';
  await until('an answer', async () => {
    const response = await classify(cut, SLOW);
    last = status(response) ?? '';
    return response.status === 200;
  });
  expect(last).toBe(MISS);
  expect((await answer(SLOW, {}, cut)).cache).toBe(HIT);
  await cut.close();
  wire.close();
  for (const socket of sockets) socket.destroy();
});

describe('two credentials', () => {
  let folder: string;
  let guarded: RunningGateway;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'vgg-answers-'));
    const hash = (key: string) => createHash('sha256').update(key).digest('hex');
    await writeFile(join(folder, 'keys'), `${hash('one')} team\n${hash('other')} team\n`);
    guarded = await gatewayOf(stack, { apiKeys: join(folder, 'keys') });
  });
  afterAll(async () => {
    await guarded.close();
    await rm(folder, { recursive: true });
  });
  const [one, other] = [{ 'x-api-key': 'one' }, { 'x-api-key': 'other' }];

  test('are never given each other’s answers, even of one name', async () => {
    const before = await views();
    expect((await answer('?protocol=center-crop', one, guarded)).cache).toBe(MISS);
    expect((await answer('?protocol=center-crop', other, guarded)).cache).toBe(MISS);
    expect((await views()) - before).toBe(6);
    expect((await answer('?protocol=center-crop', { authorization: 'Bearer one' }, guarded)).cache).toBe(HIT);
    expect((await answer('?protocol=center-crop', other, guarded)).cache).toBe(HIT);
  });

  test('never share a computation', async () => {
    const before = await views();
    const asked = [one, other, one, other, one, other].map((key) => answer('?share=off', key, guarded));
    await Promise.all(asked);
    expect((await views()) - before).toBe(2 * 150);
  });

  test('without one nothing is given, kept or not', async () => {
    const response = await classify(guarded, '?protocol=center-crop');
    expect(response.status).toBe(401);
    expect(status(response)).toBeNull();
  });
});
