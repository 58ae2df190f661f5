// The paper's D and E at full size: views together answer as each by itself. Minutes and gigabytes, so it runs where
// VGG_TEST_FULL_SIZE asks for it, as CI does.

import { describe, expect, test } from 'vitest';
import { randomModel } from '../../../bench/random-model.ts';
import { openModel, type OpenModel } from '../../../models/store.ts';
import type { Engine, ViewScores } from '../../../services/inference/engine.ts';
import { largestDifference, noisePlane, PLAIN, scoreViews, viewOf } from './fixtures.ts';

/** Whether such tests were asked for; printed where they are left out. */
export const fullSizeAsked = process.env['VGG_TEST_FULL_SIZE'] === '1';
if (!fullSizeAsked)
  process.stdout.write('D and E at full size are left out: VGG_TEST_FULL_SIZE=1 runs them\n');

/** A network as the paper has it, with random weights. */
export async function fullSizeModel(network: 'D' | 'E'): Promise<OpenModel> {
  const spec = { network, width: 1, hidden: 4096, classes: 1000, inputSize: 224 };
  return openModel(await randomModel(spec));
}

/** Registers the tests for an engine. */
export function engineFullSize(start: () => Promise<Engine>): void {
  describe.skipIf(!fullSizeAsked)('full size, shared', () => {
    test.each(['D', 'E'] as const)(
      '%s: crops that overlap and dense views differ by 1e-5 at most',
      async (network) => {
        const engine = await start();
        const loaded = await engine.load(await fullSizeModel(network));
        const plane = noisePlane(288, 256);
        const crops = [
          { x: 0, y: 0 },
          { x: 8, y: 0 },
          { x: 16, y: 32 },
          { x: 37, y: 5 },
          { x: 40, y: 8, mirrored: true },
          { x: 64, y: 32, mirrored: true },
        ].map((part, index) => viewOf(plane, { index, width: 224, height: 224, ...part }));
        const dense = [false, true].map((mirrored, flip) => viewOf(plane, { index: 6 + flip, mirrored }));
        const answers: ViewScores[][] = [];
        for (const share of ['off', 'on'] as const) {
          const wanted = { ...PLAIN, scoreMaps: true, share };
          const units = loaded.plan(plane, [...crops, ...dense], wanted);
          expect(units.map(({ shared }) => shared)).toEqual(units.map(() => share === 'on'));
          answers.push(await scoreViews(loaded, plane, [...crops, ...dense], wanted));
        }
        await engine.close();
        const [alone = [], together = []] = answers;
        const posteriors = alone.map(({ posterior }, i) =>
          largestDifference(posterior, together[i]?.posterior ?? []),
        );
        // Random weights may make scores so large that answers are of one class: scores say more, in parts of the largest.
        const maps = alone.map(({ scoreMap }, i) => {
          const values = scoreMap?.values ?? new Float32Array();
          const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
          return largestDifference(values, together[i]?.scoreMap?.values ?? []) / largest;
        });
        const shown = [posteriors, maps].map((each) => Math.max(...each).toExponential(1)).join(' and ');
        process.stdout.write(
          `${engine.name} ${network} full size, shared: posteriors and scores differ by ${shown}\n`,
        );
        expect(posteriors).toHaveLength(8);
        expect(Math.max(...posteriors)).toBeLessThan(1e-5);
        expect(Math.max(...maps)).toBeLessThan(1e-5);
      },
      240_000,
    );
  });
}
