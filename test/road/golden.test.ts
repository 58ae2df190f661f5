// The whole road over real sockets against golden vectors of other software: every answer, every view, the
// score map; and networks for which there is no golden file against plain loops in float64.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { randomModel } from '../../bench/random-model.ts';
import { startStack, type Stack } from '../../cli/stack.ts';
import { importWeights } from '../../models/import.ts';
import { openModel } from '../../models/store.ts';
import { packageRoot } from '../../proto/package-root.ts';
import { createClient, type Answer, type ClassifyOptions, type VggClient } from '../../sdk/index.ts';
import { posteriorOfScoreMap, type NetworkName } from '../../vgg/index.ts';
import { goldenPlane, largestDifference } from '../inference/engine-conformance/fixtures.ts';
import { referenceScoreMap } from '../inference/engine-conformance/reference.ts';

const GOLDEN = join(packageRoot, 'test/golden');
const PHOTO = join(GOLDEN, 'photo.png');
const NETWORKS = ['A', 'A-LRN', 'D'] as const;
const OTHERS = ['B', 'C', 'E', 'B-5x5'] as const;
const TOLERANCE = 1e-4;

interface Expected {
  center_crop: number[];
  dense: number[];
  multi_crop: number[];
  dense_and_multi_crop: number[];
  dense_unmirrored: number[];
  dense_mirrored: number[];
  dense_score_map_unmirrored: { shape_chw: [number, number, number]; values: number[] };
  crops: { x: number; y: number; mirrored: boolean; posterior: number[] }[];
}

const golden = Object.fromEntries(
  await Promise.all(
    NETWORKS.map(async (name) => {
      const text = await readFile(join(GOLDEN, 'networks', name, 'expected.json'), 'utf8');
      return [name, JSON.parse(text) as Expected] as const;
    }),
  ),
) as Record<(typeof NETWORKS)[number], Expected>;

let folder: string;
let stack: Stack;
let client: VggClient;
const others = new Map<NetworkName, string>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vgg-golden-'));
  for (const network of NETWORKS) {
    const path = join(GOLDEN, 'networks', network, 'weights.safetensors');
    await importWeights(path, { network, name: network.toLowerCase(), to: folder });
  }
  for (const network of OTHERS) {
    const spec = { network, width: 1 / 32, hidden: 8, classes: 5, inputSize: 224 };
    others.set(network, await randomModel(spec, folder));
  }
  stack = await startStack({ models: folder, logLevel: 'silent' });
  const { aggregator, preprocess, inference } = stack;
  client = createClient({
    aggregator: aggregator.address,
    preprocess: preprocess.address,
    inference: inference.address,
  });
});

afterAll(async () => {
  client.close();
  await stack.close();
  await rm(folder, { recursive: true });
});

const ask = (network: string, options: ClassifyOptions): Promise<Answer> =>
  client.classify(PHOTO, { models: network.toLowerCase(), scales: [256], posterior: true, ...options });

describe.each(NETWORKS)('network %s', (network) => {
  const expected = golden[network];

  test.each([
    ['CENTER_CROP', expected.center_crop, 1],
    ['DENSE', expected.dense, 2],
    ['MULTI_CROP', expected.multi_crop, 50],
    ['DENSE_AND_MULTI_CROP', expected.dense_and_multi_crop, 52],
  ] as const)('%s', async (protocol, posterior, views) => {
    const answer = await ask(network, { protocol, top: 3 });
    expect(answer).toMatchObject({ networks: [network], protocol, scales: [256], views, engine: 'onnx' });
    expect(largestDifference(answer.posterior ?? [], posterior)).toBeLessThan(TOLERANCE);
    const best = [...posterior].sort((a, b) => b - a).slice(0, 3);
    expect(answer.predictions.map(({ classIndex }) => posterior[classIndex])).toEqual(best);
  });

  test('each of the 50 crops', async () => {
    const { viewScores = [] } = await ask(network, { protocol: 'MULTI_CROP', viewScores: true });
    expect(viewScores.map(({ view: { x, y, mirrored } }) => ({ x, y, mirrored }))).toEqual(
      expected.crops.map(({ x, y, mirrored }) => ({ x, y, mirrored })),
    );
    const differences = viewScores.map(({ posterior }, i) =>
      largestDifference(posterior, expected.crops[i]?.posterior ?? []),
    );
    expect(Math.max(...differences)).toBeLessThan(TOLERANCE);
  });

  test('both dense passes and the class score map', async () => {
    const { viewScores = [] } = await ask(network, { protocol: 'DENSE', scoreMaps: true });
    const [plain, mirrored] = viewScores;
    expect(largestDifference(plain?.posterior ?? [], expected.dense_unmirrored)).toBeLessThan(TOLERANCE);
    expect(largestDifference(mirrored?.posterior ?? [], expected.dense_mirrored)).toBeLessThan(TOLERANCE);
    const [classes, height, width] = expected.dense_score_map_unmirrored.shape_chw;
    expect(plain?.scoreMap).toMatchObject({ classes, height, width });
    const { values } = expected.dense_score_map_unmirrored;
    const hwc = values.map((_, i) => values[(i % classes) * height * width + Math.floor(i / classes)] ?? NaN);
    expect(largestDifference(plain?.scoreMap?.values ?? [], hwc)).toBeLessThan(TOLERANCE);
  });
});

