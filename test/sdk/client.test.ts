// Each call of the SDK against fake services over real sockets: what is sent, what comes back.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import type { AverageRequest__Output } from '../../proto/generated/vgg/v1/AverageRequest.ts';
import type { ClassifyRequest__Output } from '../../proto/generated/vgg/v1/ClassifyRequest.ts';
import type { ScoreRequest__Output } from '../../proto/generated/vgg/v1/ScoreRequest.ts';
import { VggError, createClient, type Photo, type PreparedPlane } from '../../sdk/index.ts';
import { clientOf, collect, serveFakes, type FakeHandlers } from './fake-services.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const each of closing.splice(0).reverse()) await each();
});

async function start(handlers: FakeHandlers, options: Parameters<typeof clientOf>[1] = {}) {
  const server = await serveFakes(handlers);
  const client = clientOf(server, options);
  closing.push(
    () => server.close(),
    () => {
      client.close();
    },
  );
  return { server, client };
}

const bytes = (values: Float32Array | Float64Array) => Buffer.from(values.buffer.slice(0));
const photo = Buffer.from('photo');

describe('classify', () => {
  test('sends the options and reads the answer', async () => {
    let seen: ClassifyRequest__Output | undefined;
    const { client } = await start({
      aggregator: {
        Classify(request) {
          seen = request;
          return {
            answer: {
              models: ['a'],
              networks: ['D'],
              protocol: 'PROTOCOL_DENSE',
              scales: [256],
              views: 2,
              viewsTotal: 6,
              engine: 'onnx',
              predictions: [{ label: 'cat', classIndex: 1, score: 0.75 }],
              posterior: bytes(new Float64Array([0.25, 0.75])),
              timing: { prepareMs: 1, queueMs: 2, computeMs: 3, totalMs: 4 },
              viewScores: [
                {
                  model: 'a',
                  view: {
                    index: 0,
                    plane: 0,
                    x: 0,
                    y: 0,
                    width: 300,
                    height: 256,
                    mirrored: true,
                    weight: 1,
                  },
                  scale: 256,
                  posterior: bytes(new Float32Array([0.5, 0.5])),
                  scoreMap: { height: 1, width: 1, classes: 2, values: bytes(new Float32Array([1, 2])) },
                },
              ],
            },
          };
        },
      },
    });
    const answer = await client.classify(photo, {
      models: 'a',
      protocol: 'DENSE',
      scales: [256],
      kernel: 'lanczos3',
      scoreOrder: 'SOFTMAX_THEN_MEAN',
      share: 'OFF',
      stop: 'EXACT',
      grid: 3,
      align: 8,
      top: 1,
      posterior: true,
      viewScores: true,
      scoreMaps: true,
      priority: 'BATCH',
    });
    expect(seen).toMatchObject({
      photo,
      models: ['a'],
      evaluation: {
        protocol: 'PROTOCOL_DENSE',
        scales: [256],
        kernel: 'KERNEL_LANCZOS3',
        scoreOrder: 'SCORE_ORDER_SOFTMAX_THEN_MEAN',
        share: 'SHARE_OFF',
        stop: 'STOP_EXACT',
        grid: 3,
        align: 8,
      },
      top: 1,
      posterior: true,
      viewScores: true,
      scoreMaps: true,
      priority: 'PRIORITY_BATCH',
    });
    expect(answer).toEqual({
      models: ['a'],
      networks: ['D'],
      protocol: 'DENSE',
      scales: [256],
      views: 2,
      viewsTotal: 6,
      engine: 'onnx',
      predictions: [{ label: 'cat', classIndex: 1, score: 0.75 }],
      posterior: new Float64Array([0.25, 0.75]),
      timing: { prepareMs: 1, queueMs: 2, computeMs: 3, totalMs: 4 },
      viewScores: [
        {
          model: 'a',
          view: { index: 0, plane: 0, x: 0, y: 0, width: 300, height: 256, mirrored: true, weight: 1 },
          scale: 256,
          posterior: new Float32Array([0.5, 0.5]),
          scoreMap: { height: 1, width: 1, classes: 2, values: new Float32Array([1, 2]) },
        },
      ],
    });
  });

  test('takes a photo in any form', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'vgg-sdk-'));
    closing.push(() => rm(folder, { recursive: true }));
    const file = join(folder, 'photo');
    await writeFile(file, photo);
    const seen: string[] = [];
    const { client } = await start({
      aggregator: {
        Classify(request) {
          seen.push(request.photo.toString());
          return { answer: {} };
        },
      },
    });
    const forms: Photo[] = [
      photo,
      new Uint8Array(photo),
      new Uint8Array(photo).buffer,
      Readable.from([photo.subarray(0, 2), photo.subarray(2)]) as AsyncIterable<Uint8Array>,
      [photo.subarray(0, 1), photo.subarray(1)],
      file,
      pathToFileURL(file),
    ];
    for (const form of forms) await client.classify(form);
    expect(seen).toEqual(forms.map(() => 'photo'));
  });

  test.each<[string, Photo, string]>([
    ['no bytes', Buffer.alloc(0), 'INVALID_ARGUMENT'],
    ['no such file', '/no/such/file', 'NOT_FOUND'],
    ['a folder', tmpdir(), 'INVALID_ARGUMENT'],
    ['another URL', new URL('http://localhost/'), 'INVALID_ARGUMENT'],
    ['a number', 7 as unknown as Photo, 'INVALID_ARGUMENT'],
    ['too many bytes', Buffer.alloc(1001), 'TOO_LARGE'],
    ['too long a stream', [Buffer.alloc(600), Buffer.alloc(600)], 'TOO_LARGE'],
  ])('refuses %s before sending', async (_name, given, code) => {
    const client = createClient({ aggregator: '127.0.0.1:1', maxPhotoBytes: 1000 });
    await expect(client.classify(given)).rejects.toMatchObject({ name: 'VggError', code });
    client.close();
  });
});

