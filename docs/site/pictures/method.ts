// The pictures of docs/explanation/method.md, of a run of the default model on the photo of the golden tests.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startStack } from '../../../cli/stack.ts';
import { packageRoot } from '../../../proto/package-root.ts';
import { createClient, type Prepared, type Protocol } from '../../../sdk/index.ts';
import { averagePicture } from './average-picture.ts';
import { planesPicture } from './planes-picture.ts';
import { scoreMapPicture } from './score-map-picture.ts';

// Large enough that the map has more than a few locations.
const DENSE_SCALE = 160;

/** File names and SVG documents. */
export async function methodPictures(): Promise<[file: string, svg: string][]> {
  const photo = readFileSync(join(packageRoot, 'test/golden/photo.png'));
  const stack = await startStack({ models: join(packageRoot, 'models'), logLevel: 'silent', env: {} });
  const client = createClient({
    aggregator: stack.aggregator.address,
    preprocess: stack.preprocess.address,
    inference: stack.inference.address,
  });
  try {
    const { mean, inputSize, scales } = await client.model();
    const planesOf = async (protocol: Protocol, asked: readonly number[]) => {
      const planes: Prepared[] = [];
      for await (const each of client.prepare(photo, { protocol, scales: asked, mean, inputSize }))
        planes.push(each);
      return planes;
    };
    const crops = await client.classify(photo, { viewScores: true });
    const dense = await client.classify(photo, {
      ...{ protocol: 'DENSE', scales: [DENSE_SCALE] },
      ...{ viewScores: true, scoreMaps: true },
    });
    const [whole] = await planesOf('DENSE', [DENSE_SCALE]);
    const [best] = crops.predictions;
    const map = dense.viewScores?.find(({ view }) => !view.mirrored)?.scoreMap;
    if (!best || !whole || !map || !crops.viewScores)
      throw new Error('Expected an answer with views and a score map');
    return [
      ['planes.svg', await planesPicture(await planesOf('MULTI_CROP', scales))],
      ['score-map.svg', await scoreMapPicture(whole.plane, map, { ...best, inputSize })],
      ['average.svg', averagePicture(crops.viewScores, best)],
    ];
  } finally {
    client.close();
    await stack.close();
  }
}
