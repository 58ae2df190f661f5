// Photos that are known early, over sockets: the default model's first class is the same, fewer views are computed, and
// nothing is left anywhere.

import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startStack, type Stack } from '../../cli/stack.ts';
import { packageRoot } from '../../proto/package-root.ts';
import { createClient, type Answer, type VggClient } from '../../sdk/index.ts';
import { BACKLOG, SPARED } from '../../services/aggregator/metrics.ts';
import { VIEWS } from '../../services/inference/metrics.ts';
import { metric, until } from '../gateway/running-gateway.ts';

const GOLDEN = join(packageRoot, 'test/golden');
const PHOTOS = [
  'photo.png',
  ...['alpha.png', 'exif-5.jpg', 'grey.jpg', 'lossless.webp', 'lzw.tiff'].map((name) => join('photos', name)),
];

let stack: Stack;
let client: VggClient;
beforeAll(async () => {
  stack = await startStack({ models: join(packageRoot, 'models'), logLevel: 'silent' });
  client = createClient({ aggregator: stack.aggregator.address });
});
afterAll(async () => {
  client.close();
  await stack.close();
});

const firstOf = ({ predictions }: Answer) => predictions[0]?.label;
const computed = () => metric(stack.inference, VIEWS);

describe.each(['MULTI_CROP', 'DENSE', 'DENSE_AND_MULTI_CROP', 'TEN_CROP'] as const)('%s', (protocol) => {
  test('the first class of every photo is the whole answer’s, from fewer views', async () => {
    let [taken, all] = [0, 0];
    for (const photo of PHOTOS) {
      const [whole, early] = await Promise.all(
        (['NONE', 'EXACT'] as const).map((stop) =>
          client.classify(join(GOLDEN, photo), { protocol, grid: 3, stop, viewScores: true }),
        ),
      );
      if (!whole || !early) return expect.unreachable();
      expect(firstOf(early)).toBe(firstOf(whole));
      expect(whole).not.toHaveProperty('viewsTotal');
      expect(early.viewsTotal).toBe(whole.views);
      expect(early.viewScores).toHaveLength(early.views);
      taken += early.views;
      all += whole.views;
    }
    expect(taken).toBeLessThan(0.9 * all);
  });
});

test('what is not needed is not computed, and nothing is left', async () => {
  const before = await computed();
  const sparedBefore = await metric(stack.aggregator, SPARED);
  const early = await client.classify(join(GOLDEN, 'photo.png'), { stop: 'EXACT' });
  expect(early.views).toBeLessThan(120);
  await until(
    'no calls',
    () => stack.aggregator.inFlight + stack.inference.inFlight + stack.preprocess.inFlight === 0,
  );
  expect(await metric(stack.inference, 'vgg_inference_queued_views')).toBe(0);
  expect(await metric(stack.inference, 'vgg_inference_plane_bytes')).toBe(0);
  expect(await metric(stack.aggregator, BACKLOG)).toBe(0);
  expect((await metric(stack.aggregator, SPARED)) - sparedBefore).toBe(150 - early.views);
  // Beside what was taken at most the rest of the last part: a fifteenth, ten views.
  const views = (await computed()) - before;
  expect(views).toBeGreaterThanOrEqual(early.views);
  expect(views).toBeLessThan(early.views + 10);
});

test('the running answer ends early too, as the one that is asked for at once', async () => {
  const photo = join(GOLDEN, 'photo.png');
  const counts: number[] = [];
  let last: Answer | undefined;
  for await (const { viewsDone, viewsTotal, answer } of client.classifyStream(photo, { stop: 'EXACT' })) {
    expect(viewsTotal).toBe(150);
    expect(viewsDone).toBeGreaterThan(counts.at(-1) ?? 0);
    counts.push(viewsDone);
    last = answer;
  }
  expect(counts.at(-1)).toBeLessThan(150);
  expect(last).toMatchObject({ views: counts.at(-1), viewsTotal: 150 });
  expect(last && firstOf(last)).toBe(firstOf(await client.classify(photo)));
});

test('many at once: each is the whole answer’s first class', async () => {
  const photo = join(GOLDEN, 'photo.png');
  const asked = Array.from({ length: 8 }, () => client.classify(photo, { protocol: 'DENSE', stop: 'EXACT' }));
  const answers = await Promise.all(asked);
  expect(new Set(answers.map(firstOf)).size).toBe(1);
  await until('no calls', () => stack.inference.inFlight === 0);
});
