// From planes to a score for each view, without the aggregator: what preprocess sends goes straight on.
// node dist/sdk/examples/score.js PHOTO [PREPROCESS [INFERENCE]]

import { createClient } from '../index.ts';

const [photo = 'photo.jpg', preprocess = '127.0.0.1:50052', inference = '127.0.0.1:50053'] =
  process.argv.slice(2);
const client = createClient({ preprocess, inference });
try {
  const { scales, mean, inputSize, labels } = await client.model();
  const planes = client.prepare(photo, { protocol: 'TEN_CROP', scales, mean, inputSize });
  for await (const { view, posterior } of client.score(planes)) {
    const best = posterior.indexOf(Math.max(...posterior));
    console.log(`view ${String(view)}:`, posterior[best]?.toFixed(4), labels[best]);
  }
} finally {
  client.close();
}
