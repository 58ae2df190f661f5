// Score, ListModels and GetModel as clients meet them, over a socket: what is answered, refused and dropped.

import { rm } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ScoreRequest } from '../../proto/generated/vgg/v1/ScoreRequest.ts';
import type { RunningServer } from '../../services/host/serve.ts';
import { BATCH_CALLS, PLANE_BYTES, QUEUED, VIEWS } from '../../services/inference/metrics.ts';
import { startOnnxEngine } from '../../services/inference/onnx/engine.ts';
import type { OnnxSettings } from '../../services/inference/onnx/engine.ts';
import type { Envelope } from '../../services/inference/worker/messages.ts';
import { createClient } from '../../sdk/index.ts';
import { posteriorOfScoreMap } from '../../vgg/scores.ts';
import { SCORE_ORDERS } from '../../vgg/views.ts';
import { goldenNetwork, goldenPlane, largestDifference } from './engine-conformance/fixtures.ts';
import {
  backlog,
  connect,
  floats,
  metric,
  modelFolder,
  occupy,
  options,
  plane,
  serving,
  startService,
  talk,
  tinyName,
  until,
  view,
} from './serving.ts';

let folder: string;
beforeAll(async () => {
  folder = await modelFolder();
});
afterAll(() => rm(folder, { recursive: true }));

describe('what is refused, and in which words', () => {
  const over = (pixels: object) => [options(), plane(1, 0, pixels)];
  const viewed = (...views: Parameters<typeof view>[1][]) => [
    options(),
    plane(views.map((each, i) => view(i, each))),
  ];
  const cases: [string, ScoreRequest[], string, string][] = [
    [
      'nothing',
      [],
      'INVALID_ARGUMENT',
      'Expected options as the first message but received nothing (message)',
    ],
    [
      'a plane before the options',
      [plane(), options()],
      'INVALID_ARGUMENT',
      'Expected options as the first message but received prepared (message)',
    ],
    [
      'an empty message',
      [options(), {}],
      'INVALID_ARGUMENT',
      'Expected a plane with views but received nothing (message)',
    ],
    [
      'options twice',
      [options(), options()],
      'INVALID_ARGUMENT',
      'Expected a plane with views but received options (message)',
    ],
    [
      'no plane in the message',
      [options(), { prepared: { views: [view(0)] } }],
      'INVALID_ARGUMENT',
      'Expected a plane but received none (prepared.plane)',
    ],
    ['no planes', [options()], 'INVALID_ARGUMENT', 'Expected at least one view but received 0 (views)'],
    [
      'a plane without views',
      [options(), plane(0)],
      'INVALID_ARGUMENT',
      'Expected at least one view but received 0 (views)',
    ],
    [
      'views of another plane',
      viewed({}, { plane: 1 }),
      'INVALID_ARGUMENT',
      'Expected views of plane 0 but received 1 (views[1].plane)',
    ],
    [
      'two views of one index',
      viewed({}, { index: 0 }),
      'INVALID_ARGUMENT',
      'Expected each index once but received 0 (views[1].index)',
    ],
    [
      '513 views announced',
      [options({ views: 513 }), plane()],
      'INVALID_ARGUMENT',
      'Expected 1 to 512 views in a call but received 513 (views)',
    ],
    [
      '513 views in two planes',
      [options(), plane(512), plane(1)],
      'INVALID_ARGUMENT',
      'Expected 1 to 512 views in a call but received 513 (views)',
    ],
    [
      "another model's mean",
      over({ mean: { red: 123.68, green: 103.94, blue: 103.94 } }),
      'INVALID_ARGUMENT',
      `Expected mean green 116.78 of model ${tinyName} but received 103.94 (mean.green)`,
    ],
    [
      'a mean that is no number',
      over({ mean: { red: NaN, green: 116.78, blue: 103.94 } }),
      'INVALID_ARGUMENT',
      `Expected mean red 123.68 of model ${tinyName} but received NaN (mean.red)`,
    ],
    [
      'a byte too few',
      over({ rgb8: Buffer.alloc(40 * 36 * 3 - 1) }),
      'INVALID_ARGUMENT',
      'Expected 4320 bytes of pixels but received 4319 (rgb8)',
    ],
    [
      'a view beyond the right edge',
      viewed({}, { x: 9 }),
      'INVALID_ARGUMENT',
      'Expected x from 0 to 8 but received 9 (views[1].x)',
    ],
    [
      'a view beyond the lower edge',
      viewed({ y: 4_000_000_000 }),
      'INVALID_ARGUMENT',
      'Expected y from 0 to 4 but received 4000000000 (views[0].y)',
    ],
    [
      'a view smaller than a crop',
      viewed({ height: 31 }),
      'INVALID_ARGUMENT',
      'Expected height ≥ 32 but received 31 (views[0].height)',
    ],
    [
      'an unknown model',
      [options({ model: 'nobody' })],
      'NOT_FOUND',
      `Expected a model of ${tinyName} but received nobody (model)`,
    ],
    [
      'a score order of the future',
      [options({ scoreOrder: 3 as 2 })],
      'INVALID_ARGUMENT',
      'Expected scoreOrder to be one of MEAN_THEN_SOFTMAX, SOFTMAX_THEN_MEAN but received 3 (scoreOrder)',
    ],
    [
      'a share of the future',
      [options({ share: 3 as 2 })],
      'INVALID_ARGUMENT',
      'Expected share to be one of AUTO, OFF but received 3 (share)',
    ],
  ];
  let server: RunningServer;
  let clients: ReturnType<typeof connect>;
  beforeAll(async () => {
    server = await startService(folder);
    clients = connect(server.address);
  });
  afterAll(async () => {
    clients.close();
    await server.close();
  });

  test.each(cases)('%s', async (_name, messages, code, message) => {
    const { responses, error } = await talk(clients.own, messages).ended;
    expect({ code: error?.code, message: error?.message }).toEqual({ code, message });
    expect(responses.length).toBeLessThanOrEqual(512);
    // Nothing of the call stays behind, and the next one is answered.
    await until(async () => {
      expect([await metric(server, QUEUED), await metric(server, PLANE_BYTES)]).toEqual([0, 0]);
    });
    expect((await talk(clients.own, [options(), plane(2)]).ended).responses).toHaveLength(2);
  });
});

