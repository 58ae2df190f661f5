// What every engine must do: the paper's networks to 1e-4, and the promises of the seam.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { randomModel } from '../../../bench/random-model.ts';
import { openModel } from '../../../models/store.ts';
import type { Engine, Unit } from '../../../services/inference/engine.ts';
import { NETWORK_NAMES, posteriorOfScoreMap, SCORE_ORDERS, type NetworkSpec } from '../../../vgg/index.ts';
import {
  goldenNetwork,
  goldenPlane,
  largestDifference,
  noisePlane,
  PLAIN,
  planeOf,
  scoreViews,
  viewOf,
} from './fixtures.ts';
import { referenceScoreMap } from './reference.ts';

/** Largest difference of a score between two right implementations. */
const TOLERANCE = 1e-4;
/** The same of a posterior of the golden networks. */
const GOLDEN_TOLERANCE = 1e-5;
const TINY = { width: 1 / 32, hidden: 8, classes: 5, inputSize: 32 };

/** Registers the suite for an engine. */
export function engineConformance(start: () => Promise<Engine>): void {
  let engine: Engine;
  let folder: string;

  beforeAll(async () => {
    engine = await start();
    folder = await mkdtemp(join(tmpdir(), 'vgg-engine-'));
  });
  afterAll(async () => {
    await engine.close();
    await rm(folder, { recursive: true });
  });

  async function load(spec: NetworkSpec, seed = 1) {
    const parent = join(folder, String(seed));
    return engine.load(await openModel(await randomModel(spec, parent, seed)));
  }

  describe.each(['on', 'off'] as const)('golden answers, sharing %s', (share) => {
    test.each(['A', 'A-LRN', 'D'])(
      '%s: centre crop, dense views, score map and 50 crops',
      async (network) => {
        const { model, golden } = await goldenNetwork(network);
        const loaded = await engine.load(model);
        const plane = await goldenPlane();
        const side = golden.input;
        const center = {
          x: (plane.width - side) / 2,
          y: (plane.height - side) / 2,
          width: side,
          height: side,
        };
        const crops = golden.crops.map(({ x, y, mirrored }, index) =>
          viewOf(plane, { index: index + 3, x, y, width: side, height: side, mirrored }),
        );
        const views = [
          viewOf(plane, { ...center }),
          viewOf(plane, { index: 1 }),
          viewOf(plane, { index: 2, mirrored: true }),
          ...crops,
        ];
        const wanted = { ...PLAIN, scoreMaps: true, share };
        expectShared(loaded.plan(plane, views, wanted), share === 'on');
        const scores = await scoreViews(loaded, plane, views, wanted);
        const expected = [
          golden.center_crop,
          golden.dense_unmirrored,
          golden.dense_mirrored,
          ...golden.crops.map((crop) => crop.posterior),
        ];
        const posteriors = scores.map((score, i) => largestDifference(score.posterior, expected[i] ?? []));

        const [classes, height, width] = golden.dense_score_map_unmirrored.shape_chw;
        const map = scores[1]?.scoreMap;
        expect(map).toMatchObject({ classes, height, width });
        const chw = golden.dense_score_map_unmirrored.values;
        const hwc = chw.map((_, i) => chw[(i % classes) * height * width + Math.floor(i / classes)] ?? NaN);
        const scoreMap = largestDifference(map?.values ?? [], hwc);
        report(
          `${engine.name} ${network} golden, sharing ${share}: posteriors ${exponent(posteriors)}, score map ${exponent([scoreMap])}`,
        );
        expect(golden.crops).toHaveLength(50);
        expect(Math.max(...posteriors)).toBeLessThan(GOLDEN_TOLERANCE);
        expect(scoreMap).toBeLessThan(TOLERANCE);
        await loaded.unload();
      },
    );
  });

  describe.each(['on', 'off'] as const)('plain loops in float64, sharing %s', (share) => {
    test.each(NETWORK_NAMES)('%s: crop and dense view, both flips, both orders', async (network) => {
      const loaded = await load({ network, ...TINY });
      const plane = noisePlane(70, 96);
      // So many crops that what they share pays.
      const views = [false, true].flatMap((mirrored, flip) => [
        viewOf(plane, { index: flip, mirrored }),
        ...[7, 15, 16, 32].flatMap((x, column) =>
          [0, 11, 19, 64].map((y, row) => {
            const index = 2 + 16 * flip + 4 * column + row;
            return viewOf(plane, { index, x, y, width: 32, height: 32, mirrored });
          }),
        ),
      ]);
      const differences: number[] = [];
      for (const scoreOrder of SCORE_ORDERS) {
        const wanted = { scoreOrder, scoreMaps: true, share };
        expectShared(loaded.plan(plane, views, wanted), share === 'on');
        const scores = await scoreViews(loaded, plane, views, wanted);
        for (const [i, view] of views.entries()) {
          const reference = referenceScoreMap(loaded.model, plane, view);
          const { posterior, scoreMap } = scores[i] ?? {};
          expect(scoreMap).toMatchObject({ height: reference.height, width: reference.width, classes: 5 });
          const exact = { ...reference, values: Float32Array.from(reference.values) };
          differences.push(
            largestDifference(scoreMap?.values ?? [], reference.values),
            largestDifference(posterior ?? [], posteriorOfScoreMap(exact, scoreOrder)),
          );
        }
      }
      report(`${engine.name} ${network} loops, sharing ${share}: ${exponent(differences)}`);
      expect(Math.max(...differences)).toBeLessThan(TOLERANCE);
      await loaded.unload();
    });

    test('a larger fc6 window and an odd size', async () => {
      const loaded = await load({ network: 'A', ...TINY, inputSize: 96 });
      const plane = noisePlane(161, 130);
      const view = viewOf(plane, { mirrored: true });
      const [score] = await scoreViews(loaded, plane, [view], { ...PLAIN, scoreMaps: true, share });
      const reference = referenceScoreMap(loaded.model, plane, view);
      expect(score?.scoreMap).toMatchObject({ height: 2, width: 3 });
      expect(largestDifference(score?.scoreMap?.values ?? [], reference.values)).toBeLessThan(TOLERANCE);
      await loaded.unload();
    });
  });

  describe('the seam', () => {
    const spec: NetworkSpec = { network: 'A', ...TINY };

    test('every view is answered by exactly one unit, with cost and pixels', async () => {
      const loaded = await load(spec);
      const plane = noisePlane(40, 48);
      const views = [0, 1, 2, 3].map((index) =>
        viewOf(plane, { index, x: index, y: 2 * index, width: 32, height: 32 }),
      );
      const units = loaded.plan(plane, [...views, viewOf(plane, { index: 4 })], PLAIN);
      expect(units.flatMap((unit) => unit.views.map((view) => view.index)).sort()).toEqual([0, 1, 2, 3, 4]);
      for (const unit of units) {
        expect(unit.cost).toBeGreaterThan(0);
        expect(unit.pixels).toBeGreaterThan(0);
        expect(loaded.batchLimit(unit)).toBeGreaterThanOrEqual(1);
      }
      await loaded.unload();
    });

    test('one batch mixes planes, flips and wishes, and keeps its order', async () => {
      const loaded = await load(spec);
      const planes = [noisePlane(64, 40, 1), noisePlane(64, 64, 2)] as const;
      const jobs = planes.flatMap((plane, p) =>
        SCORE_ORDERS.flatMap((scoreOrder, o) => {
          const view = viewOf(plane, { index: 10 * p + o, x: o, width: 32, height: 32, mirrored: o === 1 });
          return { plane, view, wanted: { ...PLAIN, scoreOrder, scoreMaps: p === o } };
        }),
      );
      const batch = jobs.flatMap(({ plane, view, wanted }) => loaded.plan(plane, [view], wanted));
      const together = await loaded.score(batch);
      expect(together).toHaveLength(jobs.length);
      for (const [i, { plane, view, wanted }] of jobs.entries()) {
        const [alone] = await scoreViews(loaded, plane, [view], wanted);
        const scored = together[i]?.scores[0];
        expect(scored?.view).toBe(view.index);
        expect(scored && 'scoreMap' in scored).toBe(wanted.scoreMaps);
        expect(largestDifference(scored?.posterior ?? [], alone?.posterior ?? [])).toBeLessThan(1e-6);
      }
      await loaded.unload();
    });

    test('planes of one size share a batch of views together, and each has its own answers', async () => {
      const loaded = await load(spec);
      const wanted = { ...PLAIN, share: 'on' } as const;
      const planes = [noisePlane(50, 44, 1), noisePlane(50, 44, 2), noisePlane(50, 44, 3)];
      const viewsOf = (plane: (typeof planes)[number]) =>
        [0, 8, 12].map((y, index) =>
          viewOf(plane, { index, x: 16 - y, y, width: 32, height: 32, mirrored: y === 8 }),
        );
      const batch = planes.flatMap((plane) => loaded.plan(plane, viewsOf(plane), wanted));
      const [first] = batch;
      if (!first) throw new Error('no unit');
      expect(new Set(batch.map(({ shapeKey }) => shapeKey)).size).toBe(1);
      const limit = Math.min(loaded.batchLimit(first), batch.length);
      if (engine.facts().device === 'cpu') expect(limit).toBe(3);
      const together = await loaded.score(batch.slice(0, limit));
      for (const [i, { scores }] of together.entries()) {
        const plane = planes[i] ?? noisePlane(50, 44);
        const alone = await scoreViews(loaded, plane, viewsOf(plane), { ...PLAIN, share: 'off' });
        expect(scores.map(({ view }) => view)).toEqual([0, 1, 2]);
        for (const [view, { posterior }] of scores.entries())
          expect(largestDifference(posterior, alone[view]?.posterior ?? [])).toBeLessThan(1e-5);
      }
      await loaded.unload();
    });

    test('a view is the same cut here or cut beforehand, mirrored here or beforehand', async () => {
      const loaded = await load(spec);
      const plane = noisePlane(50, 44);
      const part = { x: 9, y: 5, width: 40, height: 33 };
      const byHand: number[] = [];
      for (let y = part.y; y < part.y + part.height; y++) {
        for (let x = part.x + part.width - 1; x >= part.x; x--) {
          byHand.push(...plane.rgb8.subarray((y * plane.width + x) * 3, (y * plane.width + x) * 3 + 3));
        }
      }
      const cut = planeOf(part.width, part.height, byHand);
      const [here] = await scoreViews(loaded, plane, [viewOf(plane, { ...part, mirrored: true })]);
      const [before] = await scoreViews(loaded, cut, [viewOf(cut)]);
      const [other] = await scoreViews(loaded, plane, [viewOf(plane, part)]);
      expect(here?.posterior).toEqual(before?.posterior);
      expect(here?.posterior).not.toEqual(other?.posterior);
      await loaded.unload();
    });

    test('several models are loaded and answer by themselves; an unloaded one does not answer', async () => {
      const [a, b] = [await load(spec, 1), await load({ ...spec, classes: 7 }, 2)];
      const plane = noisePlane(32, 32);
      const [first] = await scoreViews(a, plane, [viewOf(plane)]);
      const [second] = await scoreViews(b, plane, [viewOf(plane)]);
      expect([first?.posterior.length, second?.posterior.length]).toEqual([5, 7]);
      await a.unload();
      await a.unload();
      await expect(scoreViews(a, plane, [viewOf(plane)])).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      expect((await scoreViews(b, plane, [viewOf(plane)]))[0]?.posterior).toEqual(second?.posterior);
      await b.unload();
    });

    test('views that do not fit are refused, and named', async () => {
      const loaded = await load(spec);
      const plane = noisePlane(40, 48);
      const plan = (part: object) => () => loaded.plan(plane, [viewOf(plane), viewOf(plane, part)], PLAIN);
      expect(plan({ width: 31 })).toThrow('Expected width ≥ 32 but received 31 (views[1].width)');
      expect(plan({ x: 1 })).toThrow('(views[1].x)');
      expect(plan({ y: -1, height: 40 })).toThrow('(views[1].y)');
      expect(plan({ x: 0.5, width: 32 })).toThrow('(views[1].x)');
      expect(plan({ height: NaN })).toThrow('(views[1].height)');
      const short = { ...plane, height: 47 };
      expect(() => loaded.plan(short, [], PLAIN)).toThrow('(rgb8)');
      await loaded.unload();
    });

    test('facts say what computes', () => {
      expect(engine.health()).toEqual({ ready: true });
      const facts = engine.facts();
      expect(facts.engine).toBe(engine.name);
      expect(facts.version).toMatch(/^\d+\.\d+/);
      expect(facts.providers.length).toBeGreaterThan(0);
      expect(facts.threads).toBeGreaterThanOrEqual(1);
    });
  });
}

function expectShared(units: readonly Unit[], shared: boolean): void {
  expect(units.map((unit) => unit.shared)).toEqual(units.map(() => shared));
}

function exponent(differences: readonly number[]): string {
  return `differ by ${Math.max(...differences).toExponential(1)} at most`;
}

function report(line: string): void {
  process.stdout.write(`${line}\n`);
}
