// What is in a photo?
// node dist/sdk/examples/classify.js PHOTO [HOST:PORT]

import { createClient } from '../index.ts';

const [photo = 'photo.jpg', aggregator = '127.0.0.1:50051'] = process.argv.slice(2);
const client = createClient({ aggregator });
try {
  const answer = await client.classify(photo, { protocol: 'MULTI_CROP', top: 5 });
  for (const { score, label } of answer.predictions) console.log(score.toFixed(4), label);
  console.log(`${String(answer.views)} views in ${answer.timing.totalMs.toFixed(0)} ms`);
} finally {
  client.close();
}