describe('answers', () => {
  test.each(['A', 'D'] as const)(
    "golden-%s over the SDK: centre crop, dense view, score map, both orders, another implementation's answers",
    async (network) => {
      const { golden } = await goldenNetwork(network);
      const name = `golden-${network.toLowerCase()}`;
      const server = await startService(folder, { VGG_INFERENCE_LOAD: 'golden-a,golden-d' });
      const client = createClient({ inference: server.address });
      try {
        const { width, height, rgb8 } = await goldenPlane();
        const [red, green, blue] = golden.mean;
        const side = golden.input;
        const pixels = {
          ...{ index: 0, scale: 256, width, height, rgb8: Uint8Array.from(rgb8) },
          mean: { red, green, blue },
        };
        const place = { plane: 0, mirrored: false, weight: 0.5 };
        const views = [
          { ...place, index: 7, x: (width - side) / 2, y: (height - side) / 2, width: side, height: side },
          { ...place, index: 3, x: 0, y: 0, width, height },
        ];
        for (const scoreOrder of SCORE_ORDERS) {
          const scores = new Map<number, { posterior: Float32Array; scoreMap?: object }>();
          const call = { model: name, scoreOrder, scoreMaps: true };
          for await (const score of client.score([{ plane: pixels, views }], call)) {
            scores.set(score.view, score);
            const { scoreMap } = score;
            expect(scoreMap?.values).toHaveLength(
              (scoreMap?.height ?? 0) * (scoreMap?.width ?? 0) * golden.classes,
            );
            if (scoreMap) {
              const own = posteriorOfScoreMap(scoreMap, scoreOrder);
              expect(largestDifference(score.posterior, own)).toBeLessThan(1e-5);
            }
          }
          expect([...scores.keys()].sort()).toEqual([3, 7]);
          // A crop has one position: the order makes no difference to it.
          expect(largestDifference(scores.get(7)?.posterior ?? [], golden.center_crop)).toBeLessThan(1e-4);
          const dense = largestDifference(scores.get(3)?.posterior ?? [], golden.dense_unmirrored);
          if (scoreOrder === 'MEAN_THEN_SOFTMAX') expect(dense).toBeLessThan(1e-4);
          else expect(dense).toBeGreaterThan(1e-4);
        }
      } finally {
        client.close();
        await server.close();
      }
    },
  );

  test('each view once, with its times, and without a score map unless asked', async () => {
    await serving(folder, async ({ client, server }) => {
      const { responses, error } = await talk(client, [options({ views: 3 }), plane(2), plane(1, 2)]).ended;
      expect(error).toBeUndefined();
      expect(responses.map((each) => each.view).sort()).toEqual([0, 1, 2]);
      for (const { posterior, scoreMap, queueMs, computeMs, batchViews } of responses) {
        expect(floats(posterior).reduce((sum, each) => sum + each, 0)).toBeCloseTo(1, 5);
        expect(scoreMap).toBeNull();
        expect(queueMs).toBeGreaterThanOrEqual(0);
        expect(computeMs).toBeGreaterThanOrEqual(0);
        expect(batchViews).toBeGreaterThanOrEqual(1);
      }
      expect(await metric(server, VIEWS)).toBe(3);
    });
  });

  test('the engine is told what is wanted: defaults unless asked', async () => {
    await serving(folder, async ({ client, held }) => {
      const asked = { scoreOrder: 'SCORE_ORDER_SOFTMAX_THEN_MEAN', scoreMaps: true } as const;
      for (const each of [{}, { share: 'SHARE_AUTO' } as const, { ...asked, share: 'SHARE_OFF' } as const])
        expect((await talk(client, [options(each), plane()]).ended).responses).toHaveLength(1);
      const plain = { scoreOrder: 'MEAN_THEN_SOFTMAX', scoreMaps: false, share: 'auto' };
      const other = { scoreOrder: 'SOFTMAX_THEN_MEAN', scoreMaps: true, share: 'off' };
      expect(held.planned).toEqual([plain, plain, other]);
    });
  });

  test('two calls share a batch', async () => {
    await serving(folder, async (all) => {
      const { client, server, held } = all;
      const busy = await occupy(all);
      const calls = [talk(client, [options(), plane(1, 1)]), talk(client, [options(), plane(1, 2)])];
      await backlog(server, 2);
      held.release();
      const answers = await Promise.all(calls.map((each) => each.ended));
      expect(answers.map(({ responses }) => responses.map((each) => [each.view, each.batchViews]))).toEqual([
        [[1, 2]],
        [[2, 2]],
      ]);
      expect((await busy.ended).responses).toHaveLength(1);
      expect(await metric(server, `${BATCH_CALLS}_count`)).toBe(2);
      expect(await metric(server, `${BATCH_CALLS}_sum`)).toBe(3);
      expect(await metric(server, `${BATCH_CALLS}_bucket{le="1"}`)).toBe(1);
    });
  });

  test('interactive views go before batch views that came earlier', async () => {
    await serving(
      folder,
      async (all) => {
        const { client, server, held } = all;
        const busy = await occupy(all);
        const bulk = talk(client, [options({ priority: 'PRIORITY_BATCH' }), plane(2, 10)]);
        await backlog(server, 2);
        const urgent = talk(client, [options({ priority: 'PRIORITY_INTERACTIVE' }), plane(2, 20)]);
        await backlog(server, 4);
        held.release();
        await Promise.all([busy, bulk, urgent].map((each) => each.ended));
        expect(held.batches).toEqual([[900], [20], [21], [10], [11]]);
      },
      { units: 1 },
    );
  });
});