test('two models: the mean of their posteriors', async () => {
  const answer = await ask('a', { models: ['a', 'd'], protocol: 'MULTI_CROP' });
  const mean = golden.A.multi_crop.map((value, i) => (value + (golden.D.multi_crop[i] ?? NaN)) / 2);
  expect(largestDifference(answer.posterior ?? [], mean)).toBeLessThan(TOLERANCE);
  expect(answer).toMatchObject({ models: ['a', 'd'], networks: ['A', 'D'], views: 100 });
});

test.each(OTHERS)('network %s equals plain loops in float64', async (network) => {
  const path = others.get(network) ?? '';
  const model = await openModel(path);
  const answer = await ask(model.name, { protocol: 'CENTER_CROP', kernel: 'linear' });
  const view = { index: 0, plane: 0, x: 48, y: 16, width: 224, height: 224, mirrored: false, weight: 1 };
  const { values, ...shape } = referenceScoreMap(model, await goldenPlane(), view);
  const posterior = posteriorOfScoreMap({ ...shape, values: Float32Array.from(values) });
  expect(largestDifference(answer.posterior ?? [], posterior)).toBeLessThan(TOLERANCE);
});

test('the running answer never goes back, and ends as the whole one', async () => {
  const seen: number[] = [];
  let last: Answer | undefined;
  for await (const { viewsDone, viewsTotal, answer } of client.classifyStream(PHOTO, {
    models: 'd',
    scales: [256, 300],
    posterior: true,
  })) {
    expect(viewsTotal).toBe(100);
    expect(viewsDone).toBeGreaterThan(seen.at(-1) ?? 0);
    seen.push(viewsDone);
    last = answer;
  }
  expect(seen.length).toBeGreaterThan(1);
  expect(seen.at(-1)).toBe(100);
  const whole = await client.classify(PHOTO, { models: 'd', scales: [256, 300], posterior: true });
  expect([...(last?.posterior ?? [])]).toEqual([...(whole.posterior ?? [])]);
});

test('prepare, score and average by hand give what classify gives, to the last bit', async () => {
  const { inputSize, mean, scales } = await client.model('d');
  expect(scales).toEqual([256, 384, 512]);
  const evaluation = { protocol: 'TEN_CROP', scales: [256, 280] } as const;
  const weights = new Map<number, number>();
  async function* planes() {
    for await (const prepared of client.prepare(PHOTO, { ...evaluation, inputSize, mean })) {
      for (const { index, weight } of prepared.views) weights.set(index, weight);
      yield prepared;
    }
  }
  const scores = [];
  for await (const { view, posterior } of client.score(planes(), { model: 'd' })) {
    scores.push({ index: view, weight: weights.get(view) ?? NaN, posterior });
  }
  const average = await client.average(scores, { model: 'd', top: 1 });
  const answer = await client.classify(PHOTO, { models: 'd', ...evaluation, posterior: true, top: 1 });
  expect(average.predictions).toEqual(answer.predictions);
  expect([...average.posterior]).toEqual([...(answer.posterior ?? [])]);
});

test('GoogLeNet’s 144 views, and a softmax at each location', async () => {
  const answer = await ask('d', { protocol: 'GOOGLENET_144', scales: [256], viewScores: true });
  expect(answer.views).toBe(36);
  expect(answer.viewScores?.filter(({ square }) => square)).toHaveLength(6);
  const [mean, located] = await Promise.all(
    (['MEAN_THEN_SOFTMAX', 'SOFTMAX_THEN_MEAN'] as const).map((scoreOrder) =>
      ask('d', { protocol: 'DENSE', scoreOrder }),
    ),
  );
  expect(largestDifference(mean?.posterior ?? [], located?.posterior ?? [])).toBeGreaterThan(1e-3);
});