test.each<[object, string]>([
  [{ scales: [NaN] }, 'scales[0]'],
  [{ scales: [256, Infinity] }, 'scales[1]'],
  [{ scales: [-256] }, 'scales[0]'],
  [{ scales: [256.5] }, 'scales[0]'],
  [{ scales: 256 }, 'scales'],
  [{ scales: [1, 2, 3, 4, 5] }, 'scales'],
  [{ protocol: 'multi' }, 'protocol'],
  [{ kernel: 'LINEAR' }, 'kernel'],
  [{ scoreOrder: 'mean' }, 'scoreOrder'],
  [{ share: 'off' }, 'share'],
  [{ stop: 'exact' }, 'stop'],
  [{ grid: 17 }, 'grid'],
  [{ align: -1 }, 'align'],
  [{ top: NaN }, 'top'],
  [{ models: [''] }, 'models[0]'],
  [{ priority: 'HIGH' }, 'priority'],
  [{ deadlineMs: NaN }, 'deadlineMs'],
  [{ deadlineMs: -1 }, 'deadlineMs'],
  [{ requestId: 'two words' }, 'requestId'],
  [{ metadata: { 'not a key': '' } }, 'metadata'],
])('refuses %j before sending', async (options, field) => {
  const client = createClient({ aggregator: '127.0.0.1:1' });
  const error: unknown = await client.classify(photo, options).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(VggError);
  expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', fields: [{ field }] });
  expect((error as VggError).message).toMatch(/^Expected .* but received /);
  client.close();
});

test.each([
  [{}, /at least one/],
  [{ aggregator: 'localhost' }, /HOST:PORT/],
  [{ aggregator: 'a:1,b' }, /HOST:PORT/],
  [{ aggregator: 'a:1', retry: { attempts: 0 } }, /retry.attempts/],
  [{ aggregator: 'a:1', deadlineMs: 0 }, /deadlineMs/],
  [{ aggregator: 'a:1', tls: { cert: 'x' } }, /tls.key/],
  [{ aggregator: 'a:1', tls: { ca: '/no/such/file' } }, /tls.ca/],
])('a client of %j is refused', (options, message) => {
  expect(() => createClient(options)).toThrow(message);
});

test('a service without an address is named', async () => {
  const client = createClient({ aggregator: '127.0.0.1:1' });
  await expect(client.models()).rejects.toThrow('Expected an address of the inference service (inference)');
  client.close();
});

