// Photos over HTTP, as apps send them, and what the answers look like.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Stack } from '../../cli/stack.ts';
import type { RunningGateway } from '../../services/gateway/main.ts';
import type { AnswerJson } from '../../sdk/index.ts';
import { serveFakes } from '../sdk/fake-services.ts';
import { classify, form, gatewayOf, PHOTO, services } from './running-gateway.ts';

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

async function answer(query = '', init: RequestInit = {}): Promise<AnswerJson> {
  const response = await classify(gateway, query, init);
  expect(response.status, await response.clone().text()).toBe(200);
  return (await response.json()) as AnswerJson;
}

const KEYS = ['photo', 'model', 'network', 'protocol', 'scales', 'views', 'engine', 'predictions', 'timing'];

describe('POST /v1/classify', () => {
  test('answers a photo that is the body, with exactly the documented keys', async () => {
    const response = await classify(gateway);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    const body = (await response.json()) as AnswerJson;
    expect(Object.keys(body).sort()).toEqual([...KEYS].sort());
    expect(body).toMatchObject({
      photo: '',
      model: 'caltech-101-d',
      network: 'D',
      protocol: 'MULTI_CROP',
      scales: [72, 92, 112],
      views: 150,
      engine: 'onnx',
    });
    expect(body.predictions).toHaveLength(5);
    for (const prediction of body.predictions) {
      expect(Object.keys(prediction).sort()).toEqual(['classIndex', 'label', 'score']);
      expect(typeof prediction.label).toBe('string');
    }
    const scores = body.predictions.map(({ score }) => score);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    expect(Object.keys(body.timing).sort()).toEqual(['computeMs', 'prepareMs', 'queueMs', 'totalMs']);
    expect(Object.values(body.timing).every((ms) => ms >= 0)).toBe(true);
    expect(body.timing.totalMs).toBeGreaterThan(0);
  });

  test('says in Server-Timing where the time went', async () => {
    const response = await classify(gateway, '?protocol=center-crop');
    const spans = (response.headers.get('server-timing') ?? '').split(', ');
    expect(spans.map((span) => span.split(';')[0])).toEqual(['prepare', 'queue', 'compute', 'total']);
    for (const span of spans) expect(span).toMatch(/^\w+;dur=\d+\.\d$/);
  });

  test('answers the same whether the photo is the body or the field photo of a form', async () => {
    const plain = await answer('?protocol=ten-crop');
    const body = form([['photo', PHOTO]]);
    const formed = await answer('?protocol=ten-crop', { body, headers: {} });
    expect(formed.photo).toBe('photo.png');
    expect(formed.predictions).toEqual(plain.predictions);
  });

  test('takes octets for an image: its bytes decide', async () => {
    const octets = await answer('?protocol=center-crop', {
      headers: { 'content-type': 'application/octet-stream' },
    });
    const mistaken = await answer('?protocol=center-crop', { headers: { 'content-type': 'image/jpeg' } });
    expect(mistaken.predictions).toEqual(octets.predictions);
  });

  test('takes a body whose length is not said beforehand', async () => {
    const stream = new Blob([PHOTO]).stream();
    const streamed = await answer('?protocol=center-crop', { body: stream, duplex: 'half' });
    expect(streamed.views).toBe(3);
  });

  test.each([
    ['MULTI_CROP', 'MULTI_CROP', 50],
    ['multi-crop', 'MULTI_CROP', 50],
    ['multi_crop', 'MULTI_CROP', 50],
    ['Multi-Crop', 'MULTI_CROP', 50],
    ['center-crop', 'CENTER_CROP', 1],
    ['TEN_CROP', 'TEN_CROP', 10],
    ['dense', 'DENSE', 2],
    ['dense-and-multi-crop', 'DENSE_AND_MULTI_CROP', 52],
  ])('protocol %s is %s', async (spelling, protocol, views) => {
    expect(await answer(`?protocol=${spelling}&scales=80`)).toMatchObject({ protocol, views, scales: [80] });
  });

  test('takes GoogLeNet’s protocol with its own scales', async () => {
    const { scales, views } = await answer('?protocol=googlenet-144');
    expect({ scales, views }).toEqual({ scales: [73, 82, 91, 101], views: 144 });
  });

  test('takes scales and grid', async () => {
    expect(await answer('?scales=64,100&grid=2')).toMatchObject({ scales: [64, 100], views: 16 });
    expect(await answer('?scales=8e1&grid=1')).toMatchObject({ scales: [80], views: 2 });
  });

  test('an option without a value is one that is not given', async () => {
    const { scales, views, predictions } = await answer(
      '?protocol=center-crop&scales=&grid=&top=&model=&kernel=',
    );
    expect({ scales, views, top: predictions.length }).toEqual({ scales: [72, 92, 112], views: 3, top: 5 });
  });

  test('takes top, and gives no more than there are classes', async () => {
    expect((await answer('?protocol=center-crop&top=1')).predictions).toHaveLength(1);
    expect((await answer('?protocol=center-crop&top=7')).predictions).toHaveLength(7);
    expect((await answer('?protocol=center-crop&top=1000000')).predictions).toHaveLength(100);
  });

  test('takes a model by its name', async () => {
    expect((await answer('?protocol=center-crop&model=caltech-101-d')).model).toBe('caltech-101-d');
  });

  test('takes kernel, align and scoreOrder in any spelling', async () => {
    const plain = await answer('?protocol=dense&scales=146');
    for (const option of ['kernel=Nearest', 'scoreOrder=softmax-then-mean']) {
      const other = await answer(`?protocol=dense&scales=146&${option}`);
      expect(other.predictions).not.toEqual(plain.predictions);
    }
    expect((await answer('?scales=73&align=8')).views).toBe(50);
  });

  test('asks for what the query says of share and stop, in any spelling', async () => {
    const asked: unknown[] = [];
    const fakes = await serveFakes({
      aggregator: {
        Classify({ evaluation }) {
          asked.push([evaluation?.share, evaluation?.stop]);
          return { answer: {} };
        },
      },
    });
    const before = await gatewayOf({ aggregator: fakes, inference: fakes });
    try {
      for (const query of [
        '',
        '?share=&stop=',
        '?share=auto&stop=none',
        '?share=off&stop=exact',
        '?stop=EXACT',
      ])
        expect((await classify(before, query)).status).toBe(200);
    } finally {
      await before.close();
      await fakes.close();
    }
    expect(asked).toEqual([
      ['SHARE_UNSPECIFIED', 'STOP_UNSPECIFIED'],
      ['SHARE_UNSPECIFIED', 'STOP_UNSPECIFIED'],
      ['SHARE_AUTO', 'STOP_NONE'],
      ['SHARE_OFF', 'STOP_EXACT'],
      ['SHARE_UNSPECIFIED', 'STOP_EXACT'],
    ]);
  });

  test('gives the same answer to 1e-5 whether views share or not', async () => {
    const [auto, off] = [
      await answer('?protocol=multi-crop&posterior=true'),
      await answer('?protocol=multi-crop&posterior=true&share=off'),
    ];
    expect([auto.views, off.views]).toEqual([150, 150]);
    const differences = auto.posterior?.map((score, i) => Math.abs(score - (off.posterior?.[i] ?? NaN)));
    expect(differences).toHaveLength(100);
    expect(Math.max(...(differences ?? []))).toBeLessThan(1e-5);
  });

  test('stops early if asked, and says how many views there were', async () => {
    const early = await answer('?stop=exact&posterior=true&views=1');
    expect(Object.keys(early).sort()).toEqual([...KEYS, 'posterior', 'viewScores', 'viewsTotal'].sort());
    const { views, viewsTotal, viewScores, posterior } = early;
    expect({ viewsTotal, scored: viewScores?.length }).toEqual({ viewsTotal: 150, scored: views });
    expect(views).toBeLessThan(150);
    expect(posterior?.reduce((sum, each) => sum + each, 0)).toBeCloseTo(1, 5);
    expect(early.predictions[0]?.label).toBe((await answer('')).predictions[0]?.label);
  });

  test('gives the posterior if asked', async () => {
    const { posterior = [], predictions } = await answer('?protocol=ten-crop&posterior=true');
    expect(posterior).toHaveLength(100);
    expect(posterior.reduce((sum, each) => sum + each, 0)).toBeCloseTo(1, 5);
    const [best] = predictions;
    expect(posterior[best?.classIndex ?? -1]).toBe(best?.score);
    expect(best?.score).toBe(Math.max(...posterior));
    expect(await answer('?protocol=ten-crop&posterior=0')).not.toHaveProperty('posterior');
  });

  test('gives each view if asked', async () => {
    const { viewScores = [] } = await answer('?protocol=ten-crop&scales=73&views=1');
    expect(viewScores).toHaveLength(10);
    const [first] = viewScores;
    expect(Object.keys(first ?? {}).sort()).toEqual(
      [
        'model',
        'index',
        'plane',
        'scale',
        'x',
        'y',
        'width',
        'height',
        'mirrored',
        'weight',
        'posterior',
      ].sort(),
    );
    expect(viewScores.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(viewScores.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(1, 9);
    expect(first).toMatchObject({ model: 'caltech-101-d', scale: 73, width: 64, height: 64 });
    expect(first?.posterior).toHaveLength(100);
  });

  test('gives the score map of each dense view if asked', async () => {
    const { viewScores = [] } = await answer('?protocol=dense&scales=128&scoreMaps=true');
    expect(viewScores).toHaveLength(2);
    for (const { scoreMap } of viewScores) {
      // A plane of 160×128 gives 5×4 positions of conv5, and 2×2 less a side than that from fc6 on.
      expect(scoreMap?.shape).toEqual([3, 4, 100]);
      expect(scoreMap?.values).toHaveLength(3 * 4 * 100);
    }
    const [unmirrored, mirrored] = viewScores;
    expect(unmirrored?.scoreMap?.values).not.toEqual(mirrored?.scoreMap?.values);
  });

  test('gives the same answer to the same photo, also beside others', async () => {
    const alone = await answer('?protocol=ten-crop&scales=73');
    const beside = await Promise.all(
      [1, 2, 3, 4].map((top) => answer(`?protocol=ten-crop&scales=73&top=${String(top)}`)),
    );
    for (const [i, { predictions }] of beside.entries()) {
      expect(predictions).toHaveLength(i + 1);
      expect(predictions[0]?.label).toBe(alone.predictions[0]?.label);
      expect(predictions[0]?.score).toBeCloseTo(alone.predictions[0]?.score ?? 0, 4);
    }
  });
});
