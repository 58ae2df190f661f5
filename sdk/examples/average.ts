// The weighted mean of posteriors that you bring: here two, of a model with three classes.
// node dist/sdk/examples/average.js [HOST:PORT]

import { createClient } from '../index.ts';

const [aggregator = '127.0.0.1:50051'] = process.argv.slice(2);
const client = createClient({ aggregator });
try {
  const { predictions, count } = await client.average([
    { posterior: new Float32Array([0.7, 0.2, 0.1]), weight: 0.75 },
    { posterior: new Float32Array([0.1, 0.8, 0.1]), weight: 0.25 },
  ]);
  console.log(`mean of ${String(count)}:`);
  for (const { classIndex, score } of predictions)
    console.log(score.toFixed(4), `class ${String(classIndex)}`);
} finally {
  client.close();
}
