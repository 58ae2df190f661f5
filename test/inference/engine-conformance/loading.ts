// What may be wrong with a model's weights, and what may be unusual about them.

import { mkdir, mkdtemp, rename, rm, symlink, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { randomModel } from '../../../bench/random-model.ts';
import { openModel, type OpenModel } from '../../../models/store.ts';
import type { Engine } from '../../../services/inference/engine.ts';
import type { EngineOptions } from '../../../services/inference/worker/engine.ts';
import { largestDifference, noisePlane, PLAIN, scoreViews, viewOf } from './fixtures.ts';
import { copyModel, overwrite, storedAs } from './weights-files.ts';

const SPEC = { network: 'A', width: 1 / 32, hidden: 8, classes: 5, inputSize: 32 } as const;

/** Registers the tests for an engine. */
export function engineLoading(start: (options: EngineOptions) => Promise<Engine>): void {
  let engine: Engine;
  let folder: string;
  let model: OpenModel;

  beforeAll(async () => {
    engine = await start({ threads: 1 });
    folder = await mkdtemp(join(tmpdir(), 'vgg-loading-'));
    model = await openModel(await randomModel(SPEC, folder));
  });
  afterAll(async () => {
    await engine.close();
    await rm(folder, { recursive: true });
  });

  async function answer(source: OpenModel): Promise<Float32Array | undefined> {
    const loaded = await engine.load(source);
    const plane = noisePlane(40, 32);
    const [scores] = await scoreViews(loaded, plane, [viewOf(plane)]);
    await loaded.unload();
    return scores?.posterior;
  }

  describe('broken weights are one clear error, and the engine goes on', () => {
    test.each<[string, (copy: OpenModel) => Promise<OpenModel>, RegExp]>([
      [
        'no file',
        (copy) => rm(copy.weightsPath).then(() => copy),
        /^Expected the weights of \S+ but cannot read/,
      ],
      [
        'a folder',
        (copy) =>
          rm(copy.weightsPath)
            .then(() => mkdir(copy.weightsPath))
            .then(() => copy),
        /^Expected /,
      ],
      ['truncated', (copy) => truncate(copy.weightsPath, 5000).then(() => copy), /truncated/],
      [
        'no fc7.bias',
        (copy) =>
          Promise.resolve({ ...copy, tensors: copy.tensors.filter(({ name }) => name !== 'fc7.bias') }),
        /^Expected tensor fc7\.bias/,
      ],
      [
        'a tensor of another size',
        (copy) =>
          Promise.resolve({
            ...copy,
            tensors: copy.tensors.map((entry) =>
              entry.name === 'fc7.weight' ? { ...entry, bytes: 8 } : entry,
            ),
          }),
        /^Expected \w+ (that|numbers)/,
      ],
      [
        'NaN in the first layer',
        (copy) => overwrite(copy, 'conv1_1.weight', 3, NaN).then(() => copy),
        /finite .* broken/,
      ],
      [
        'NaN in the middle',
        (copy) => overwrite(copy, 'conv4_1.weight', 9, NaN).then(() => copy),
        /finite .* broken/,
      ],
      [
        'infinity in the last',
        (copy) => overwrite(copy, 'fc8.bias', 0, Infinity).then(() => copy),
        /finite .* broken/,
      ],
    ])('%s', async (name, spoil, message) => {
      const spoilt = await spoil(await copyModel(model, join(folder, `spoilt ${name}`)));
      const error: unknown = await engine.load(spoilt).catch((reason: unknown) => reason);
      expect(error).toMatchObject({
        name: 'VggError',
        code: 'INVALID_ARGUMENT',
        message: expect.stringMatching(message) as string,
      });
      expect(engine.health()).toEqual({ ready: true });
      expect(await answer(model)).toHaveLength(5);
    });
  });

  describe('unusual weights load', () => {
    test('half types, at odd offsets, are the numbers that they hold', async () => {
      const posteriors = await Promise.all(
        (['F32', 'F16', 'BF16'] as const).map(async (dtype) =>
          answer(await storedAs(model, dtype, join(folder, `weights ${dtype}.bin`))),
        ),
      );
      const [whole = [], half = [], brain = []] = posteriors;
      // Small numbers are subnormal in half precision.
      expect(largestDifference(whole, half)).toBeLessThan(1e-4);
      expect(largestDifference(whole, brain)).toBeLessThan(1e-6);
    });

    test('weights behind a link, in a folder with spaces', async () => {
      const copy = await copyModel(model, join(folder, 'a b'));
      const target = join(folder, 'elsewhere.bin');
      await rename(copy.weightsPath, target);
      await symlink(target, copy.weightsPath);
      expect(await answer(copy)).toEqual(await answer(model));
    });
  });

  describe('bounds of a batch', () => {
    test('a batch holds about as many pixels as the bound, at least one view and at most so many', async () => {
      const bounded = await start({
        threads: 1,
        bounds: { pixels: 8 * 32 * 32, units: 6, bytes: 2 ** 22, copies: 4 },
      });
      const loaded = await bounded.load(model);
      const plane = noisePlane(96, 300);
      const limit = (width: number, height: number) =>
        loaded.plan(plane, [viewOf(plane, { width, height })], PLAIN).map((unit) => loaded.batchLimit(unit));
      expect(limit(32, 32)).toEqual([6]);
      expect(limit(64, 32)).toEqual([3]); // as many pixels as 6 crops
      expect(limit(96, 32)).toEqual([2]);
      expect(limit(96, 300)).toEqual([1]);
      const units = loaded.plan(
        plane,
        Array.from({ length: 7 }, (_, index) => viewOf(plane, { index, width: 32, height: 32 })),
        PLAIN,
      );
      await expect(loaded.score(units)).rejects.toMatchObject({ code: 'INTERNAL' });
      const vast = noisePlane(256, 256);
      expect(() => loaded.plan(vast, [viewOf(vast)], PLAIN)).toThrow(
        /^Expected at most 32768 pixels but received 65536/,
      );
      await bounded.close();
    });
  });
}
