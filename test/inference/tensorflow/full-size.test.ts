// The paper's D and E at full size: TensorFlow and onnxruntime give the same answers, and views together the same as
// each by itself.

import { describe, expect, test } from 'vitest';
import type { Engine, ViewScores } from '../../../services/inference/engine.ts';
import { startOnnxEngine } from '../../../services/inference/onnx/engine.ts';
import { startTensorFlowEngine } from '../../../services/inference/tensorflow/engine.ts';
import { tensorFlowMissing } from '../../tensorflow-library.ts';
import { engineFullSize, fullSizeAsked, fullSizeModel } from '../engine-conformance/full-size.ts';
import { largestDifference, noisePlane, PLAIN, scoreViews, viewOf } from '../engine-conformance/fixtures.ts';

describe.skipIf(tensorFlowMissing !== undefined)('tensorflow', () => {
  engineFullSize(startTensorFlowEngine);
});

describe.skipIf(!fullSizeAsked || tensorFlowMissing !== undefined)('full size', () => {
  test.each(['D', 'E'] as const)(
    '%s: a crop and a dense view of 256×320 differ by 1e-4 at most',
    async (network) => {
      const model = await fullSizeModel(network);
      const plane = noisePlane(320, 256);
      const views = [
        viewOf(plane, { x: 48, y: 16, width: 224, height: 224, mirrored: true }),
        viewOf(plane, { index: 1 }),
      ];
      // One after the other, so that one model is in memory.
      const answers: ViewScores[][] = [];
      for (const start of [startOnnxEngine, startTensorFlowEngine]) {
        const engine: Engine = await start();
        const loaded = await engine.load(model);
        answers.push(await scoreViews(loaded, plane, views, { ...PLAIN, scoreMaps: true }));
        await engine.close();
      }
      const [onnx = [], tensorflow = []] = answers;
      const differences = onnx.map(({ posterior }, i) =>
        largestDifference(posterior, tensorflow[i]?.posterior ?? []),
      );
      const [map, other] = [onnx, tensorflow].map((scores) => scores[1]?.scoreMap);
      expect(map).toMatchObject({ height: 2, width: 4, classes: 1000 });
      expect(other).toMatchObject({ height: 2, width: 4, classes: 1000 });
      // Random weights make large scores, so their differences are told in parts of the largest.
      const largest = Math.max(...(map?.values ?? []).map(Math.abs));
      differences.push(largestDifference(map?.values ?? [], other?.values ?? []) / largest);
      const shown = differences.map((difference) => difference.toExponential(1)).join(', ');
      process.stdout.write(`${network} full size: posteriors and scores differ by ${shown}\n`);
      expect(Math.max(...differences)).toBeLessThan(1e-4);
    },
    240_000,
  );
});