test('draining answers 50 calls under way, each of them whole, then refuses', async () => {
  await serving(folder, async (all) => {
    const { client, server, held } = all;
    const busy = await occupy(all);
    const calls = Array.from({ length: 50 }, (_, i) => talk(client, [options(), plane(3, 3 * i)]));
    await backlog(server, 150);
    expect(server.inFlight).toBe(51);
    const drained = server.drain();
    expect(await server.checkReady()).toBe(false);
    held.release();
    const answers = await Promise.all(calls.map((each) => each.ended));
    for (const [i, { responses, error }] of answers.entries()) {
      expect(error).toBeUndefined();
      expect(responses.map((each) => each.view).sort((a, b) => a - b)).toEqual([3 * i, 3 * i + 1, 3 * i + 2]);
    }
    expect((await busy.ended).responses).toHaveLength(1);
    await drained;
    expect(server.inFlight).toBe(0);
    expect((await talk(client, [options(), plane()]).ended).error?.code).toBe('UNAVAILABLE');
  });
});

test("the engine's worker dies during a call: the call is answered, in full and once", async () => {
  const url = new URL('../../services/inference/onnx/worker.js', import.meta.url);
  let deaths = 0;
  const spawn = (settings: OnnxSettings) => {
    const worker = new Worker(url, { workerData: settings });
    const post = worker.postMessage.bind(worker);
    worker.postMessage = (envelope: Envelope) => {
      // The batch goes down with the worker: a worker that dies after it was told might still answer.
      if (envelope.kind === 'score' && deaths-- > 0) void worker.terminate();
      else post(envelope);
    };
    return worker;
  };
  const failures: Error[] = [];
  const onFailure = (reason: Error) => failures.push(reason);
  const engine = await startOnnxEngine({ threads: 1, spawn, onFailure });
  const server = await startService(folder, {}, engine);
  const { own, close } = connect(server.address);
  try {
    const posteriors = async () => {
      const { responses, error } = await talk(own, [options(), plane(4)]).ended;
      expect(error).toBeUndefined();
      return responses.sort((a, b) => a.view - b.view).map(({ posterior }) => floats(posterior));
    };
    const before = await posteriors();
    deaths = 1;
    expect(await posteriors()).toEqual(before);
    expect(before).toHaveLength(4);
    expect(failures).toHaveLength(1);
    // Two deaths in a row: the call fails, and can be tried again.
    deaths = 2;
    const { error } = await talk(own, [options(), plane(4)]).ended;
    expect(error).toMatchObject({
      code: 'UNAVAILABLE',
      message: 'The engine died twice while it computed this batch',
    });
    expect(await posteriors()).toEqual(before);
  } finally {
    close();
    await server.close();
  }
});