test('classifyStream gives each answer', async () => {
  const { client } = await start({
    aggregator: {
      async *ClassifyStream() {
        await Promise.resolve();
        yield { viewsDone: 1, viewsTotal: 2, answer: { views: 1 } };
        yield { viewsDone: 2, viewsTotal: 2, answer: { views: 2 } };
      },
    },
  });
  const answers = await collect(client.classifyStream(photo));
  expect(answers.map(({ viewsDone, answer }) => [viewsDone, answer.views])).toEqual([
    [1, 1],
    [2, 2],
  ]);
});

const mean = { red: 1, green: 2, blue: 3 };

test('prepare gives planes and views', async () => {
  const { client } = await start({
    preprocess: {
      async *Prepare(request) {
        await Promise.resolve();
        expect(request).toMatchObject({ inputSize: 32, mean, realise: 'REALISE_FLOAT32_PLANES' });
        yield {
          prepared: {
            plane: { index: 0, scale: 32, width: 1, height: 1, mean },
            views: [{ index: 0, plane: 0, x: 0, y: 0, width: 1, height: 1, mirrored: false, weight: 1 }],
          },
          pixels: { shape: [1, 1, 3], values: bytes(new Float32Array([1, 2, 3])) },
          planes: 1,
          views: 1,
          prepareMs: 5,
        };
      },
    },
  });
  const options = { scales: [32], mean, inputSize: 32, realise: 'FLOAT32_PLANES' } as const;
  expect(await collect(client.prepare(photo, options))).toEqual([
    {
      plane: { index: 0, scale: 32, width: 1, height: 1, rgb8: Buffer.alloc(0), mean },
      views: [{ index: 0, plane: 0, x: 0, y: 0, width: 1, height: 1, mirrored: false, weight: 1 }],
      pixels: { shape: [1, 1, 3], values: new Float32Array([1, 2, 3]) },
      planeCount: 1,
      viewCount: 1,
      prepareMs: 5,
    },
  ]);
  await expect(collect(client.prepare(photo, { ...options, inputSize: 33 }))).rejects.toThrow('inputSize');
  await expect(collect(client.prepare(photo, { ...options, mean: { ...mean, red: NaN } }))).rejects.toThrow(
    'mean.red',
  );
});

function planes(count: number): PreparedPlane[] {
  return Array.from({ length: count }, (_, index) => ({
    plane: { index, scale: 1, width: 1, height: 1, rgb8: Buffer.alloc(3), mean },
    views: [0, 1].map((i) => ({
      index: index * 2 + i,
      plane: index,
      x: 0,
      y: 0,
      width: 1,
      height: 1,
      mirrored: i === 1,
      weight: 0.5,
    })),
  }));
}

// Answers each view when its plane arrives; ends when the requests end.
async function* scorer(requests: AsyncIterable<ScoreRequest__Output>) {
  for await (const { prepared, cancel } of requests) {
    if (cancel) throw new VggError('CANCELLED', 'The caller ended the call');
    for (const { index } of (prepared?.views ?? []) as { index: number }[]) {
      yield { view: index, posterior: bytes(new Float32Array([1, 0])), batchViews: 2 };
    }
  }
}

