// Several photos in one form, and answers as labels alone, over real sockets and services.

import sharp from 'sharp';
import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, test } from 'vitest';
import type { Stack } from '../../cli/stack.ts';
import type { AnswerJson } from '../../sdk/index.ts';
import type { BatchJson } from '../../services/gateway/answers/route.ts';
import type { RunningGateway } from '../../services/gateway/main.ts';
import {
  cancelledCalls,
  classify,
  form,
  gatewayOf,
  metric,
  PHOTO,
  problemOf,
  services,
  until,
} from './running-gateway.ts';

const VIEWS = 'vgg_inference_views_total';
const CENTER = '?protocol=center-crop';
const HUGGING_FACE = 'application/vnd.huggingface+json';

let stack: Stack;
let gateway: RunningGateway;
let others: Buffer<ArrayBuffer>[];
beforeAll(async () => {
  stack = await services();
  const turned = [90, 180, 270].map((angle) => sharp(PHOTO).rotate(angle).png().toBuffer());
  others = (await Promise.all(turned)).map((photo) => Buffer.from(photo));
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

// A form of photos, each by its name.
function photos(...files: [name: string, bytes: Uint8Array<ArrayBuffer>][]): FormData {
  const data = new FormData();
  for (const [name, bytes] of files) data.append('photo', new Blob([bytes]), name);
  return data;
}

const three = (): [string, Uint8Array<ArrayBuffer>][] =>
  [PHOTO, ...others.slice(0, 2)].map((bytes, i) => [`${String(i)}.png`, bytes]);

const send = (query: string, body: FormData, headers: Record<string, string> = {}) =>
  classify(gateway, query, { body, headers });

async function answers(query: string, body: FormData): Promise<BatchJson['answers']> {
  const response = await send(query, body);
  expect(response.status, await response.clone().text()).toBe(200);
  expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
  return ((await response.json()) as BatchJson).answers;
}

async function alone(query: string, photo: Uint8Array<ArrayBuffer>): Promise<AnswerJson> {
  const response = await classify(gateway, query, {
    body: photo,
    headers: { 'content-type': 'image/png', 'cache-control': 'no-cache' },
  });
  expect(response.status).toBe(200);
  return (await response.json()) as AnswerJson;
}

describe('several photos', () => {
  test('are each answered as if they came alone, in their order', async () => {
    const all = await answers(`${CENTER}&top=3`, photos(...three()));
    expect(all.map(({ photo }) => photo)).toEqual(['0.png', '1.png', '2.png']);
    for (const [i, [, bytes]] of three().entries()) {
      const { predictions } = await alone(`${CENTER}&top=3`, bytes);
      const given = (all[i] as AnswerJson).predictions;
      expect(given.map(({ label }) => label)).toEqual(predictions.map(({ label }) => label));
      for (const [place, { score }] of given.entries()) {
        expect(score).toBeCloseTo(predictions[place]?.score ?? NaN, 5);
      }
    }
    // Photos that look different: what belongs to whom can be told.
    const [first, second] = all as AnswerJson[];
    expect(first?.predictions).not.toEqual(second?.predictions);
  });

  test('one that is none does not spoil the others', async () => {
    const files = three();
    files.splice(1, 0, ['notes.txt', Buffer.from('no photo at all')], ['empty.png', Buffer.from('')]);
    const all = await answers(CENTER, photos(...files));
    expect(all.map((each) => 'problem' in each)).toEqual([false, true, true, false, false]);
    expect(all[1]).toEqual({
      photo: 'notes.txt',
      problem: {
        type: 'about:blank',
        title: 'Unsupported Media Type',
        status: 415,
        code: 'UNSUPPORTED_FORMAT',
        detail: 'Expected a JPEG, PNG, WebP, AVIF, TIFF or GIF image but received text (photo)',
        errors: [
          {
            field: 'photo',
            message: 'Expected a JPEG, PNG, WebP, AVIF, TIFF or GIF image but received text (photo)',
          },
        ],
      },
    });
    expect(all[2]).toMatchObject({
      photo: 'empty.png',
      problem: { status: 400, detail: 'Expected a photo but received no bytes (photo)' },
    });
  });

  test('all of which fail are still answered', async () => {
    const all = await answers(`${CENTER}&model=nobody`, photos(...three()));
    const codes = all.map((each) => 'problem' in each && each.problem.code);
    expect(codes).toEqual(['NOT_FOUND', 'NOT_FOUND', 'NOT_FOUND']);
  });

  test('that are the same are computed once, and not again when they come again', async () => {
    const before = await metric(stack.inference, VIEWS);
    const same = photos(['a', PHOTO], ['b', PHOTO], ['c', PHOTO]);
    const response = await send(CENTER, same);
    const all = ((await response.json()) as { answers: AnswerJson[] }).answers;
    expect(all.map(({ photo }) => photo)).toEqual(['a', 'b', 'c']);
    expect((await metric(stack.inference, VIEWS)) - before).toBe(3);
    const partly = await send(CENTER, photos(['a', PHOTO], ['d', others[2] ?? PHOTO]));
    expect(partly.headers.get('cache-status')).toBe('vgg-serve; fwd=partial; stored');
    const [kept, fresh] = ((await partly.json()) as { answers: AnswerJson[] }).answers;
    expect([kept?.cached, fresh?.cached]).toEqual([true, undefined]);
    const whole = await send(CENTER, photos(['a', PHOTO], ['d', others[2] ?? PHOTO]));
    expect(whole.headers.get('cache-status')).toBe('vgg-serve; hit');
  });

  test('one photo in a form is one answer', async () => {
    const response = await send(CENTER, photos(['a.png', PHOTO]));
    expect((await response.json()) as AnswerJson).toMatchObject({ photo: 'a.png', model: 'caltech-101-d' });
  });

  test('a form with anything else is refused whole', async () => {
    const body = photos(['a.png', PHOTO], ['b.png', PHOTO]);
    body.append('model', 'x');
    const { status, detail } = await problemOf(await send(CENTER, body));
    expect([status, detail]).toEqual([
      400,
      'Expected a form with one field, photo; options are in the query but received model (form)',
    ]);
  });

  test('are 32 at most unless the config says otherwise', async () => {
    const files = (count: number) =>
      photos(...Array.from({ length: count }, (_each, i): [string, typeof PHOTO] => [String(i), PHOTO]));
    expect(await answers(CENTER, files(32))).toHaveLength(32);
    const { status, detail } = await problemOf(await send(CENTER, files(33)));
    expect([status, detail]).toEqual([
      400,
      'Expected a form with at most 32 photos but received more (photo)',
    ]);
  });

  test('are not sent as events', async () => {
    const response = await send(CENTER, photos(...three()), { accept: 'text/event-stream' });
    const { status, detail } = await problemOf(response);
    expect([status, detail]).toEqual([
      400,
      'Expected one photo for an answer as events but received 3 (photo)',
    ]);
  });

  test('are all let go when the client leaves', async () => {
    const before = await cancelledCalls(stack);
    const leave = new AbortController();
    const slow = '?protocol=dense-and-multi-crop&grid=10&scales=200,224&share=off';
    const body = photos(...three());
    const answered = classify(gateway, slow, { body, headers: {}, signal: leave.signal });
    answered.catch(() => undefined); // Nobody waits for it.
    await until('all calls', () => stack.aggregator.inFlight === 3);
    leave.abort();
    await until('cancelled calls', async () => (await cancelledCalls(stack)) === before + 3);
    await until('no call', () => stack.aggregator.inFlight === 0);
    expect(await metric(gateway, 'vgg_http_answer_bytes')).toBe(0);
  });
});

describe('labels', () => {
  const path = '/v1/classify/labels';
  const post = (query: string, body: NonNullable<RequestInit['body']>, headers: Record<string, string>) =>
    fetch(gateway.url + path + query, { method: 'POST', body, headers });
  const image = { 'content-type': 'image/png' };

  test('are a bare list at their own path, and wherever they are accepted', async () => {
    const { predictions } = await alone(`${CENTER}&top=3`, PHOTO);
    const wanted = predictions.map(({ label, score }) => ({ label, score }));
    const atPath = await post(`${CENTER}&top=3`, PHOTO, image);
    const accept = `text/html;q=0.1, ${HUGGING_FACE}`;
    const accepted = await classify(gateway, `${CENTER}&top=3`, { headers: { ...image, accept } });
    for (const [response, type] of [
      [atPath, 'application/json'],
      [accepted, HUGGING_FACE],
    ] as const) {
      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toBe(`${type}; charset=utf-8`);
      expect(await response.json()).toEqual(wanted);
    }
    // One question, two forms of its answer.
    expect(accepted.headers.get('cache-status')).toBe('vgg-serve; hit');
  });

  test('of several photos are lists in a list', async () => {
    const lists = (await (await post(CENTER, photos(...three()), {})).json()) as unknown[];
    expect(lists).toHaveLength(3);
    const whole = (await answers(CENTER, photos(...three()))) as AnswerJson[];
    expect(lists).toEqual(
      whole.map(({ predictions }) => predictions.map(({ label, score }) => ({ label, score }))),
    );
  });

  test('fail for all photos where one fails', async () => {
    const body = photos(['a.png', PHOTO], ['b.png', Buffer.from('%PDF-1.7\n')]);
    const { status, detail } = await problemOf(await post(CENTER, body, {}));
    expect([status, detail]).toEqual([
      415,
      'Expected a JPEG, PNG, WebP, AVIF, TIFF or GIF image but received a PDF file (photo[1])',
    ]);
  });

  test.each<[string, () => Promise<Response>, number, string]>([
    [
      'a wrong option',
      () => post('?top=many', PHOTO, image),
      400,
      'Expected a number but received many (top)',
    ],
    [
      'a form without a photo',
      () => post('', form([['picture', PHOTO]]), {}),
      400,
      'Expected a form with one field, photo; options are in the query but received picture (form)',
    ],
    [
      'the JSON that other servers take URLs in',
      () => post('', '{"inputs":"https://example.org/cat.jpg"}', { 'content-type': 'application/json' }),
      415,
      'Expected Content-Type image/* or multipart/form-data with the photo itself, as URLs are deliberately not fetched, but received application/json (Content-Type)',
    ],
    ...['posterior', 'views', 'scoreMaps'].map(
      (option): [string, () => Promise<Response>, number, string] => [
        option,
        () => post(`?${option}=true`, PHOTO, image),
        400,
        'Expected labels without posterior, views and scoreMaps but received one of them (query)',
      ],
    ),
  ])('are refused for %s as answers are', async (_name, ask, status, detail) => {
    const problem = await problemOf(await ask());
    expect([problem.status, problem.detail]).toEqual([status, detail]);
  });
});
