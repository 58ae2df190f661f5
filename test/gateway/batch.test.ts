// Several photos of one form, and answers as bare labels.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Stack } from '../../cli/stack.ts';
import type { AnswerJson } from '../../sdk/index.ts';
import type { RunningGateway } from '../../services/gateway/main.ts';
import type { Problem } from '../../services/gateway/problem.ts';
import { classify, form, gatewayOf, PHOTO, problemOf, services, untilQuiet } from './running-gateway.ts';

let stack: Stack;
let gateway: RunningGateway;
beforeAll(async () => {
  stack = await services();
  gateway = await gatewayOf(stack, { maxPhotos: 6, maxBody: 4 * PHOTO.length });
});
afterAll(async () => {
  await gateway.close();
  await stack.close();
});

const CENTER = '?protocol=center-crop&top=2';
const NONE = Buffer.from('no photo');

type Item = AnswerJson & { problem?: Problem };
const photos = (...all: Uint8Array<ArrayBuffer>[]) => ({
  body: form(all.map((photo) => ['photo', photo])),
  headers: {},
});

describe('several photos', () => {
  test('are answered in order; one that is none spoils no other', async () => {
    const alone = (await (await classify(gateway, CENTER)).json()) as AnswerJson;
    const response = await classify(gateway, CENTER, photos(PHOTO, NONE, PHOTO, Buffer.alloc(0)));
    expect(response.status).toBe(200);
    const { answers } = (await response.json()) as { answers: Item[] };
    expect(answers.map(({ photo }) => photo)).toEqual(Array(4).fill('photo.png'));
    expect(answers.map(({ problem }) => problem?.status)).toEqual([undefined, 415, undefined, 400]);
    expect(answers[0]?.predictions).toEqual(alone.predictions);
    expect(answers[2]?.predictions).toEqual(alone.predictions);
    expect(Object.keys(answers[1] ?? {})).toEqual(['photo', 'problem']);
    expect(answers[1]?.problem?.code).toBe('UNSUPPORTED_FORMAT');
    expect(answers[3]?.problem?.detail).toBe('Expected a photo but received no bytes (photo)');
  });

  test('are bounded in number', async () => {
    const tiny = Array.from({ length: 7 }, () => NONE);
    expect(await problemOf(await classify(gateway, CENTER, photos(...tiny)))).toMatchObject({
      status: 400,
      detail: 'Expected a form with at most 6 photos but received more (photo)',
    });
    const six = await classify(gateway, CENTER, photos(...tiny.slice(1)));
    expect(((await six.json()) as { answers: Item[] }).answers).toHaveLength(6);
  });

  test('are bounded in bytes together', async () => {
    const problem = await problemOf(
      await classify(gateway, CENTER, photos(PHOTO, PHOTO, PHOTO, PHOTO, PHOTO)),
    );
    expect(problem).toMatchObject({ status: 413, code: 'TOO_LARGE' });
  });

  test('are no stream of events', async () => {
    const init = { ...photos(PHOTO, PHOTO), headers: { accept: 'text/event-stream' } };
    expect(await problemOf(await classify(gateway, CENTER, init))).toMatchObject({
      status: 400,
      detail: 'Expected one photo for an answer as events but received 2 (photo)',
    });
  });

  test('leave nothing behind when the client goes away', async () => {
    const leave = new AbortController();
    const asked = classify(gateway, '?protocol=dense', {
      ...photos(PHOTO, PHOTO, PHOTO),
      signal: leave.signal,
    });
    setImmediate(() => {
      leave.abort();
    });
    await expect(asked).rejects.toThrow();
    await untilQuiet(stack, gateway);
  });
});

describe('labels', () => {
  const ask = (query: string, init: RequestInit = {}) => {
    const image = { method: 'POST', body: PHOTO, headers: { 'content-type': 'image/png' } };
    return fetch(`${gateway.url}/v1/classify/labels${query}`, { ...image, ...init });
  };

  test('are [{label, score}] alone', async () => {
    const { predictions } = (await (await classify(gateway, CENTER)).json()) as AnswerJson;
    const wanted = predictions.map(({ label, score }) => ({ label, score }));
    expect(wanted).toHaveLength(2);
    const response = await ask(CENTER);
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(await response.json()).toEqual(wanted);
    const type = 'application/vnd.huggingface+json';
    const byType = await classify(gateway, CENTER, {
      headers: { 'content-type': 'image/png', accept: type },
    });
    expect(byType.headers.get('content-type')).toBe(`${type}; charset=utf-8`);
    expect(await byType.json()).toEqual(wanted);
    const several = await ask(CENTER, photos(PHOTO, PHOTO));
    expect(await several.json()).toEqual([wanted, wanted]);
  });

  test('have no room for the problem of one photo', async () => {
    expect(await problemOf(await ask(CENTER, photos(PHOTO, NONE)))).toMatchObject({
      status: 415,
      detail: expect.stringMatching(/ \(photo\[1\]\)$/) as string,
    });
  });

  test.each(['posterior', 'views', 'scoreMaps'])('have no %s', async (option) => {
    expect(await problemOf(await ask(`?${option}=true`))).toMatchObject({
      status: 400,
      detail: 'Expected labels without posterior, views and scoreMaps but received one of them (query)',
    });
  });
});