describe('score', () => {
  test('gives a score for each view', async () => {
    const { client } = await start({ inference: { Score: scorer } });
    const scores = await collect(client.score(planes(3), { model: 'a', views: 6 }));
    expect(scores.map(({ view }) => view)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(scores[0]?.posterior).toEqual(new Float32Array([1, 0]));
  });

  test('sends the options first, the defaults too', async () => {
    const seen: ScoreRequest__Output['options'][] = [];
    const { client } = await start({
      inference: {
        async *Score(requests: AsyncIterable<ScoreRequest__Output>) {
          for await (const { options } of requests) if (options) seen.push(options);
          yield* [];
        },
      },
    });
    await collect(client.score([]));
    await collect(client.score([], { scoreOrder: 'SOFTMAX_THEN_MEAN', share: 'OFF', priority: 'BATCH' }));
    expect(seen).toMatchObject([
      {
        scoreOrder: 'SCORE_ORDER_MEAN_THEN_SOFTMAX',
        share: 'SHARE_AUTO',
        priority: 'PRIORITY_INTERACTIVE',
      },
      { scoreOrder: 'SCORE_ORDER_SOFTMAX_THEN_MEAN', share: 'SHARE_OFF', priority: 'PRIORITY_BATCH' },
    ]);
  });

  test.each([
    [{ scoreOrder: 'mean' as never }, 'MEAN_THEN_SOFTMAX, SOFTMAX_THEN_MEAN but received mean (scoreOrder)'],
    [{ share: 'off' as never }, 'AUTO, OFF but received off (share)'],
    [{ priority: 'HIGH' as never }, 'INTERACTIVE, BATCH but received HIGH (priority)'],
  ])('refuses %j before sending', async (options, message) => {
    const client = createClient({ inference: '127.0.0.1:1' });
    await expect(collect(client.score([], options))).rejects.toThrow(`Expected one of ${message}`);
    client.close();
  });

  test('no planes, no scores', async () => {
    const { client } = await start({ inference: { Score: scorer } });
    expect(await collect(client.score([]))).toEqual([]);
  });

  test('leaving early sends cancel, even after the last plane, and resets nothing', async () => {
    let reason: unknown;
    let ended: () => void = () => {};
    const end = new Promise<void>((resolve) => (ended = resolve));
    const { client } = await start({
      inference: {
        async *Score(requests, { signal }) {
          const iterator = requests[Symbol.asyncIterator]();
          await iterator.next();
          await iterator.next();
          yield { view: 0, posterior: Buffer.alloc(8) };
          const { value } = (await iterator.next()) as { value: ScoreRequest__Output };
          reason = { message: value.message, aborted: signal.aborted };
          ended();
          throw new VggError('CANCELLED', 'The caller ended the call');
        },
      },
    });
    for await (const { view } of client.score(planes(1))) {
      expect(view).toBe(0);
      break;
    }
    await end;
    expect(reason).toEqual({ message: 'cancel', aborted: false });
  });

  test('a source that fails ends the call with its error', async () => {
    const { client } = await start({ inference: { Score: scorer } });
    const broken = async function* () {
      await Promise.resolve();
      yield* planes(1);
      throw new VggError('NOT_FOUND', 'no more planes');
    };
    await expect(collect(client.score(broken()))).rejects.toThrow('no more planes');
  });

  test('a plane of the wrong size is not sent', async () => {
    const { client } = await start({ inference: { Score: scorer } });
    const [plane] = planes(1);
    if (plane) plane.plane.rgb8 = Buffer.alloc(4);
    await expect(collect(client.score(plane ? [plane] : []))).rejects.toThrow(
      'Expected 3 bytes but received 4 (planes[0].rgb8)',
    );
  });
});

test('average sends posteriors in order and reads the mean', async () => {
  const { client } = await start({
    aggregator: {
      async Average(requests) {
        const seen: (number | undefined)[] = [];
        for await (const { posterior } of requests as AsyncIterable<AverageRequest__Output>) {
          seen.push(posterior?.index);
        }
        expect(seen).toEqual([undefined, 0, 1]);
        return { count: 2, posterior: bytes(new Float64Array([0.5, 0.5])) };
      },
    },
  });
  const posteriors = [new Float32Array([1, 0]), new Float32Array([0, 1])].map((posterior) => ({ posterior }));
  expect(await client.average(posteriors)).toEqual({
    count: 2,
    predictions: [],
    posterior: new Float64Array([0.5, 0.5]),
  });
  await expect(client.average([{ posterior: new Float32Array(1), weight: NaN }])).rejects.toThrow(
    'posteriors[0].weight',
  );
});

test('models and model', async () => {
  const { client } = await start({
    inference: {
      ListModels: () => ({ models: [{ name: 'a', isDefault: true, kernel: 'KERNEL_CUBIC' }] }),
      GetModel({ name }) {
        if (name !== '') throw new VggError('NOT_FOUND', `No model ${name}`);
        return { model: { name: 'a', mean } };
      },
    },
  });
  expect(await client.models()).toMatchObject([{ name: 'a', isDefault: true, kernel: 'cubic' }]);
  expect(await client.model()).toMatchObject({ name: 'a', mean, kernel: 'linear' });
  await expect(client.model('b')).rejects.toMatchObject({ code: 'NOT_FOUND', message: 'No model b' });
});

test('ready asks the services themselves', async () => {
  let ready = true;
  const server = await serveFakes({}, { ready: () => ready });
  const client = clientOf(server, { retry: false });
  expect(await client.ready()).toBe(true);
  ready = false;
  await server.checkReady();
  expect(await client.ready()).toBe(false);
  await server.close();
  expect(await client.ready()).toBe(false);
  client.close();
});
